"""The simulated Comware switch, as a telnet client sees it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from haas_rpcd.sim.cli import ALL_VLANS, Carried
from haas_rpcd.sim.comware import Comware5Switch, ComwareSwitch

from .console import Console, connected

PROMPT = re.compile(r"(?:^|\n)[<\[][^\s>\]]+[>\]]$")
GE1, GE2 = (f"GigabitEthernet1/0/{number}" for number in (1, 2))


@asynccontextmanager
async def logged_in(
    kind: type[ComwareSwitch] = ComwareSwitch, ports: int = 4, **options: Any
) -> AsyncIterator[tuple[ComwareSwitch, Console]]:
    switch = kind("sw1", ports=kind.port_names(ports), username="u", password="pw", **options)
    async with switch, connected(switch, prompt=PROMPT) as console:
        console.send("u\rpw\r")
        await console.until(PROMPT)
        yield switch, console


async def test_refusals_point_at_the_mistake() -> None:
    async with logged_in() as (_, console):
        assert await console.run("vlan 100") == [
            "     ^",
            " % Unrecognized command found at '^' position.",
        ]
        await console.run("system-view")
        for line, column, what in (
            ("vlan", 9, "Incomplete command"),
            ("vlan 5000", 10, "Wrong parameter"),
            ("vlan 100 200", 14, "Too many parameters"),
            ("i", 5, "Ambiguous command"),
            ("interface GigabitEthernet1/0/9", 15, "Wrong parameter"),
            ("system-view", 5, "Wrong parameter"),
            ("end", 5, "Unrecognized command"),
        ):
            caret, refusal = await console.run(line)
            assert (caret, refusal) == (" " * column + "^", f" % {what} found at '^' position.")


async def test_a_view_can_be_entered_from_another_and_quit_leads_one_level_up() -> None:
    async with logged_in() as (_, console):
        assert await console.run("sys") == ["System View: return to User View with Ctrl+Z."]
        console.send("vlan 10\rint g1/0/1\rinterface range g1/0/1 to g1/0/2 g1/0/4\rquit\rquit\r")
        seen = await console.until(r"<sw1>$")
        for prompt in ("[sw1-vlan10]", f"[sw1-{GE1}]", "[sw1-if-range]", "[sw1]quit\n<sw1>"):
            assert prompt in seen


async def test_changing_the_link_type_resets_the_vlans_of_a_port() -> None:
    async with logged_in(history=True) as (switch, console):
        await console.run_all("sys", "vlan 100", "int g1/0/1", "port access vlan 100")
        assert switch.carried(GE1) == Carried(100)
        assert await console.run("port trunk permit vlan 100") == ["The port is not a trunk port."]
        await console.run("port link-type trunk")
        assert switch.carried(GE1) == Carried(1)
        await console.run("port trunk permit vlan all")
        assert switch.running.ports[GE1].permitted == ALL_VLANS
        assert switch.carried(GE1) == Carried(1, frozenset({100}))
        first = "Please set the link type of the port to access first."
        assert await console.run("port link-type hybrid") == [first]
        assert await console.run_all("port link-type access", "port link-type trunk") == []
        assert switch.carried(GE1) == Carried(1)


async def test_a_range_command_stops_only_if_the_first_port_refuses_it() -> None:
    async with logged_in() as (switch, console):
        await console.run_all("sys", "vlan 100", "int g1/0/2", "port link-type trunk")
        await console.run("interface range g1/0/1 to g1/0/3")
        assert await console.run("port access vlan 100") == ["The port is not an access port."]
        carried = [switch.carried(name) for name in switch.port_list]
        assert carried == [Carried(100), Carried(1), Carried(100), Carried(1)]
        await console.run("interface range g1/0/2 to g1/0/4")
        assert await console.run("undo port access vlan") == ["The port is not an access port."]
        assert switch.carried("GigabitEthernet1/0/3") == Carried(100)


async def test_the_configuration_leaves_out_defaults() -> None:
    async with logged_in() as (_, console):
        await console.run_all("sys", "vlan 100", "name x", "int g1/0/1", "port link-type trunk")
        lists = " ".join(str(vlan) for vlan in range(102, 122, 2))
        await console.run_all(
            "undo port trunk permit vlan 1",
            "port trunk permit vlan 100",
            f"port trunk permit vlan {lists}",
            "port trunk pvid vlan 100",
            "shutdown",
        )
        _, refusal = await console.run(f"port trunk permit vlan 2 {lists}")
        assert "Too many parameters" in refusal
        assert await console.run(f"display current-configuration interface {GE1}") == [
            "#",
            f"interface {GE1}",
            " port link-mode bridge",
            " port link-type trunk",
            " undo port trunk permit vlan 1",
            " port trunk permit vlan 100 102 104 106 108 110 112 114 116 118",
            " port trunk permit vlan 120",
            " port trunk pvid vlan 100",
            " shutdown",
            "#",
            "return",
        ]
        assert await console.run("display vlan") == [
            " Total VLANs: 2",
            " The VLANs include:",
            " 1(default), 100",
        ]


async def test_deleting_a_vlan_moves_its_access_ports_to_vlan_1() -> None:
    async with logged_in() as (switch, console):
        await console.run_all("sys", "vlan 100", "int g1/0/1", "port access vlan 100", "quit")
        assert await console.run("undo vlan 100") == []
        assert switch.carried(GE1) == Carried(1)
        assert await console.run("undo vlan 100") == ["The VLAN does not exist."]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (ComwareSwitch, "Saved the current configuration to mainboard device successfully."),
        (Comware5Switch, "Configuration is saved to device successfully."),
    ],
)
async def test_save_is_acknowledged_and_reboot_offers_to_save(
    kind: type[ComwareSwitch], said: str
) -> None:
    async with logged_in(kind) as (switch, console):
        assert (await console.run("save force"))[-1] == said
        await console.run_all("sys", "sysname core", "return")
        console.send("reboot\r")
        await console.until(r"save current configuration\? \[Y/N\]:$")
        console.send("n\r")
        await console.until(r"Continue\? \[Y/N\]:$")
        console.send("y\r")
        await console.hung_up()
        assert (switch.running.hostname, switch.counters.reloads) == ("sw1", 1)


async def test_the_pager_erases_its_prompt() -> None:
    async with logged_in(ports=24) as (_, console):
        console.send("display current-configuration\r")
        await console.until(r"  ---- More ----$")
        console.send(" ")
        assert (await console.until(r"---- More ----$")).startswith(f"\x1b[16D{' ' * 16}\x1b[16D")
        console.send("q")
        await console.until(r"<sw1>$")
        await console.run("screen-length disable")
        assert len(await console.run("display current-configuration")) > 80


async def test_comware_5_words_some_answers_differently() -> None:
    async with logged_in(Comware5Switch) as (_, console):
        off = "% Screen-length configuration is disabled for current user."
        assert await console.run("screen-length disable") == [off]
        assert await console.run("undo terminal monitor") == ["% Current terminal monitor is off."]
        assert (await console.run("display vlan"))[1] == " The following VLANs exist:"


async def test_a_routed_port_carries_nothing_and_has_no_link_type() -> None:
    async with logged_in() as (switch, console):
        await console.run_all("system-view", "vlan 100", "quit", f"interface {GE1}")
        await console.run_all("port access vlan 100", "port link-mode route")
        assert switch.carried(GE1) == Carried()
        assert "Unrecognized command" in "".join(await console.run("port access vlan 100"))
        assert " port link-mode route" in await console.run("display this")
        await console.run("port link-mode bridge")
        assert switch.carried(GE1) == Carried(1)
