"""Configurations that real switches printed, and what HaaS must read from them.

The samples are data: ``readings/DIALECT.toml``, a list of ``[[reading]]``. Each has

* ``source``: where it was published; ``after …``: the lines are put together after a manual;
* ``answers``: the answers to the lines of ``Dialect.read_ports``, shortened, names replaced;
* ``ports``: for each port that must be read, by its canonical name: ``untagged`` (a VLAN),
  ``tagged`` (a list such as ``"2,10-12"``), ``open`` (true unless given), or the line that is
  ``not_understood``. A port with ``{}`` is open and carries nothing;
* ``options`` of the switch, if the sample needs any.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from haas_rpcd.drivers.switch.answers import without_logs
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.model import PortConfig, PortSeen, parse_vlan_ranges

FOLDER = Path(__file__).with_name("readings")
LEAST_OF_A_DIALECT = 10

LOGS = (
    "*Mar  1 00:20:01.113: %LINK-3-UPDOWN: Interface GigabitEthernet0/2, changed state to up",
    "2026 Jun  9 12:00:02 sw1 %ETHPORT-5-IF_UP: Interface Ethernet1/9 is up in mode access",
    "Aug  9 05:40:40 sw1 Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Interface Ethernet9, changed"
    " state to up",
    "<189> Oct 21 09:10:54 10.201.1.110-1 TRAPMGR[trapTask]: traputil.c(721) 29331 %% NOTE"
    " 'startup-config' has changed.",
    "04-Jun-2016 13:02:53 %LINK-W-Down:  gi1/0/9",
)
"""Log messages. Each is taken out, so all is read as without it."""

STRANGE = (
    "frobnicate level 3",
    "   frobnicate level 3",
    "Connection to the other stack member was lost.",
    "--More--",
    " --More-- ",
)
"""Lines that HaaS knows nothing of, and page breaks that the session did not recognize."""

PAGE_BREAK = "--More-- "
"""A page break that was not wiped from the line behind it."""


class Reading(NamedTuple):
    """What a switch printed, and what its ports are."""

    dialect: str
    source: str
    answers: list[str]
    ports: dict[str, dict[str, Any]]
    options: dict[str, Any] = {}

    def read(self, answers: Sequence[str] | None = None) -> dict[str, PortSeen]:
        """Read these answers, by default the sample's, as the driver does."""
        shown = [without_logs(answer) for answer in answers or self.answers]
        states = DIALECTS[self.dialect].reader.parse_ports(shown, self.options)
        return {port: state.seen for port, state in states.items()}


def _readings() -> dict[str, list[Reading]]:
    return {
        path.stem: [
            Reading(path.stem, **entry) for entry in tomllib.loads(path.read_text())["reading"]
        ]
        for path in sorted(FOLDER.glob("*.toml"))
    }


READINGS = _readings()
EACH = pytest.mark.parametrize(
    "reading",
    [
        pytest.param(reading, id=f"{name}-{number}")
        for name, readings in READINGS.items()
        for number, reading in enumerate(readings, 1)
    ],
)


def right(wanted: Mapping[str, Any], seen: PortSeen) -> bool:
    """Return whether this was to be seen."""
    if "not_understood" in wanted:
        return seen.not_understood == wanted["not_understood"]
    config = PortConfig(
        wanted.get("untagged"),
        tuple(parse_vlan_ranges(wanted["tagged"]) if "tagged" in wanted else ()),
    )
    is_open = wanted.get("open", True)
    carries = config if is_open else PortConfig()
    return seen == PortSeen(carries, open_without_vlan=is_open and config.parked)


@pytest.mark.parametrize("name", READINGS)
def test_a_dialect_has_many_readings(name: str) -> None:
    own = READINGS[name]
    assert len(own) >= LEAST_OF_A_DIALECT
    assert len({tuple(reading.answers) for reading in own}) == len(own)
    assert all(reading.source for reading in own)


@EACH
def test_every_port_is_read_as_it_is(reading: Reading) -> None:
    found = reading.read()
    assert found.keys() == reading.ports.keys()
    for port, wanted in reading.ports.items():
        assert right(wanted, found[port]), (port, found[port])


# --- what does not belong there -------------------------------------------------------------------


def disturbed(answers: Sequence[str], intruders: Sequence[str]) -> Iterator[list[str]]:
    """Yield the answers with each intruder before and after each line."""
    for at, answer in enumerate(answers):
        lines = answer.split("\n")
        for place in range(len(lines) + 1):
            for intruder in intruders:
                text = "\n".join([*lines[:place], intruder, *lines[place:]])
                yield [*answers[:at], text, *answers[at + 1 :]]


def with_page_breaks(answers: Sequence[str]) -> Iterator[list[str]]:
    """Yield the answers with a page break before each line, on that line."""
    for at, answer in enumerate(answers):
        lines = answer.split("\n")
        for place, line in enumerate(lines):
            text = "\n".join([*lines[:place], PAGE_BREAK + line, *lines[place + 1 :]])
            yield [*answers[:at], text, *answers[at + 1 :]]


@EACH
def test_log_messages_change_nothing(reading: Reading) -> None:
    for answers in disturbed(reading.answers, LOGS):
        found = reading.read(answers)
        for port, wanted in reading.ports.items():
            assert right(wanted, found[port]), (port, found[port], answers)


@EACH
def test_with_a_strange_line_anywhere_a_port_is_read_as_it_is_or_not_believed(
    reading: Reading,
) -> None:
    whole = reading.read()
    for answers in (*disturbed(reading.answers, STRANGE), *with_page_breaks(reading.answers)):
        try:
            found = reading.read(answers)
        except (ValueError, LookupError, TypeError):  # the reader makes it the device's error
            continue
        for port, seen in found.items():
            believed = seen.believed
            assert believed is None or (port in whole and believed == whole[port].believed), (
                port,
                seen,
                answers,
            )
