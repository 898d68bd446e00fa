"""Texts that many switches print."""

from __future__ import annotations

import pytest

from haas_rpcd.drivers.switch.patterns import parse_duration
from haas_rpcd.registered import Uptime


@pytest.mark.parametrize(
    ("text", "uptime"),
    [
        ("1 week, 2 days", Uptime(9 * 86400, 86400)),
        ("3d4h", Uptime(3 * 86400 + 4 * 3600, 3600)),
        ("12:04:31", Uptime(12 * 3600 + 4 * 60 + 31, 1)),
        ("4 days, 3:04", Uptime(4 * 86400 + 3 * 3600 + 4 * 60, 60)),
        ("1 year, 5 minutes", Uptime(365 * 86400 + 300, 60)),
        ("1y2w3d", Uptime((365 + 14 + 3) * 86400, 86400)),
        ("2 hour(s) 30 min(s)", Uptime(9000, 60)),
        ("90.5 seconds", Uptime(90.5, 1)),
        ("not long", None),
        ("", None),
    ],
)
def test_a_duration_has_the_resolution_of_its_smallest_unit(
    text: str, uptime: Uptime | None
) -> None:
    assert parse_duration(text) == uptime
