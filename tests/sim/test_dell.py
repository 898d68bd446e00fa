"""The simulated PowerConnect and N-Series switches as their clients see them."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.os6 import Os6Switch
from haas_rpcd.sim.powerconnect import PowerConnectSwitch

from .console import connected, logged_in

GI1, GI2 = "gigabitethernet1/0/1", "gigabitethernet1/0/2"
WRONG = "% Wrong number of parameters or invalid range, size or characters entered"


def powerconnect(**options: object) -> PowerConnectSwitch:
    settings: dict[str, object] = {"ports": PowerConnectSwitch.port_names(4)}
    settings |= {"username": "haas", "password": "pw"} | options
    return PowerConnectSwitch("sw1", **settings)  # type: ignore[arg-type]


def n2048(**options: object) -> Os6Switch:
    settings: dict[str, object] = {"ports": Os6Switch.port_names(4)}
    settings |= {"username": "haas", "password": "pw"} | options
    return Os6Switch("sw1", **settings)  # type: ignore[arg-type]


async def test_modes_and_refusals_of_powerconnect() -> None:
    async with powerconnect() as switch, logged_in(switch) as console:
        assert await console.run("frob") == ["% Unrecognized command"]
        assert await console.run("show") == ["% Incomplete command"]
        console.send(
            "conf\rvlan database\rvlan 100-101\rexit\rint range gi1/0/1-2\rint gi1/0/1\rend\r"
        )
        said = await console.until(r"#end\nsw1#$")
        assert re.findall(r"^(sw1\S*#)", said, re.MULTILINE) == [
            "sw1(config)#",
            "sw1(config-vlan)#",
            "sw1(config-vlan)#",
            "sw1(config)#",
            "sw1(config-if-range)#",
            "sw1(config-if)#",
            "sw1#",
        ]
        await console.run_all("conf", "int gi1/0/1")
        assert await console.run("switchport access vlan 5000") == [WRONG]
        assert await console.run("switchport access vlan 999") == ["VLAN was not created by user."]
        assert await console.run("switchport trunk allowed vlan 100") == [WRONG]
        assert await console.run_all("exit", "int gi1/0/9") == [WRONG]


async def test_a_powerconnect_port_can_be_on_no_vlan_and_a_new_trunk_carries_all() -> None:
    async with powerconnect() as switch, logged_in(switch, "terminal datadump") as console:
        await console.run_all("conf", "vlan database", "vlan 100-101", "exit", "int gi1/0/1")
        assert await console.run_all("switchport access vlan none") == []
        assert switch.carried(GI1) == Carried()
        await console.run("switchport mode trunk")
        assert switch.carried(GI1) == Carried(1, frozenset({100, 101}))
        await console.run_all("switchport trunk native vlan none", "end")
        await console.run_all("conf", "int gi1/0/1", "switchport trunk allowed vlan remove 1,101")
        assert switch.carried(GI1) == Carried(None, frozenset({100}))
        shown = await console.run("do show running-config interface gi1/0/1")
        assert shown == [
            f"interface {GI1}",
            " switchport mode trunk",
            " switchport access vlan none",
            " switchport trunk native vlan none",
            " switchport trunk allowed vlan remove 1,101",
        ]


@pytest.mark.parametrize(("key", "kept"), [("Y", True), ("n", False)])
async def test_powerconnect_asks_before_saving(key: str, kept: bool) -> None:
    async with powerconnect() as switch, logged_in(switch) as console:
        await console.run_all("conf", "int gi1/0/1", "shutdown", "end")
        console.send("copy running-config startup-config\r")
        await console.until(r"\(Y/N\)\[N\] \?$")
        console.send(key)
        assert ("Copy succeeded" in await console.until(r"sw1#$")) == kept
        switch.reload()
        assert switch.is_shut(GI1) == kept


async def test_modes_and_refusals_of_os6() -> None:
    async with n2048() as switch, logged_in(switch) as console:
        assert await console.run("shizzle") == [
            "      ^", "% Invalid input detected at '^' marker.", ""
        ]  # fmt: skip
        gone = ["", "Command not found / Incomplete command. Use ? to list commands.", ""]
        assert await console.run("show") == gone
        console.send("conf\rvlan 100\rexit\rint gi1/0/1\rexit\rint range gi1/0/1-2\rend\r")
        said = await console.until(r"#end\n\nsw1#$")
        assert re.findall(r"^(sw1\S*#)", said, re.MULTILINE) == [
            "sw1(config)#",
            "sw1(config-vlan100)#",
            "sw1(config)#",
            "sw1(config-if-Gi1/0/1)#",
            "sw1(config)#",
            "sw1(config-if)#",
            "sw1#",
        ]
        await console.run("conf")
        missing = ["", "An invalid interface has been used for this function", ""]
        assert await console.run("interface gi1/0/99") == missing
        assert await console.run("no vlan 999") == ["", "These VLANs do not exist:  999.", ""]
        await console.run("int gi1/0/1")
        assert await console.run("switchport access vlan 999") == ["", "", "VLAN ID not found.", ""]


async def test_os6_needs_the_native_vlan_on_the_list_and_falls_back_to_vlan_1() -> None:
    async with n2048() as switch, logged_in(switch, "terminal length 0") as console:
        await console.run_all("conf", "vlan 100-101", "exit", "int gi1/0/1")
        await console.run_all("switchport mode trunk", "switchport trunk allowed vlan 100")
        assert switch.carried(GI1) == Carried(None, frozenset({100}))
        assert await console.run("switchport trunk native vlan 101") != [""]
        await console.run("switchport trunk native vlan 100")
        assert switch.carried(GI1) == Carried(100)
        await console.run_all("exit", "int gi1/0/2", "switchport access vlan 101", "exit")
        await console.run("no vlan 101")
        assert switch.carried(GI2) == Carried(1)
        lines = await console.run("show running-config")
        at = lines.index("interface Gi1/0/1")
        assert lines[at + 1 : at + 5] == [
            "switchport mode trunk",
            "switchport trunk native vlan 100",
            "switchport trunk allowed vlan 100",
            "exit",
        ]
        assert "interface Gi1/0/2" not in lines


@pytest.mark.parametrize(("key", "said"), [("y", "Saved!"), ("n", "Not Saved!")])
async def test_os6_asks_before_saving(key: str, said: str) -> None:
    async with n2048(enable="e") as switch, connected(switch) as console:
        console.send("haas\rpw\renable\rno\renable\re\r")
        assert "Incorrect Password!" in await console.until(r"sw1#$")
        console.send("write memory\r")
        await console.until(r"want to save\? \(y/n\) $")
        console.send(key)
        assert f"\nConfiguration {said}\n" in await console.until(r"sw1#$")
        assert switch.counters.saves == (key == "y")
