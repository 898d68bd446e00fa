"""Keys that the user chose: their ids are listed, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

from haas_console.tui import keymap
from tests.tui.console import console


def test_every_key_has_its_id_once_with_what_it_does() -> None:
    keys = {key.id: key for key in keymap.bindings()}
    assert keys["board.connect"] == keymap.Key("board.connect", "c", "Connect")
    assert "ansi-dark" in keymap.themes()
    assert all(key.keys and key.does for key in keys.values())


async def test_an_id_that_there_is_not_is_named_with_the_nearest(socket: Path) -> None:
    async with console(socket, keymap={"board.conect": "x"}) as hands:
        await hands.until(lambda: hands.bar("message"))
        assert 'no key has the id "board.conect", did you mean "board.connect"?' in hands.bar(
            "message"
        )


async def test_a_key_that_was_changed_works(socket: Path) -> None:
    async with console(socket, project="astro", keymap={"board.allocate": "ctrl+a"}) as hands:
        await hands.press("ctrl+a")
        await hands.until(lambda: hands.app.session.inventory.nodes_of("astro"))
