"""The simulated Dell S4810 as its clients see it. Texts are those of OS9 where known."""

from __future__ import annotations

import pytest

from haas_rpcd.sim.cli import NOTHING, Carried
from haas_rpcd.sim.os9 import Os9Switch

from .console import connected, logged_in

TE0, TE1, TE2, TE3 = Os9Switch.port_names(4)
LAYER_2 = ("interface te 0/1", "switchport", "no shutdown")


def force10(**options: object) -> Os9Switch:
    settings: dict[str, object] = {"ports": Os9Switch.port_names(4)}
    settings |= {"username": "haas", "password": "pw"} | options
    return Os9Switch("sw1", **settings)  # type: ignore[arg-type]


async def test_login_and_enable() -> None:
    async with force10(enable="e") as switch, connected(switch) as console:
        await console.until("Login: $")
        console.send("haas\rno\r")
        await console.until("% Error: Access denied.\n\nLogin: $")
        console.send("haas\rpw\r")
        assert (await console.until(r"\n\S+>$")).endswith("sw1>")
        console.send("enable\re\r")
        assert (await console.until(r"\n\S+#$")).endswith("sw1#")


async def test_refusals_mark_the_place() -> None:
    async with force10() as switch, logged_in(switch) as console:
        await console.run("configure")
        assert await console.run("interface te0/12345") == [
            "                        ^",
            '% Error: Value out of range at "^" marker.',
        ]
        assert (await console.run("no switchport"))[1] == '% Error: Invalid input at "^" marker.'


async def test_a_new_port_routes_and_as_a_switchport_is_on_vlan_1() -> None:
    async with force10() as switch, logged_in(switch) as console:
        assert {switch.carried(name) for name in switch.port_list} == {NOTHING}
        assert await console.run_all("conf", "interface te 0/1", "no shutdown") == []
        assert switch.carried(TE1) == NOTHING
        await console.run("switchport")
        assert switch.carried(TE1) == Carried(1)


async def test_layer_2_mode_can_be_left_only_without_vlans() -> None:
    async with force10() as switch, logged_in(switch) as console:
        await console.run_all("conf", *LAYER_2, "interface vlan 10", "untagged te0/1")
        assert switch.carried(TE1) == Carried(10)
        await console.run("interface te0/1")
        assert await console.run("no switchport") == [
            "% Error: Te 0/1 Port is part of a non-default VLAN."
        ]
        assert await console.run("portmode hybrid") == ["% Error: Port is in Layer-2 mode Te 0/1."]
        await console.run_all("interface vlan 10", "no untagged te0/1", "interface te0/1")
        assert switch.carried(TE1) == Carried(1)
        assert await console.run("no switchport") == []
        assert switch.carried(TE1) == NOTHING


@pytest.mark.parametrize("hybrid", [False, True])
async def test_only_a_hybrid_port_is_both_tagged_and_untagged(hybrid: bool) -> None:
    async with force10() as switch, logged_in(switch) as console:
        first, *rest = LAYER_2
        mode = ["portmode hybrid"] if hybrid else []
        await console.run_all("conf", first, *mode, *rest, "interface vlan 10", "tagged te0/1")
        assert switch.carried(TE1) == Carried(1 if hybrid else None, frozenset({10}))
        refused = await console.run_all("interface vlan 11", "untagged te0/1")
        assert bool(refused) is not hybrid
        assert switch.carried(TE1) == Carried(11 if hybrid else None, frozenset({10}))


async def test_a_port_is_untagged_on_one_vlan_only() -> None:
    async with force10() as switch, logged_in(switch) as console:
        await console.run_all("conf", *LAYER_2, "interface vlan 10", "untagged te0/1")
        [refused] = await console.run_all("interface vlan 11", "untagged te0/1")
        assert refused.startswith("% Error: Te 0/1 ")
        assert switch.carried(TE1) == Carried(10)
        assert await console.run_all("interface vlan 12", "untagged te0/2") != []


@pytest.mark.parametrize(
    ("spec", "ports"),
    [
        ("te0/0-2", [TE0, TE1, TE2]),
        ("tengigabitethernet 0/0 , tengigabitethernet 0/3", [TE0, TE3]),
        ("Te0/0,2,3", [TE0, TE2, TE3]),
        ("te 0/0 - 1 , te 0/3", [TE0, TE1, TE3]),
        ("te0/2-9", []),
        ("te0/2-1", []),
    ],
)
async def test_ranges(spec: str, ports: list[str]) -> None:
    async with force10() as switch, logged_in(switch) as console:
        await console.run_all("conf", f"interface range {spec}", "no shutdown")
        assert [name for name in switch.port_list if not switch.is_shut(name)] == ports


async def test_show_commands() -> None:
    async with force10() as switch, logged_in(switch, "terminal length 0") as console:
        await console.run_all("conf", *LAYER_2, "interface vlan 10", "name blue", "untagged te0/1")
        assert await console.run("show config") == [
            "!",
            "interface Vlan 10",
            " name blue",
            " no ip address",
            " untagged TenGigabitEthernet 0/1",
            " shutdown",
        ]
        await console.run("end")
        table = await console.run("show vlan")
        assert f"    10     Active    {'':31} U Te 0/1" in table
        assert "*   1      Inactive" in table


async def test_saving_asks_for_confirmation_and_a_reload_loses_unsaved_changes() -> None:
    async with force10() as switch, logged_in(switch) as console:
        await console.run_all("conf", "interface vlan 10", "end")
        console.send("copy running-config startup-config\r")
        await console.until(r"already exist.\nProceed to copy the file \[confirm yes/no\]: $")
        console.send("yes\r")
        assert "bytes successfully copied" in await console.until("sw1#$")
        await console.run_all("conf", "interface vlan 11", "end")
        console.send("reload\rno\ryes\r")
        await console.hung_up()
        assert sorted(switch.running.vlans) == [1, 10]


async def test_one_user_can_lock_the_configuration() -> None:
    async with force10() as switch, logged_in(switch) as console:
        switch.locked_by = "admin"
        [refused] = await console.run("configure")
        assert refused.endswith("is in exclusive configuration mode.")
