"""What the simulated Catalyst shows, saves and carries."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.sim.cli import Carried

from .catalyst import GI1, GI2, GI3, GI4, catalyst, logged_in

# --- showing


async def test_the_running_configuration_shows_settings_that_are_not_default() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(
            "vlan 100", "name blue", "vlan 200-202",
            f"interface {GI1}",
            "description to node-1", "switchport mode access", "switchport access vlan 100",
            "shutdown",
            f"interface {GI2}",
            "switchport trunk native vlan 100", "switchport trunk allowed vlan 100,200,201",
            "switchport mode trunk",
        )  # fmt: skip
        lines = await console.run("show running-config")
        assert lines[:2] == ["Building configuration...", ""]
        size = re.fullmatch(r"Current configuration : (\d+) bytes", lines[2])
        assert size is not None
        assert int(size[1]) == len("\n".join([*lines[3:], ""]))
        assert lines[lines.index("vlan 100") :][:5] == [
            "vlan 100", " name blue", "!", "vlan 200-202", "!"
        ]  # fmt: skip
        assert lines[lines.index(f"interface {GI1}") :][:14] == [
            f"interface {GI1}",
            " description to node-1",
            " switchport access vlan 100",
            " switchport mode access",
            " shutdown",
            "!",
            f"interface {GI2}",
            " switchport trunk native vlan 100",
            " switchport trunk allowed vlan 100,200,201",
            " switchport mode trunk",
            "!",
            f"interface {GI3}",
            "!",
            f"interface {GI4}",
        ]
        assert lines[-2:] == ["end", ""]


async def test_a_long_list_of_allowed_vlans_is_broken_into_lines() -> None:
    vlans = ",".join(str(vlan) for vlan in range(100, 200, 2))
    async with catalyst() as switch, logged_in(switch) as console:
        await console.run("terminal width 0")
        await console.configure(f"int {GI1}", f"switchport trunk allowed vlan {vlans}")
        shown = await console.run(f"show running-config interface {GI1}")
        pieces = [line.split(" vlan ")[1] for line in shown if " allowed vlan " in line]
        assert len(pieces) > 1
        assert all(piece.startswith("add ") for piece in pieces[1:])
        assert ",".join(piece.removeprefix("add ") for piece in pieces) == vlans


async def test_tables_show_the_state_of_ports() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(
            "vlan 100", f"int {GI1}", "sw mo acc", "sw acc vlan 100",
            f"int {GI2}", "sw mo trunk", "sw trunk allowed vlan 100,300",
            f"int {GI3}", "shutdown",
        )  # fmt: skip
        switch.plug(GI4, plugged=False)
        brief = await console.run("show vlan brief")
        assert "1    default                          active    Gi1/0/3, Gi1/0/4" in brief
        assert "100  VLAN0100                         active    Gi1/0/1" in brief
        status = [line.split()[1:3] for line in await console.run("show interfaces status")][2:]
        assert status == [
            ["connected", "100"], ["connected", "trunk"], ["disabled", "1"], ["notconnect", "1"]
        ]  # fmt: skip
        trunk = await console.run("show interfaces trunk")
        assert [line.split() for line in trunk if line.startswith("Gi")] == [
            ["Gi1/0/2", "on", "802.1q", "trunking", "1"],
            ["Gi1/0/2", "100,300"],
            ["Gi1/0/2", "100"],
            ["Gi1/0/2", "100"],
        ]
        detail = await console.run("show interfaces gi1/0/2 switchport")
        assert detail[0] == "Name: Gi1/0/2"
        assert "Administrative Mode: trunk" in detail
        assert "Trunking VLANs Enabled: 100,300" in detail
        detail = await console.run("show interfaces gi1/0/3 switchport")
        assert "Administrative Mode: dynamic auto" in detail
        assert "Operational Mode: down" in detail
        assert "Trunking VLANs Enabled: ALL" in detail
        assert any("WS-C2960S" in line for line in await console.run("show version"))
        assert any("haas" in line for line in await console.run("show users"))


# --- saving and reloading


@pytest.mark.parametrize("how", ["write memory", "wr", "copy running-config startup-config\r"])
async def test_only_the_saved_configuration_survives_a_reload(how: str) -> None:
    async with catalyst() as switch:
        async with logged_in(switch) as console:
            await console.configure("vlan 100", f"int {GI1}", "shutdown")
            console.send(f"{how}\r")
            assert "Building configuration...\n[OK]\nsw1#" in await console.until(r"\]\nsw1#$")
            await console.configure("vlan 101", f"int {GI1}", "no shutdown")
            console.send("reload\r")
            await console.until(r"Save\? \[yes/no\]: $")
            console.send("no\r")
            await console.until(r"Proceed with reload\? \[confirm\]$")
            console.send("\r")
            await console.hung_up()
        assert switch.running.ports[GI1].shutdown
        assert 100 in switch.running.vlans
        assert 101 not in switch.running.vlans
        assert (switch.counters.saves, switch.counters.reloads) == (1, 1)


async def test_a_copy_to_another_file_does_not_change_the_startup_configuration() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure("vlan 100", "exit")
        console.send("copy run start\ry\r")
        await console.until(r"\[OK\]\nsw1#$")
        assert switch.modified


async def test_an_unconfirmed_reload_does_not_happen() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send("reload\rn")
        await console.until(r"\[confirm\]\nsw1#$")
        assert switch.counters.reloads == 0


# --- what ports carry


async def test_a_new_port_carries_vlan_1_and_a_new_trunk_all_vlans() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        assert switch.carried(GI1) == Carried(1)
        await console.configure("vlan 100,200", f"int {GI1}", "switchport mode trunk")
        assert switch.carried(GI1) == Carried(1, frozenset({100, 200}))


async def test_ports_carry_only_vlans_that_exist() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(f"int {GI1}", "sw mo acc", "sw acc vlan 100", "no vlan 100")
        assert switch.running.ports[GI1].access_vlan == 100
        assert switch.carried(GI1) == Carried()
        await console.configure(
            f"int {GI2}", "sw mo trunk", "sw trunk allowed vlan 100,200", "sw trunk native vlan 200"
        )
        assert switch.carried(GI2) == Carried()
        await console.configure("vlan 100,200", "exit")
        assert switch.carried(GI1) == Carried(100)
        assert switch.carried(GI2) == Carried(200, frozenset({100}))
        await console.configure(f"int {GI2}", "shutdown")
        assert switch.carried(GI2) == Carried()


async def test_changes_are_reported_and_recorded_line_by_line() -> None:
    told: list[frozenset[str]] = []
    switch = catalyst(history=True, on_change=lambda _switch, ports: told.append(ports))
    async with switch, logged_in(switch) as console:
        await console.configure(
            "vlan 100",
            "int range gi1/0/1 - 2",
            "switchport access vlan 100",
            "switchport access vlan 100",
            "description nothing changes",
            f"int {GI1}",
            "shutdown",
        )
        assert told == [frozenset({GI1, GI2}), frozenset({GI1})]
        assert [(entry.line.text, dict(entry.changed)) for entry in switch.history] == [
            ("switchport access vlan 100", {GI1: Carried(100), GI2: Carried(100)}),
            ("shutdown", {GI1: Carried()}),
        ]
