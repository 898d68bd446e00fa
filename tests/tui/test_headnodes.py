"""The screen of headnodes, against a real daemon."""

from __future__ import annotations

from pathlib import Path

from haas_console.tui.screens.headnodes import HeadnodeLines, HeadnodesScreen
from tests.tui.apply_hands import staged_site
from tests.tui.console import Hands, console


def row(hands: Hands) -> str:
    lines = hands.text(hands.app.screen.query_one(HeadnodeLines))
    return " ".join(lines[0].split()) if lines else ""


async def headnodes(hands: Hands) -> None:
    await hands.press("H")
    await hands.until(lambda: isinstance(hands.app.screen, HeadnodesScreen))
    await hands.until(lambda: "Headnodes" in hands.bar("top"))


async def apply(hands: Hands) -> None:
    sync = hands.app.session.sync
    started = await sync.call("apply.start", {"project": "astro"})
    done = await sync.call("job.wait", {"job": started["job"], "timeout": 30})
    assert done["state"] == "succeeded"


async def test_a_headnode_is_made_connected_started_stopped_and_deleted(socket: Path) -> None:
    async with console(socket) as hands:
        await hands.command("network create lab")
        await hands.command("network create storage")
        await headnodes(hands)
        assert "No headnode yet: n makes one" in hands.bar("detail")

        await hands.press("n")
        await hands.type("login")
        await hands.press("enter")
        await hands.until(lambda: row(hands).startswith("login new* no nic"))

        await hands.press("c")
        await hands.type("st")
        await hands.press("enter")
        await hands.until(lambda: "no network → storage*" in row(hands))
        assert "> headnode connect astro login storage" in hands.bar("message")
        assert "1 staged in astro" in hands.bar("summary")

        await apply(hands)
        await hands.until(lambda: row(hands).startswith("login running storage"))

        await hands.press("o")
        await hands.until(lambda: "running → stopped*" in row(hands))
        await hands.press("z")
        await hands.until(lambda: "login running storage" in row(hands))

        await hands.press("d")
        await hands.until(lambda: "storage → no network*" in row(hands))

        await hands.press("x")
        await hands.press("enter")  # Enter alone means no
        assert "deleting" not in row(hands)
        await hands.press("x", "y", "enter")
        await hands.until(lambda: "deleting*" in row(hands))
        await apply(hands)
        await hands.until(lambda: row(hands) == "")


async def test_disconnecting_a_headnode_asks_which_of_several_networks(socket: Path) -> None:
    async with console(socket) as hands:
        for line in (
            "network create lab",
            "network create storage",
            "headnode create login",
            "headnode connect login lab",
            "headnode connect login storage",
        ):
            await hands.command(line)
        await headnodes(hands)
        await hands.until(lambda: "lab*, no network → storage*" in row(hands))
        await hands.press("d")
        await hands.type("lab")
        await hands.press("enter")
        await hands.until(lambda: "→ lab" not in row(hands))
        assert "storage*" in row(hands)
        assert "--network lab" in hands.bar("message")


async def test_an_impossible_action_says_why(socket: Path) -> None:
    async with console(socket) as hands:
        await hands.command("headnode create login")
        await headnodes(hands)
        await hands.until(lambda: row(hands))
        await hands.press("c")
        await hands.until(lambda: "There is no other network" in hands.bar("message"))
        await hands.press("d")
        await hands.until(lambda: "on no network" in hands.bar("message"))
        await hands.press("s")
        await hands.until(lambda: "is to run already" in hands.bar("message"))
        await hands.press("n")
        await hands.type("login")
        await hands.press("enter")
        await hands.until(lambda: "✗" in hands.bar("message"))


async def test_a_read_only_console_changes_no_headnode(socket: Path) -> None:
    async with console(socket, readonly=True) as hands:
        await headnodes(hands)
        await hands.press("n")
        assert hands.app.screen.query_one("#prompt").visible is False


async def test_a_crash_is_announced_shown_and_mended_by_an_apply() -> None:
    async with staged_site() as site, console(site.socket) as hands:
        await hands.command("headnode create login")
        await hands.command("headnode connect login lab")
        await apply(hands)
        await headnodes(hands)
        await hands.until(lambda: row(hands).startswith("login running lab"))

        site.centre.host.crash("astro/login")

        await hands.until(lambda: "login ≠ crashed → running* lab" in row(hands))
        assert "Headnode astro/login is crashed: an apply of astro brings it back." in hands.bar(
            "message"
        )
        assert "≠ now crashed with nic0 on 100" in hands.bar("detail")
        assert "≠ 1 drifted" in hands.bar("pulse")
        await hands.press("s")
        assert "login is to run already: an apply brings it back." in hands.bar("message")

        await apply(hands)

        await hands.until(lambda: row(hands).startswith("login running lab"))
        await hands.until(lambda: "drifted" not in hands.bar("pulse"))
