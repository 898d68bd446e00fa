"""``why NODE:NIC``: who staged what a port carries, which job set it, what the switch said."""

from __future__ import annotations

from typing import Any

import pytest

from haas_console.core.api import packaged_api
from haas_console.core.commands import Call
from haas_console.core.errors import CommandSyntaxError
from haas_console.core.language import Language
from haas_console.core.whytext import why_lines

NIC: dict[str, Any] = {
    "node": "node-1",
    "nic": "eth0",
    "project": "red",
    "switch": "sw1",
    "port": "Gi1/0/2",
    "networks": [{"network": "net", "vlan": 100, "tagged": False}],
    "applied": [{"network": "net", "vlan": 100, "tagged": False}],
    "staged_by": "rita",
    "staged_at": "2026-01-31T12:00:00.123Z",
    "evidence": {
        "confirmed": "2026-01-31T12:01:00.456Z",
        "job": 7,
        "applied_by": "bob",
        "staged_by": "rita",
        "staged_at": "2026-01-31T12:00:00.123Z",
        "said": ["interface GigabitEthernet1/0/2", " switchport access vlan 100"],
    },
}


def test_why_asks_for_one_nic() -> None:
    language = Language(packaged_api())
    assert language.parse_line("why node-1:eth0") == Call(
        "nic.show", {"node": "node-1", "nic": "eth0"}
    )
    with pytest.raises(CommandSyntaxError, match="NODE:NIC"):
        language.parse_line("why node-1")


def test_the_answer_tells_who_which_job_when_and_in_which_words() -> None:
    assert why_lines(NIC) == [
        "nic        node-1:eth0",
        "port       sw1 Gi1/0/2",
        "project    red",
        "wanted     net (VLAN 100)",
        "staged     by rita at 2026-01-31 12:00:00 UTC",
        "applied    net (VLAN 100)",
        "confirmed  2026-01-31 12:01:00 UTC",
        "by job     7, started by bob",
        "as         rita had staged it at 2026-01-31 12:00:00 UTC",
        "sw1 said:",
        "  interface GigabitEthernet1/0/2",
        "   switchport access vlan 100",
    ]


def test_what_is_not_known_is_said_in_words() -> None:
    lines = why_lines({**NIC, "applied": None, "evidence": None, "networks": []})
    assert "wanted     parked" in lines
    assert "applied    not known: an apply reads it" in lines
    assert "confirmed  nothing is recorded of that" in lines
