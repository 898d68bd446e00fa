"""Cisco IOS on a strict simulated Catalyst, and a Linux bridge.

``linux_bridge`` is tested on a model of bridge(8) and ip-link(8) below; the lab uses the real ones.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.ioslike import Interfaces
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.switchport import Switchport
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PortSeen, SetPort, SetVlan
from haas_rpcd.sim.ios import gigabit
from haas_rpcd.vlanranges import parse_vlan_ranges, vlan_ranges
from tests.laws import law
from tests.unit.catalyst import catalyst
from tests.unit.dialects.harness import CONFIGS, Ignoring, driving, send


def lines(dialect: Dialect, *changes: SetPort | SetVlan, **options: Any) -> list[str]:
    """Return the lines for some changes, in order."""
    return [line.text for line in dialect.writer.script(changes, options)]


# --- cisco_ios ------------------------------------------------------------------------------------


async def test_creating_an_extended_vlan_on_a_vtp_server_is_refused() -> None:
    """IOS reports it only when the VLAN's context is left, and keeps nothing."""
    async with driving(catalyst(vtp_mode="server")) as driver:
        with pytest.raises(DeviceError, match=r'refused "exit": .*Failed to create VLANs 1006'):
            await send(driver, SetVlan(1006, True))


async def test_an_open_port_that_routes_is_neither_parked_nor_set() -> None:
    switch = catalyst()
    port = switch.running.ports["GigabitEthernet1/0/2"]
    port.switched = False
    wanted = SetPort("Gi1/0/2", PortConfig(100))
    async with driving(switch) as driver:
        assert await driver.observe([wanted]) == [PortSeen(PARKED, open_without_vlan=True)]
        await send(driver, SetVlan(100, True))
        with pytest.raises(DeviceError, match=r"rejected: .* is not a switching port"):
            await send(driver, wanted)
        assert not port.switched
        port.shutdown = True
        assert await driver.observe([wanted]) == [PortSeen(PARKED)]


async def test_a_model_that_knows_isl_needs_the_encapsulation_first() -> None:
    """A 3560 refuses trunk mode without it; a 2960 lacks the command."""
    switch = catalyst(model="WS-C3560-24TS", ports=gigabit(2, "0/"))
    wanted = SetPort("Gi0/1", PortConfig(None, (100,)))
    async with driving(switch) as driver:
        await send(driver, SetVlan(100, True))
        with pytest.raises(DeviceError, match='trunk encapsulation is "Auto"'):
            await send(driver, wanted)
        assert [entry.line.text for entry in switch.history] == ["shutdown"]
    switch = catalyst(model="WS-C3560-24TS", ports=gigabit(2, "0/"))
    async with driving(switch, options={"encapsulation": "dot1q"}) as driver:
        await send(driver, SetVlan(100, True), wanted)
        assert await driver.observe([wanted]) == [PortSeen(wanted.config)]


SHORT = [("Gi1/0/1", True), ("gi1/0/1", True), ("GigabitEthernet1/0/1", True), ("Gi1/0/11", False),
         ("Te1/0/1", False), ("Gi1/0/10", False)]  # fmt: skip


@pytest.mark.parametrize(("registered", "same"), SHORT)
def test_a_port_is_found_by_its_short_name_and_no_other(registered: str, same: bool) -> None:
    answer = (
        "interface GigabitEthernet1/0/1\n switchport access vlan 100\n switchport mode access\n"
    )
    dialect = DIALECTS["cisco_ios"]
    found = dialect.reader.parse_ports([answer], {})
    assert found == {"GigabitEthernet1/0/1": PortState(PortConfig(100), open=True)}
    assert (dialect.canonical_port(registered) in found) == same


@pytest.mark.parametrize(
    ("registered", "full"),
    [
        ("Fif1/1/1", "FiftyGigE1/1/1"),
        ("Twe1/1/1", "TwentyFiveGigE1/1/1"),
        ("TwoH1/1/1", "TwoHundredGigE1/1/1"),
        ("Fiv1/0/35", "FiveGigabitEthernet1/0/35"),
        ("Hu1/0/1", "HundredGigE1/0/1"),
        ("Po12", "Port-channel12"),
    ],
)
def test_every_type_of_port_has_one_full_name(registered: str, full: str) -> None:
    dialect = DIALECTS["cisco_ios"]
    assert dialect.canonical_port(registered) == dialect.canonical_port(full) == full


@pytest.mark.parametrize(
    "line",
    ["cisco IE-3105-18T2C (ARM) processor", "Model Number                    : IE-3105-18T2C"],
)
def test_the_model_of_an_industrial_switch_is_read(line: str) -> None:
    """(genieparser: ``ShowVersion``.)"""
    answer = f"Cisco IOS Software, IE31xx Software, Version 17.9.1\n{line}\n"
    assert DIALECTS["cisco_ios"].about.identity([answer]) == ("IE-3105-18T2C", "17.9.1")


# --- linux_bridge ---------------------------------------------------------------------------------


@dataclass
class LinuxPort:
    """One port of a bridge with ``vlan_filtering 1``, as the kernel treats it."""

    up: bool = True
    vlans: dict[int, bool] = field(default_factory=lambda: {1: True})
    """VLAN id -> whether it is the PVID, untagged on egress."""

    def run(self, line: str) -> None:
        """Carry out one command; fail on an unknown one."""
        if line in ("ip link set dev p1 up", "ip link set dev p1 down"):
            self.up = line.endswith("up")
            return
        found = re.fullmatch(
            r"bridge vlan (add|del) dev p1 vid (\d+)(?:-(\d+))?( pvid untagged)?", line
        )
        assert found, line
        first, last = int(found[2]), int(found[3] or found[2])
        assert 1 <= first <= last <= 4094
        for vlan in range(first, last + 1):
            if found[1] == "del":
                self.vlans.pop(vlan, None)
                continue
            if found[4]:  # a port has one PVID: the previous one stays as a tagged VLAN
                self.vlans = dict.fromkeys(self.vlans, False)
            self.vlans[vlan] = bool(found[4])

    def carried(self) -> set[int]:
        return set(self.vlans) if self.up else set()

    def shown(self) -> list[str]:
        """Return the output of ``bridge -json -compressvlans vlan show`` and ``ip -json link``."""
        entries: list[dict[str, Any]] = []
        for part in vlan_ranges([v for v, pvid in self.vlans.items() if not pvid]).split(","):
            if part:
                first, _, last = part.partition("-")
                entry = {"vlan": int(first), "flags": []}
                entries.append(entry | ({"vlanEnd": int(last)} if last else {}))
        entries += [
            {"vlan": vlan, "flags": ["PVID", "Egress Untagged"]}
            for vlan, pvid in self.vlans.items()
            if pvid
        ]
        flags = ["BROADCAST", "MULTICAST", *(["UP", "LOWER_UP"] if self.up else [])]
        return [
            json.dumps([{"ifname": "p1", "vlans": entries}] if entries else []),
            json.dumps([{"ifname": "lo", "flags": ["UP"]}, {"ifname": "p1", "flags": flags}]),
        ]


@law(150)
@given(st.lists(CONFIGS, min_size=1, max_size=4), st.booleans())
def test_no_line_opens_a_foreign_vlan_on_a_linux_bridge(wanted: list[PortConfig], up: bool) -> None:
    dialect = DIALECTS["linux_bridge"]
    port = LinuxPort(up=up)
    for config in wanted:
        before = port.carried()
        for line in lines(dialect, SetPort("p1", config)):
            port.run(line)
            assert port.carried() <= before | config.vlans, line
        assert port.carried() == config.vlans
        assert dialect.reader.parse_ports(port.shown(), {})["p1"].carries == config


@law(150)
@given(st.lists(CONFIGS, min_size=1, max_size=4), st.integers(0, 7), st.booleans())
def test_whichever_line_a_linux_bridge_ignores_no_port_is_on_a_foreign_vlan(
    wanted: list[PortConfig], ignored: int, up: bool
) -> None:
    port = LinuxPort(up=up)
    for config in wanted:
        refused = asyncio.run(Ignoring("linux_bridge", port, config, ignored).apply())
        if refused and not up:
            assert "HaaS did not open it: p1 reads back as" in str(refused["p1"])


def test_commands_run_as_root_if_the_login_is_not_root() -> None:
    dialect = DIALECTS["linux_bridge"]
    sent = lines(dialect, SetPort("p1", PARKED), sudo=True)
    assert sent
    assert all(line.startswith("sudo -n ") for line in sent)
    assert "p9" not in dialect.reader.parse_ports(LinuxPort().shown(), {})


@pytest.mark.parametrize("name", ["linux_bridge", "openvswitch"])
def test_vlans_are_neither_created_nor_read_where_ports_bring_them_into_being(name: str) -> None:
    dialect = DIALECTS[name]
    assert lines(dialect, SetVlan(100, True)) == dialect.reader.read_vlans({}) == []
    assert dialect.reader.parse_vlans([]) == frozenset()


def test_a_command_failed_if_its_exit_status_is_not_0() -> None:
    dialect = DIALECTS["linux_bridge"]
    prompt = dialect.dialogue.own_prompt("haas-0#")
    for text, error in (
        ("haas-0# ", None),
        ("RTNETLINK answers: Operation not permitted\r\nhaas-2# ",
         "RTNETLINK answers: Operation not permitted"),
        ("haas-127# ", "it exited with status 127"),
    ):  # fmt: skip
        match = prompt.search(text)
        assert match
        assert dialect.dialogue.error_in(text[: match.start()], match) == error


# --- what both have in common ---------------------------------------------------------------------


@given(st.frozensets(st.integers(1, 4094), min_size=1, max_size=40))
def test_vlan_lists_are_read_as_they_are_written(some: frozenset[int]) -> None:
    assert parse_vlan_ranges(vlan_ranges(some)) == tuple(sorted(some))


@pytest.mark.parametrize("text", ["", "a", "1-", "5-1", "0", "4095", "1,,2", "-3", "1 2"])
def test_a_malformed_vlan_list_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        parse_vlan_ranges(text)


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_no_line_of_a_dialect_contains_a_line_break(name: str) -> None:
    dialect = DIALECTS[name]
    for config in (PARKED, PortConfig(100), PortConfig(100, (101, 102))):
        for line in lines(dialect, SetPort("p1", config)):
            assert line.isprintable()
            assert line == line.strip()


def test_what_the_whole_configuration_says_is_looked_up_once_for_all_ports() -> None:
    """Each look goes through the whole text: one for each of a thousand ports would take long."""
    looks: list[str] = []

    def fresh(config: str) -> Switchport:
        looks.append(config)
        return Switchport("access")

    config = "".join(f"interface Ethernet{at}\n frobnicate {at}\n!\n" for at in range(1, 100))
    found = Interfaces(types=("Ethernet",), fresh=fresh).read([config], {})
    assert {port: state.not_understood for port, state in found.items()} == {
        f"Ethernet{at}": f"frobnicate {at}" for at in range(1, 100)
    }
    assert len(looks) == 1
