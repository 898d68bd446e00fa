"""Configurations that real switches printed, and what HaaS must read from them.

:mod:`tests.unit.disturbances` says what the samples in ``readings/DIALECT.toml`` have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.reader import SwitchReader
from haas_rpcd.model import PortConfig, PortSeen
from haas_rpcd.vlanranges import parse_vlan_ranges
from tests.unit.disturbances import (
    LOGS,
    READINGS,
    STRANGE,
    Reading,
    disturbed,
    mutated,
    with_long_spans,
    with_page_breaks,
)

LEAST_OF_A_DIALECT = 10
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


@pytest.mark.slow
@EACH
def test_log_messages_change_nothing(reading: Reading) -> None:
    for answers in disturbed(reading.answers, LOGS):
        found = reading.read(answers)
        for port, wanted in reading.ports.items():
            assert right(wanted, found[port]), (port, found[port], answers)


@pytest.mark.slow
@EACH
def test_with_a_strange_line_anywhere_a_port_is_read_as_it_is_or_not_believed(
    reading: Reading,
) -> None:
    whole = reading.read()
    for answers in (
        *disturbed(reading.answers, STRANGE),
        *with_page_breaks(reading.answers),
        *with_long_spans(reading.answers),
    ):
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


JSON = ("cumulus_nvue", "linux_bridge", "openvswitch", "sonic")
"""The dialects whose switches answer in JSON."""


@pytest.mark.slow
@pytest.mark.parametrize("name", JSON)
def test_in_json_of_another_form_a_port_is_read_as_it_is_or_not_believed(name: str) -> None:
    for reading in READINGS[name]:
        whole = reading.read()
        for at, answer in enumerate(reading.answers):
            if answer.strip()[:1] not in ("[", "{"):
                continue
            for changed in mutated(answer):
                answers = [*reading.answers[:at], changed, *reading.answers[at + 1 :]]
                try:
                    found = reading.read(answers)
                except (ValueError, LookupError, TypeError):
                    continue  # the reader makes it the device's error
                for port, seen in found.items():
                    assert seen.believed is None or (
                        port in whole and seen.believed == whole[port].believed
                    ), (port, seen, answers)


# --- what no switch can have ----------------------------------------------------------------------


@pytest.mark.parametrize("line", ["switchport access vlan 4999", "switchport voice vlan 70000"])
async def test_a_port_with_an_impossible_vlan_is_not_believed(line: str) -> None:
    async def show(lines: Sequence[str]) -> list[str]:
        section = f"interface GigabitEthernet1/0/1\n switchport mode access\n {line}\nend"
        return [section, *("" for _ in lines[1:])]

    reader = SwitchReader("sw1", DIALECTS["cisco_ios"], {}, show)
    state = (await reader.ports(["Gi1/0/1"]))["Gi1/0/1"]
    assert state.not_understood == f"VLAN {line.split()[-1]}"
    assert state.seen.believed is None
