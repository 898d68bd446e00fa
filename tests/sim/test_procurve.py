"""The simulated ProVision switch, as a telnet client sees it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.procurve import ProcurveSwitch

from .console import Console, connected

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[a-zA-Z]|E)")
PROMPT = re.compile(r"[>#] (?:\x1b\[[0-9;?]*[a-zA-Z])+$")


class Terminal:
    """Types lines and returns what a person would read."""

    def __init__(self, console: Console) -> None:
        self.console = console

    async def run(self, line: str, until: str | re.Pattern[str] = PROMPT) -> list[str]:
        """Type a line; return the output between its echo and the prompt."""
        self.console.send(f"{line}\r")
        shown = ESCAPES.sub("", (await self.console.until(until)).replace("\x1bE", ""))
        return shown.removeprefix(line).split("\n")[:-1]

    async def run_all(self, *lines: str) -> list[str]:
        return [text for line in lines for text in await self.run(line)]


@asynccontextmanager
async def logged_in(ports: int = 8, **options: Any) -> AsyncIterator[tuple[Any, Terminal]]:
    names = ProcurveSwitch.port_names(ports)
    switch = ProcurveSwitch("sw1", ports=names, username="u", password="pw", **options)
    async with switch, connected(switch) as console:
        await console.until(r"Press any key to continue")
        console.send("\ru\rpw\r")
        await console.until(PROMPT)
        yield switch, Terminal(console)


async def test_prompts_and_echoes_are_positioned_on_the_last_row() -> None:
    async with logged_in() as (_, terminal):
        terminal.console.send("configure\r")
        seen = await terminal.console.until(PROMPT)
        assert "\x1b[24;6Hconfigure\x1b[24;6H\x1b[?25h\x1b[24;15H" in seen
        assert "\x1bE" in seen
        assert "\x1b[24;1Hsw1(config)# \x1b[24;1H" in seen


async def test_refusals_name_the_wrong_word() -> None:
    async with logged_in() as (_, terminal):
        for line, refusal in (
            ("show badcommand123", "Invalid input: badcommand123"),
            ("show", "Incomplete input: show"),
            ("c", "Ambiguous input: c"),
            ("vlan 100", "Invalid input: vlan"),
        ):
            assert await terminal.run(line) == [refusal]
        await terminal.run("configure terminal")
        for line, refusal in (
            ("vlan 5000", "Invalid input: 5000"),
            ("interface 9 disable", "Module not present for port or invalid port: 9"),
            ("vlan 100 untagged 1-4,7-9", "Module not present for port or invalid port: 7-9"),
            ("interface 1 shutdown", "Invalid input: shutdown"),
        ):
            assert await terminal.run(line) == [refusal]


async def test_ports_join_vlans_and_the_configuration_lists_them() -> None:
    async with logged_in() as (switch, terminal):
        await terminal.run_all("conf", "vlan 100 name users", "vlan 100 untagged 1-3", "vlan 101")
        await terminal.run_all("tagged 2-3", "exit", "no vlan 1 untagged 8", "int 4 disable")
        assert switch.carried("2") == Carried(100, frozenset({101}))
        assert switch.carried("4") == Carried()
        await terminal.run("no page")
        shown = await terminal.run("show running-config")
        begin = shown.index("interface 4")
        assert shown[begin:-1] == [
            "interface 4",
            "   disable",
            "   exit",
            'snmp-server community "public" unrestricted',
            "vlan 1",
            '   name "DEFAULT_VLAN"',
            "   no untagged 1-3",
            "   untagged 4-8",
            "   ip address dhcp-bootp",
            "   exit",
            "vlan 100",
            '   name "users"',
            "   untagged 1-3",
            "   no ip address",
            "   exit",
            "vlan 101",
            '   name "VLAN101"',
            "   tagged 2-3",
            "   no ip address",
        ]


async def test_a_port_that_leaves_its_last_vlan_moves_to_the_default_vlan() -> None:
    async with logged_in() as (switch, terminal):
        await terminal.run("configure")
        assert await terminal.run("no vlan 1 untagged 1") == [
            "Port 1 must be a member of at least one VLAN."
        ]
        await terminal.run_all("vlan 100 tagged 1", "no vlan 1 untagged 1")
        assert switch.carried("1") == Carried(None, frozenset({100}))
        await terminal.run("no vlan 100 tagged 1")
        assert switch.carried("1") == Carried(1)


async def test_deleting_a_vlan_with_ports_asks_first() -> None:
    async with logged_in() as (switch, terminal):
        await terminal.run_all("conf", "vlan 100 untagged 2-3")
        asked = re.compile(r"\[y/n\] (?:\x1b\[[0-9;?]*[a-zA-Z])+$")
        assert await terminal.run("no vlan 100", asked) == [
            "The following ports will be moved to the default VLAN:",
            "2-3",
            "Do you want to continue?",
        ]
        terminal.console.send("n")
        await terminal.console.until(PROMPT)
        assert switch.carried("2") == Carried(100)
        await terminal.run("no vlan 100", asked)
        terminal.console.send("y")
        await terminal.console.until(PROMPT)
        assert switch.carried("2") == Carried(1)


async def test_the_maximum_number_of_vlans_changes_at_restart() -> None:
    async with logged_in() as (switch, terminal):
        switch.running.vlan_limit = 2
        await terminal.run_all("conf", "vlan 100", "exit")
        full = "Maximum number of VLANs (2) has already been reached."
        assert await terminal.run("vlan 101") == [full]
        after = "Command will take effect after saving configuration and reboot."
        assert await terminal.run("max-vlans 16") == [after]
        assert await terminal.run("vlan 101") == [full]
        await terminal.run("write memory")
        switch.reload()
        assert switch.running.vlan_limit == 16


async def test_config_status_shows_whether_a_save_is_needed() -> None:
    async with logged_in() as (_, terminal):
        same = "Running configuration is same as the startup configuration."
        changed = "Running configuration has been changed and needs to be saved."
        assert await terminal.run("show config status") == [same]
        await terminal.run_all("conf", "vlan 100", "end")
        assert await terminal.run("show config status") == [changed]
        assert await terminal.run("write memory") == []
        assert await terminal.run("show config status") == [same]


async def test_logout_offers_to_save() -> None:
    async with logged_in() as (switch, terminal):
        await terminal.run_all("conf", "vlan 100", "end")
        terminal.console.send("logout\ryn")
        seen = ESCAPES.sub("", await terminal.console.hung_up())
        assert "Do you want to log out [y/n]? y" in seen
        assert "Do you want to save current configuration [y/n/^C]? n" in seen
        assert switch.counters.saves == 0


async def test_the_pager_shows_another_page_on_space() -> None:
    async with logged_in(ports=24) as (_, terminal):
        more = re.compile(r"quit: Control-C(?:\x1b\[[0-9;?]*[a-zA-Z])+$")
        await terminal.run_all("conf", *(f"interface {port} disable" for port in range(1, 25)))
        await terminal.run("show running-config", more)
        terminal.console.send(" ")
        await terminal.console.until(more)
        terminal.console.send("q")
        await terminal.console.until(PROMPT)
        await terminal.run("no page")
        assert len(await terminal.run("show running-config")) > 72
