"""Keys that come all at once have the same effect as if they came one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from haas_console.tui.prompt import Prompt
from tests.tui.console import Hands, console
from tests.tui.gate import answers_to, gate


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


@pytest.mark.parametrize("late", ["system.info", "node.list"])
async def test_keys_typed_before_the_daemon_has_answered_act_on_its_answer(
    socket: Path, late: str
) -> None:
    async with gate(socket) as between:
        between.hold(answers_to(late))
        async with console(between.path, connected=False, project="astro") as hands:
            await hands.burst("A")
            await hands.until(lambda: between.held)
            between.open()
            inventory = hands.app.session.inventory
            await hands.until(lambda: inventory.nodes_of("astro"))


async def test_keys_are_not_kept_for_a_daemon_that_is_not_there(tmp_path: Path) -> None:
    async with console(tmp_path / "nobody", connected=False) as hands:
        await hands.burst("?")
        await hands.until(lambda: crumbs(hands) == ["Board", "Help"])


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
