"""Import of a site with its dry run, and export, against a real daemon."""

from __future__ import annotations

from pathlib import Path

from haas_console.tui.screens.site import SiteLines, SiteScreen, complete_path
from tests.tui.console import Hands, console

SITE = """
[projects.chem]
[switches.sw3]
dialect = "cisco_ios"
host = "sw3.example"
access = ["Gi1/0/1"]
[nodes.node-01]
tags = ["fast"]
[nodes.node-77.nics.eth0]
switch = "sw3"
port = "Gi1/0/1"
"""


def shown(hands: Hands) -> list[str]:
    return hands.text(hands.app.screen.query_one(SiteLines))


async def site(hands: Hands) -> None:
    await hands.press("F")
    await hands.until(lambda: isinstance(hands.app.screen, SiteScreen))


async def choose(hands: Hands, key: str, file: Path) -> None:
    await hands.press(key)
    prompt = hands.app.screen.query_one("#prompt")
    await hands.until(lambda: prompt.visible)
    hands.app.screen.query_one("#prompt-input").value = str(file)  # type: ignore[attr-defined]
    await hands.pilot.pause()
    await hands.press("enter")


async def test_an_import_shows_its_changes_and_makes_them_when_confirmed(
    socket: Path, tmp_path: Path
) -> None:
    file = tmp_path / "site.toml"
    file.write_text(SITE)
    async with console(socket) as hands:
        await site(hands)
        await choose(hands, "i", file)
        await hands.until(lambda: " + project chem" in shown(hands))
        assert " ~ node node-01" in shown(hands)
        assert " + nic node-77:eth0" in shown(hands)
        assert "unchanged" in shown(hands)[-1]
        assert "chem" not in hands.app.session.inventory.projects

        await hands.press("enter", "y", "enter")
        await hands.until(lambda: "chem" in hands.app.session.inventory.projects)
        await hands.until(lambda: "imported" in hands.bar("title"))
        assert hands.app.session.inventory.nodes["node-01"].tags == ("fast",)

        await choose(hands, "i", file)
        await hands.until(lambda: "would change nothing" in hands.bar("title"))


async def test_a_file_that_cannot_be_imported_is_reported(socket: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[nodes\n")
    async with console(socket) as hands:
        await site(hands)
        await choose(hands, "i", tmp_path / "missing.toml")
        await hands.until(lambda: "cannot be read" in hands.bar("message"))
        await choose(hands, "i", bad)
        await hands.until(lambda: "not TOML" in hands.bar("message"))
        await hands.press("enter")
        assert hands.app.screen.query_one("#prompt").visible is False


async def test_an_export_can_be_imported_again_and_asks_before_it_overwrites(
    socket: Path, tmp_path: Path
) -> None:
    file = tmp_path / "out.toml"
    async with console(socket) as hands:
        await site(hands)
        await choose(hands, "x", file)
        await hands.until(lambda: file.exists() and "bytes" in hands.bar("message"))
        text = file.read_text()
        assert "node-12" in text
        await choose(hands, "x", file)
        await hands.until(lambda: hands.app.screen.query_one("#prompt").visible)
        file.write_text("kept")
        await hands.press("enter")
        await hands.pilot.pause()
        assert file.read_text() == "kept"
        file.write_text(text)
        await choose(hands, "i", file)
        await hands.until(lambda: "would change nothing" in hands.bar("title"))


def test_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "site.toml").write_text("")
    (tmp_path / "notes.txt").write_text("")
    assert complete_path(f"{tmp_path}/s") == [f"{tmp_path}/site.toml", f"{tmp_path}/sites/"]
    assert complete_path(f"{tmp_path}/nowhere/x") == []
