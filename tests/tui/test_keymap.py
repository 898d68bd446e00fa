"""Keys that the user chose: their ids are listed, and a wrong one is named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from haas_console.cli import main
from haas_console.tui import keymap
from tests.tui.console import Hands, console


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


async def keys_shown(hands: Hands, having: str) -> None:
    """Open the screen of keys, with the cursor on the first that has some letters."""
    await hands.press("ctrl+k")
    await hands.until(lambda: hands.app.screen.NAME == "keys", "the screen")  # type: ignore[attr-defined]
    await hands.press("slash")
    await hands.type(f"{having}\r")
    await hands.until(lambda: f"/{having}" in hands.bar("title"))


async def test_a_key_is_changed_in_the_console_and_kept(socket: Path, tmp_path: Path) -> None:
    file = tmp_path / "console.toml"
    async with console(socket, project="astro", settings=file) as hands:
        await keys_shown(hands, "board.allocate")
        await hands.press("enter")
        await hands.type("ctrl+a\r")
        await hands.until(lambda: "board.allocate is ^a now" in hands.bar("message"))
        assert tomllib.loads(file.read_text()) == {"keymap": {"board.allocate": "ctrl+a"}}
        await hands.press("escape")
        await hands.until(lambda: hands.app.screen is hands.board)
        await hands.press("ctrl+a")
        await hands.until(lambda: hands.app.session.inventory.nodes_of("astro"))
        await keys_shown(hands, "board.allocate")
        await hands.press("d")
        await hands.until(lambda: "board.allocate is A again" in hands.bar("message"))
        assert tomllib.loads(file.read_text()) == {"keymap": {}}


async def test_a_key_that_is_taken_is_refused_or_asked_about(socket: Path, tmp_path: Path) -> None:
    file = tmp_path / "console.toml"
    async with console(socket, settings=file) as hands:
        await keys_shown(hands, "board.allocate")
        for typed, said in (
            ("R", "R is board.release on the same screen"),
            ("no key", '"no key" is no key: type one such as'),
        ):
            await hands.press("enter")
            await hands.type(f"{typed}\r")
            await hands.until(lambda said=said: said in hands.bar("message"), typed)
        await hands.press("enter")
        await hands.type("/,J\r")
        await hands.until(lambda: "board.filter on the same screen" in hands.bar("message"))
        await hands.press("enter")
        await hands.type("J\r")
        await hands.until(lambda: hands.app.screen.is_asking, "it asks")  # type: ignore[attr-defined]
        await hands.type("n\r")
        assert not file.exists()


def test_info_lists_only_keys_or_only_themes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--themes"]) == 0
    themes = capsys.readouterr().out.splitlines()
    assert themes[:2] == ["haas-dark", "haas-light"] and "nord" in themes
    assert main(["info", "--keys"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) > 100
    assert any(line.split() == ["board.connect", "c", "Connect"] for line in listed)
