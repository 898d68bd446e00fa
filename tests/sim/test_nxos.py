"""The simulated Nexus as its clients see it. All texts are those of NX-OS."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.sim.cli import Carried, format_list
from haas_rpcd.sim.nxos import NxosSwitch

from .console import connected, logged_in

ET1, ET2, ET3, ET4 = NxosSwitch.port_names(4)


def nexus(**options: object) -> NxosSwitch:
    settings: dict[str, object] = {"ports": NxosSwitch.port_names(4)}
    settings |= {"username": "haas", "password": "pw"} | options
    return NxosSwitch("sw1", **settings)  # type: ignore[arg-type]


async def test_a_login_lands_in_the_privileged_mode() -> None:
    async with nexus() as switch, connected(switch) as console:
        assert "User Access Verification" in await console.until("sw1 login: $")
        console.send("haas\rno\r")
        assert "Login incorrect" in await console.until("incorrect\n\nsw1 login: $")
        console.send("haas\rpw\r")
        assert "Cisco NX-OS Software" in await console.until(r"\nsw1# $")


async def test_modes_and_their_prompts() -> None:
    async with nexus() as switch, logged_in(switch) as console:
        console.send("conf\rint e1/1-2, e1/4\rvlan 7\rint eth 1/2\rshow vlan\rexit\rend\r")
        said = await console.until(r"# end\nsw1# $")
        assert re.findall(r"^(sw1\S*)# ", said, re.MULTILINE) == [
            "sw1(config)", "sw1(config-if-range)", "sw1(config-vlan)", "sw1(config-if)",
            "sw1(config-if)", "sw1(config)", "sw1",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("switchport mode tunk", "% Invalid command at '^' marker."),
        ("switchport access vlan", "% Incomplete command at '^' marker."),
        ("switchport access vlan 5000", "% Invalid number, range is (1:4094) at '^' marker."),
        ("interface e1/9", "Invalid interface format at '^' marker."),
        ("interface e1/1-9", "Invalid range at '^' marker."),
        ("vlan 3968", "invalid vlan (reserved value) at '^' marker."),
        ("s", "% Ambiguous command at '^' marker."),
        ("interface range e1/1-2", "Invalid interface format at '^' marker."),
    ],
)
async def test_refusals(line: str, said: str) -> None:
    async with nexus() as switch, logged_in(switch, "conf t", "int e1/1") as console:
        marker, text = await console.run(line)
        assert text == said
        assert re.fullmatch(" +\\^", marker)


async def test_a_vlan_is_created_when_its_mode_is_left() -> None:
    async with nexus() as switch, logged_in(switch, "conf t", "int e1/1") as console:
        await console.run_all("switchport access vlan 100", "vlan 100", "name blue")
        assert switch.carried(ET1) == Carried()
        await console.run("exit")
        assert switch.carried(ET1) == Carried(100)
        assert switch.running.vlans[100] == "blue"
        await console.run_all("vlan 101", "vlan 102", "int e1/2")
        assert sorted(switch.running.vlans) == [1, 100, 101, 102]
        assert await console.run("no vlan 1") == [
            "ERROR: Operation not permitted on the default VLAN"
        ]


async def test_a_routed_port_carries_nothing_and_refuses_vlans() -> None:
    async with nexus(switched=False) as switch, logged_in(switch, "conf t", "int e1/1") as console:
        assert switch.carried(ET1) == Carried()
        assert await console.run("switchport access vlan 100") == [
            f"ERROR: {ET1}: requested config not allowed"
        ]
        await console.run_all("no shutdown", "switchport")
        assert switch.carried(ET1) == Carried(1)
        shown = await console.run("show running-config interface e1/1")
        assert shown[shown.index(f"interface {ET1}") + 1 :] == ["  switchport", ""]


async def test_trunks_carry_their_allowed_vlans() -> None:
    lines = ("conf t", "vlan 100-101", "int e1/1", "switchport mode trunk")
    async with nexus() as switch, logged_in(switch, *lines) as console:
        assert switch.carried(ET1) == Carried(1, frozenset({100, 101}))
        for line, allowed in {
            "none": "none", "add 5,7-8": "5,7-8", "remove 7": "5,8", "except 1-4090": "4091-4094",
            "all": "1-4094",
        }.items():  # fmt: skip
            assert await console.run(f"switchport trunk allowed vlan {line}") == []
            assert format_list(switch.running.ports[ET1].allowed, pairs=False) == allowed


async def test_the_configuration_can_include_defaults_and_be_filtered() -> None:
    async with nexus() as switch, logged_in(switch, "terminal length 0") as console:
        shown = await console.run(
            'show running-config interface e1/1 all | include "interface|shutdown|switchport"'
        )
        assert shown == [
            f"!Command: show running-config interface {ET1} all",
            f"interface {ET1}",
            "  switchport",
            "  switchport mode access",
            "  no switchport monitor",
            "  no switchport dot1q ethertype",
            "  switchport access vlan 1",
            "  switchport trunk native vlan 1",
            "  switchport trunk allowed vlan 1-4094",
            "  no shutdown",
        ]
        assert f"interface {ET2}" in await console.run("show running-config")


async def test_only_the_saved_configuration_survives_a_reload() -> None:
    async with nexus() as switch, logged_in(switch, "conf t", "int e1/1", "shut") as console:
        assert (await console.run("copy running-config startup-config"))[-1] == "Copy complete."
        await console.run_all("int e1/2", "shut", "end")
        console.send("reload\r")
        assert "unsaved configuration" in await console.until(r"\[n\] $")
        console.send("y\r")
        await console.hung_up()
        assert [switch.is_shut(port) for port in (ET1, ET2)] == [True, False]


async def test_a_telephones_vlan_is_tagged_until_it_is_removed() -> None:
    with_vlans = ("conf t", "vlan 100,200", "int e1/1")
    async with nexus() as switch, logged_in(switch, *with_vlans) as console:
        await console.run_all("switchport access vlan 100", "switchport voice vlan 200")
        assert switch.carried(ET1) == Carried(100, frozenset({200}))
        assert "  switchport voice vlan 200" in await console.run("show run int e1/1")
        await console.run("no switchport voice vlan")
        assert switch.carried(ET1) == Carried(100)
