"""Keys that come all at once have the same effect as if they came one by one."""

from __future__ import annotations

from pathlib import Path

from haas_console.tui.prompt import Prompt
from tests.tui.console import Hands, console


def crumbs(hands: Hands) -> list[str]:
    return hands.app.breadcrumbs()


async def test_keys_typed_after_one_that_asks_are_its_answer(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        inventory = hands.app.session.inventory
        await hands.burst("A")
        await hands.until(lambda: inventory.nodes["node-01"].project == "astro")

        await hands.burst("nweb\r")
        await hands.until(lambda: ("astro", "web") in inventory.networks)
        assert crumbs(hands) == ["Board"]

        # Two nics, one after the other: each Enter gives the keys back to the list.
        await hands.burst("cwe\rjcwe\r")
        await hands.until(lambda: inventory.staged_count("astro") == 2)
        assert hands.area("web") == ["+ node-01:ipmi-nic bmc", "+ node-01:primary-nic"]

        await hands.burst("pall\r")
        await hands.until(lambda: hands.app.session.project is None)


async def test_keys_typed_after_one_that_opens_a_screen_go_to_that_screen(
    socket: Path,
) -> None:
    async with console(socket, project="astro") as hands:
        await hands.burst(":jobs\r:topology\r")
        await hands.until(lambda: crumbs(hands) == ["Board", "Topology"])
        await hands.burst("\x1bJ/failed")
        await hands.until(lambda: crumbs(hands) == ["Board", "Jobs"])
        prompt = hands.app.screen.query_one(Prompt)
        await hands.until(lambda: prompt.typed == "failed")


async def test_keys_typed_after_the_palettes_key_go_to_the_palette(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        await hands.press("ctrl+p")
        await hands.press("escape")
        await hands.burst("\x10topo\r")
        await hands.until(lambda: crumbs(hands) == ["Board", "Topology"])
