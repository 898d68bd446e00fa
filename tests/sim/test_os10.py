"""The simulated PowerSwitch as its clients see it. All texts are those of OS10."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.sim.cli import NOTHING, Carried
from haas_rpcd.sim.os10 import Os10Switch

from .console import connected, logged_in

E1, E2, E3, E4 = Os10Switch.port_names(4)


def powerswitch(**options: object) -> Os10Switch:
    settings: dict[str, object] = {"ports": Os10Switch.port_names(4)}
    settings |= {"username": "haas", "password": "pw"} | options
    return Os10Switch("sw1", **settings)  # type: ignore[arg-type]


async def test_login_has_the_dialogue_of_linux() -> None:
    async with powerswitch() as switch, connected(switch) as console:
        await console.until("sw1 login: $")
        console.send("haas\rno\r")
        assert "Login incorrect" in await console.until("incorrect\nsw1 login: $")
        console.send("haas\rpw\r")
        assert "Dell EMC Networking Operating System" in await console.until(r"\nsw1# $")


async def test_modes_and_their_prompts() -> None:
    async with powerswitch() as switch, logged_in(switch) as console:
        console.send(
            "configure terminal\rinterface range ethernet1/1/1-1/1/2,1/1/4\rinterface vlan 7\r"
            "interface ethernet 1/1/2\rdo show vlan\rexit\rend\r"
        )
        said = await console.until(r"# end\nsw1# $")
        assert re.findall(r"^(sw1\S*)# ", said, re.MULTILINE) == [
            "sw1(config)", "sw1(conf-range-eth1/1/1-1/1/2,1/1/4)", "sw1(conf-if-vl-7)",
            "sw1(conf-if-eth1/1/2)", "sw1(conf-if-eth1/1/2)", "sw1(config)", "sw1",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("swichport", "% Error: Unrecognized command."),
        ("show vlan", "% Error: Unrecognized command."),
        ("switchport mode tunk", "% Error: Illegal parameter."),
        ("switchport access vlan 5000", "% Error: Illegal parameter."),
        ("interface ethernet1/1/9", "% Error: Illegal parameter."),
        ("interface range ethernet1/1/1-9", "% Error: Illegal parameter."),
        ("switchport access vlan", "% Error: Incomplete command."),
        ("switchport trunk allowed vlan 7", "% Error: Interface is not in trunk mode."),
        ("switchport access vlan 100", "% Error: VLAN does not exist."),
        ("no interface vlan 1", "% Error: Default VLAN cannot be deleted."),
    ],
)
async def test_refusals(line: str, said: str) -> None:
    lines = ("configure terminal", "interface ethernet1/1/1")
    async with powerswitch() as switch, logged_in(switch, *lines) as console:
        assert await console.run(line) == [said]


async def test_a_trunk_keeps_its_access_vlan_and_allowed_vlans_are_added() -> None:
    lines = ("configure terminal", "interface vlan 100", "interface vlan 101", "interface vlan 102",
             "interface ethernet1/1/1", "switchport mode trunk")  # fmt: skip
    async with powerswitch() as switch, logged_in(switch, *lines) as console:
        assert switch.carried(E1) == Carried(1)
        await console.run_all(
            "switchport trunk allowed vlan 100", "switchport trunk allowed vlan 101-102"
        )
        assert switch.carried(E1) == Carried(1, frozenset({100, 101, 102}))
        assert await console.run("switchport access vlan 101") == [
            "% Error: Interface cannot be an access and trunk member of the same VLAN."
        ]
        await console.run_all(
            "no switchport trunk allowed vlan 100-101", "no switchport access vlan"
        )
        assert switch.carried(E1) == Carried(None, frozenset({102}))
        shown = await console.run("do show running-configuration interface ethernet1/1/1")
        assert shown[1:-1] == [
            f"interface {E1}",
            " no shutdown",
            " switchport mode trunk",
            " switchport trunk allowed vlan 102",
        ]
        await console.run("switchport mode access")
        assert switch.carried(E1) == Carried(1)


async def test_no_switchport_deletes_all_vlans_of_a_port() -> None:
    lines = ("configure terminal", "interface vlan 100", "interface ethernet1/1/1",
             "switchport access vlan 100", "no switchport")  # fmt: skip
    async with powerswitch() as switch, logged_in(switch, *lines) as console:
        assert switch.carried(E1) == NOTHING
        assert await console.run("switchport access vlan 100") == [
            "% Error: Interface is in Layer 3 mode."
        ]
        await console.run("switchport mode access")
        assert switch.carried(E1) == Carried(1)


async def test_a_vlan_that_is_removed_vanishes_from_all_ports() -> None:
    lines = ("configure terminal", "interface vlan 100", "interface vlan 101",
             "interface ethernet1/1/1", "switchport access vlan 100", "interface ethernet1/1/2",
             "switchport mode trunk", "switchport trunk allowed vlan 100-101")  # fmt: skip
    async with powerswitch() as switch, logged_in(switch, *lines) as console:
        table = await console.run("do show vlan")
        assert f"    100    Active    {'':<31} T Eth1/1/2" in table
        assert await console.run("no interface vlan 100") == []
        assert switch.carried(E1) == Carried(1)
        assert switch.carried(E2) == Carried(1, frozenset({101}))


async def test_only_the_saved_configuration_survives_a_reload() -> None:
    lines = ("configure terminal", "interface ethernet1/1/1", "shutdown", "end")
    async with powerswitch() as switch, logged_in(switch, *lines) as console:
        assert await console.run("write memory") == []
        await console.run_all(*lines[:1], "interface ethernet1/1/2", *lines[2:])
        console.send("reload\r")
        await console.until(r"Save\? \[yes/no\]:$")
        console.send("no\r")
        await console.until(r"\[confirm yes/no\]:$")
        console.send("yes\r")
        await console.hung_up()
        assert [switch.is_shut(port) for port in (E1, E2)] == [True, False]
