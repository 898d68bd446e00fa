"""What switches say of their VLANs and of themselves, and what HaaS must read from it.

The samples are data: ``tables/DIALECT.toml``. A ``[[vlans]]`` has the ``answers`` to the lines of
``Reader.read_vlans``, and the ``vlans`` in them. An ``[[about]]`` has those to ``About.lines``, the
``model`` and ``version`` in them, and what the ``uptime`` (seconds) is read from. All are shortened
and have their ``source``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from haas_rpcd.drivers.switch.answers import without_logs
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.vlanranges import parse_vlan_ranges
from tests.unit.disturbances import (
    LOGS,
    STRANGE,
    disturbed,
    mutated,
    with_long_spans,
    with_page_breaks,
)

FOLDER = Path(__file__).with_name("tables")
NUMBERED = ("42 ports are in use", "  1234 frobnications were seen")
"""Strange lines that begin like rows of a table."""

WITHOUT_VLANS = {"linux_bridge", "openvswitch"}
JSON = ("cumulus_nvue", "sonic")


class Vlans(NamedTuple):
    """What a switch said of its VLANs."""

    dialect: str
    source: str
    answers: list[str]
    vlans: str

    def read(self, answers: list[str]) -> frozenset[int]:
        return DIALECTS[self.dialect].reader.parse_vlans([without_logs(each) for each in answers])


class About(NamedTuple):
    """What a switch said of itself."""

    dialect: str
    source: str
    answers: list[str]
    model: str
    version: str
    uptime_in: str
    uptime: float


TABLES = {path.stem: tomllib.loads(path.read_text()) for path in sorted(FOLDER.glob("*.toml"))}
VLANS = [Vlans(name, **each) for name, own in TABLES.items() for each in own.get("vlans", ())]
ABOUT = [About(name, **each) for name, own in TABLES.items() for each in own.get("about", ())]
EACH_TABLE = pytest.mark.parametrize("table", VLANS, ids=[table.dialect for table in VLANS])
EACH_SWITCH = pytest.mark.parametrize("switch", ABOUT, ids=[switch.dialect for switch in ABOUT])


def test_every_dialect_with_vlans_has_a_table() -> None:
    assert {table.dialect for table in VLANS} == DIALECTS.keys() - WITHOUT_VLANS
    assert all(sample.source for sample in (*VLANS, *ABOUT))


@EACH_TABLE
def test_the_vlans_are_read(table: Vlans) -> None:
    assert table.read(table.answers) == set(parse_vlan_ranges(table.vlans))


def around(table: Vlans) -> Iterator[list[str]]:
    """Yield the answers with something strange anywhere."""
    yield from disturbed(table.answers, (*LOGS, *STRANGE, *NUMBERED))
    yield from with_page_breaks(table.answers)
    yield from with_long_spans(table.answers)
    for at, answer in enumerate(table.answers if table.dialect in JSON else ()):
        for changed in mutated(answer):
            yield [*table.answers[:at], changed, *table.answers[at + 1 :]]


@EACH_TABLE
def test_with_something_strange_anywhere_the_vlans_are_read_or_nothing_is(table: Vlans) -> None:
    """A VLAN that is overlooked would look as if it were gone."""
    for answers in around(table):
        try:
            found = table.read(answers)
        except (ValueError, LookupError, TypeError):  # the reader makes it the device's error
            continue
        assert found == set(parse_vlan_ranges(table.vlans)), answers


@EACH_SWITCH
def test_model_version_and_uptime_are_read_whatever_stands_between(switch: About) -> None:
    about = DIALECTS[switch.dialect].about
    for answers in (switch.answers, *disturbed(switch.answers, (*LOGS, *STRANGE))):
        shown = [without_logs(answer) for answer in answers]
        assert about.identity(shown) == (switch.model, switch.version)
    for [answer] in ([switch.uptime_in], *disturbed([switch.uptime_in], (*LOGS, *STRANGE))):
        up = about.uptime(without_logs(answer))
        assert up is not None
        assert up.seconds == switch.uptime
