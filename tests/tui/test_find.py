"""Anything is found: by the palette, by the beginning of its name after ``:``, and by ``/``."""

from __future__ import annotations

from pathlib import Path

from haas_console.tui.screens.details import DetailsScreen
from tests.tui.console import Hands, console


def opened(hands: Hands) -> str:
    screen = hands.app.screen
    return screen.visit.ref.title if isinstance(screen, DetailsScreen) else ""


async def test_the_palette_and_the_colon_open_objects_and_screens_by_some_letters(
    socket: Path,
) -> None:
    async with console(socket, project="astro") as hands:
        await hands.given("network create lab")
        await hands.press("ctrl+p")
        await hands.type("node-08\r")
        assert opened(hands) == "node node-08"
        await hands.press("escape")
        for typed, title in (
            ("sw sw1", "switch sw1"),
            ("node node-11", "node node-11"),
            ("netw la", "network astro/lab"),
            ("proj ast", "project astro"),
            ("nic node-02:ipmi-nic", "nic node-02:ipmi-nic"),
        ):
            await hands.type(f":{typed}\r")
            assert opened(hands) == title
            await hands.press("escape")
        await hands.type(":jo\r")
        assert hands.app.front is not None
        assert hands.app.front.NAME == "jobs"
        for typed, name in (("xray", "topology"), ("pulses", "pulse"), ("nodes", "board")):
            await hands.type(f":{typed}\r")
            assert name == hands.app.front.NAME
        await hands.type(":s\r")
        assert '"s" may be switch, shares, site' in hands.bar("message")
        await hands.type(":node node-1\r")  # node-10, node-11 and node-12
        assert 'no "node-1"' in hands.bar("message")
        await hands.command("netw list")
        assert hands.app.session.sync.log.commands[-1].state == "done"


async def test_a_filter_finds_whatever_is_shown_and_letters_in_order_if_nothing_else(
    socket: Path,
) -> None:
    async with console(socket, project="astro") as hands:
        await hands.given("node allocate --node node-01")
        for typed, found in (
            ("free", 22),
            ("allocated parked", 2),
            ("!free", 2),
            ("~node-0[12]$", 4),
            ("sw1 Gi1/0/2", 1),
            ("kind=bmc state=free", 11),
        ):
            await hands.press("slash")
            await hands.press("ctrl+u")
            await hands.type(f"{typed}\r")
            assert len(hands.nodes.board.rows) == found, typed
        await hands.press("slash", "ctrl+u")
        await hands.type("nd-07\r")
        assert {row[0].node for row in hands.nodes.board.rows} == {"node-07"}
        assert "/nd-07 ~2/24" in hands.bar("left-title")
        await hands.press("slash", "ctrl+u")
        await hands.type("~[\r")
        assert "is no regular expression" in hands.bar("message")
