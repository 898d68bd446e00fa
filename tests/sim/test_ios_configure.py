"""Configuration of the simulated Catalyst. All texts are those of IOS."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.sim.ios import gigabit
from haas_rpcd.sim.ios.vlanlist import format_list

from .catalyst import GI1, GI2, GI3, GI4, INVALID, PROMPT, catalyst, logged_in

# --- configuring


async def test_modes_and_their_prompts() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send("conf t\rint gi1/0/1\rvlan 7\rint range gi1/0/1 - 2\rexit\rexit\r")
        said = await console.until("exit" + PROMPT.pattern)
        assert re.findall(r"^(sw1\S*[#>])", said, re.MULTILINE) == [
            "sw1(config)#",
            "sw1(config-if)#",
            "sw1(config-vlan)#",
            "sw1(config-if-range)#",
            "sw1(config)#",
            "sw1#",
        ]
        console.send("conf t\rhostname edge-9\rint gi1/0/1\rshutdown\x1a")  # Ctrl-Z
        assert (await console.until(r"\^Z\n.*#$")).endswith("edge-9(config-if)#shutdown^Z\nedge-9#")
        assert switch.running.ports[GI1].shutdown


async def test_ctrl_c_drops_the_line_and_leaves_configuration() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send("conf t\rint gi1/0/1\rshutdown\x03")
        assert (await console.until(r"\^C\nsw1#$")).endswith("sw1#")
        assert not switch.running.ports[GI1].shutdown


@pytest.mark.parametrize(
    "name", [GI2, "gi1/0/2", "gi 1/0/2", "g1/0/2", "GIGA 1/0/2", "gigabitethernet   1/0/2"]
)
async def test_all_spellings_of_an_interface_are_accepted(name: str) -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(f"int {name}", "shut")
        assert [port for port in gigabit(4) if switch.running.ports[port].shutdown] == [GI2]


async def test_an_unknown_interface_leaves_the_previous_one_selected() -> None:
    # So a client that ignores the refusal configures the wrong port.
    async with catalyst() as switch, logged_in(switch) as console:
        printed = await console.configure("interface gi1/0/1", "interface gi1/0/99", "shutdown")
        assert INVALID in printed
        assert switch.running.ports[GI1].shutdown


@pytest.mark.parametrize(
    ("spec", "ports"),
    [
        ("gi1/0/1 - 3", [GI1, GI2, GI3]),
        ("gi1/0/1 -3", [GI1, GI2, GI3]),
        ("gi1/0/1 , gi1/0/3 - 4", [GI1, GI3, GI4]),
        ("gi 1/0/1 - 2 ,gi1/0/2 , gi1/0/4", [GI1, GI2, GI4]),
        ("gi1/0/1-3", []),  # the manual wants a blank before the hyphen
        ("gi1/0/1, gi1/0/3", []),  # and before the comma
        ("gi1/0/3 - 1", []),
        ("gi1/0/1 - 5", []),
        (" , ".join(["g1/0/1"] * 5), [GI1]),
        (" , ".join(["g1/0/1"] * 6), []),  # five parts at most
    ],
)
async def test_ranges(spec: str, ports: list[str]) -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        printed = await console.configure(f"int range {spec}", "shutdown")
        assert [name for name, port in switch.running.ports.items() if port.shutdown] == ports
        assert (INVALID in printed) == (not ports)


async def test_a_range_stops_at_the_first_port_that_refuses() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        printed = await console.configure(
            f"interface {GI1}",
            "switchport mode access",
            "interface range gi1/0/1 - 3",
            "switchport nonegotiate",
        )
        assert printed == [
            "Command rejected: Conflict between 'nonegotiate' and 'dynamic' status on this "
            "interface: Gi1/0/2",
            f"% Range command terminated because it failed on {GI2}",
        ]
        assert [port.nonegotiate for port in switch.running.ports.values()] == [True] + [False] * 3


async def test_a_vlan_is_created_when_its_mode_is_left() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.run("conf t")
        await console.run("vlan 100")
        await console.run("name blue")
        assert 100 not in switch.running.vlans
        assert await console.run("do show vlan id 100") == [
            "VLAN id 100 not found in current VLAN database"
        ]
        await console.run(f"interface {GI1}")  # a global command leaves the mode too
        assert switch.running.vlans[100] == "blue"


async def test_reserved_vlans_can_t_be_created_or_deleted() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        assert await console.configure("no vlan 1", "no vlan 1002") == [
            "%Default VLAN 1 may not be deleted.",
            "%Default VLAN 1002 may not be deleted.",
        ]
        assert await console.configure("vlan 5000") == [
            "Command rejected: Bad VLAN list - character #5 (EOL) delimits a VLAN",
            "number which is out of the range 1..4094.",
        ]
        assert await console.configure("vlan 1", "name mine") == [
            "Default VLAN 1 may not have its name changed."
        ]
        assert await console.configure("vlan 10", "name a", "vlan 11", "name a") == [
            "VLAN #11 and #10 have an identical name: a"
        ]
        assert sorted(switch.running.vlans) == [1, 10, 1002, 1003, 1004, 1005]


async def test_a_list_of_vlans_is_created_or_deleted_by_one_line() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        assert await console.configure("vlan 10,20-22", "no vlan 21") == []
        assert set(switch.running.vlans) - {1, 1002, 1003, 1004, 1005} == {10, 20, 22}
        assert switch.running.vlans[20] == "VLAN0020"


async def test_a_vtp_server_refuses_extended_vlans_and_keeps_the_others_after_a_reload() -> None:
    async with catalyst(vtp_mode="server") as switch:
        async with logged_in(switch) as console:
            assert await console.configure("vlan 2000", "exit") == [
                "% Failed to create VLANs 2000",
                "Extended VLAN(s) not allowed in current VTP mode.",
                "%Failed to commit extended VLAN(s) changes.",
            ]
            await console.configure("vlan 100", "exit")
            assert "vlan 100" not in await console.run("show running-config")
        switch.reload()
        assert 100 in switch.running.vlans


async def test_an_unknown_access_vlan_is_created() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        assert await console.configure("int range gi1/0/1 - 2", "switchport access vlan 30") == [
            "% Access VLAN does not exist. Creating vlan 30"
        ]
        assert switch.running.vlans[30] == "VLAN0030"


@pytest.mark.parametrize(
    ("lines", "allowed"),
    [
        (["10,20-22"], "10,20-22"),
        (["none"], "none"),
        (["none", "add 5", "add 7-8"], "5,7,8"),
        (["remove 1-4000"], "4001-4094"),
        (["except 1-4090"], "4091-4094"),
        (["10", "all"], "1-4094"),
        (["10", "add x"], "10"),
        (["10", "11-10"], "10"),
    ],
)
async def test_allowed_vlans(lines: list[str], allowed: str) -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(
            f"interface {GI1}", *(f"switchport trunk allowed vlan {line}" for line in lines)
        )
        assert format_list(switch.running.ports[GI1].allowed) == allowed
        await console.configure(f"interface {GI1}", "no switchport trunk allowed vlan")
        assert format_list(switch.running.ports[GI1].allowed) == "1-4094"


async def test_a_model_with_isl_needs_an_encapsulation_before_trunk_mode() -> None:
    async with catalyst(model="WS-C3560X-24T-S") as switch, logged_in(switch) as console:
        rejected = (
            'Command rejected: An interface whose trunk encapsulation is "Auto" can not be '
            'configured to "trunk" mode.'
        )
        assert await console.configure(f"int {GI1}", "switchport mode trunk") == [rejected]
        assert switch.running.ports[GI1].mode == "dynamic auto"
        lines = ["switchport trunk encapsulation dot1q", "switchport mode trunk"]
        assert await console.configure(f"int {GI1}", *lines) == []
        assert await console.run("show running-config interface gi1/0/1 | include switchport") == [
            f" {line}" for line in lines
        ]
    async with catalyst() as switch, logged_in(switch) as console:
        assert INVALID in await console.configure(f"int {GI1}", lines[0])
        assert await console.configure(f"int {GI1}", lines[1]) == []


async def test_nonegotiate_and_dynamic_exclude_each_other() -> None:
    conflict = (
        "Command rejected: Conflict between 'nonegotiate' and 'dynamic' status on this "
        "interface: Gi1/0/1"
    )
    async with catalyst() as switch, logged_in(switch) as console:
        assert await console.configure(f"int {GI1}", "switchport nonegotiate") == [conflict]
        assert await console.configure(
            f"int {GI1}", "sw mo trunk", "sw nonegotiate", "no switchport mode"
        ) == [conflict]
        assert switch.running.ports[GI1].mode == "trunk"


async def test_portfast_prints_a_warning() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        printed = await console.configure(f"int {GI1}", "spanning-tree portfast")
        assert printed[0].startswith("%Warning: portfast should only be enabled on ports")
        assert f"%Portfast has been configured on {GI1} but will only" in printed
        printed = await console.configure("int range gi1/0/1 - 4", "spanning-tree portfast")
        assert sum(text.startswith("%Warning") for text in printed) == 1
        assert await console.configure(f"int {GI1}", "no spanning-tree portfast") == []


async def test_a_description_may_contain_any_text() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(f"int {GI1}", "description  node-1 | nic eth0 ! 100%")
        assert switch.running.ports[GI1].description == "node-1 | nic eth0 ! 100%"
        await console.configure(f"int {GI1}", "no description")
        assert switch.running.ports[GI1].description == ""


async def test_a_routed_port_carries_nothing_and_refuses_vlans() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure("vlan 100", "exit", "int gi1/0/1", "switchport access vlan 100")
        assert switch.carried(GI1).untagged == 100
        refused = "Command rejected: Gi1/0/1 is not a switching port."
        printed = await console.configure(
            "int gi1/0/1", "no switchport", "switchport access vlan 1"
        )
        assert refused in printed
        assert switch.carried(GI1).untagged is None
        assert " no switchport" in await console.run("show running-config interface gi1/0/1")
        await console.configure("int gi1/0/1", "switchport")
        assert switch.carried(GI1).untagged == 100
