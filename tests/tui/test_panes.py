"""Wide terminals: details beside the board, and what a job sends beside its steps."""

from __future__ import annotations

import tomllib
from pathlib import Path

from haas_console.tui.beside import BesideLines
from haas_console.tui.screens.job import JobScreen
from haas_console.tui.screens.job_sent import SentLines
from tests.tui.console import Hands, console


def beside(hands: Hands) -> str:
    return "\n".join(hands.text(hands.app.screen.query_one(BesideLines)))


async def test_details_follow_the_cursor_and_ask_the_daemon_nothing(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        await hands.until(lambda: "node node-01" in hands.bar("beside-title"))
        assert "at sw1 Gi1/0/1" in beside(hands)
        asked = len(hands.app.session.sync.log.calls)
        await hands.press("down", "down")
        await hands.until(lambda: "node node-02" in hands.bar("beside-title"))
        assert "at sw1 Gi1/0/3" in beside(hands)
        assert len(hands.app.session.sync.log.calls) == asked
        await hands.press("A")
        await hands.until(lambda: "allocated" in beside(hands), "it is kept current")


async def test_details_beside_the_board_are_switched_off_for_later_too(
    socket: Path, tmp_path: Path
) -> None:
    file = tmp_path / "haas" / "console.toml"
    async with console(socket, settings=file) as hands:
        pane = hands.app.screen.query_one(BesideLines)
        await hands.until(lambda: pane.size.height > 5)
        await hands.press("i")
        await hands.until(lambda: pane.size.height == 0)
        assert tomllib.loads(file.read_text()) == {"details": False}
        await hands.press("i")
        await hands.until(lambda: pane.size.height > 5)
        assert tomllib.loads(file.read_text()) == {"details": True}


async def test_a_narrow_board_has_no_room_for_details_and_says_so(socket: Path) -> None:
    async with console(socket, size=(100, 30)) as hands:
        assert hands.app.screen.query_one(BesideLines).size.height == 0
        await hands.press("i")
        await hands.until(lambda: "from 120 columns on" in hands.bar("message"))


async def test_what_a_job_sends_stands_beside_its_steps(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        call = hands.app.session.sync.call
        await call("network.create", {"project": "astro", "network": "lab"})
        await call("node.allocate", {"project": "astro", "node": "node-01"})
        nic = {"node": "node-01", "nic": "primary-nic", "network": "lab"}
        await call("nic.connect", nic)
        await hands.until(lambda: "1 staged" in hands.bar("summary"))
        await hands.press("a")
        await hands.until(lambda: hands.app.screen.NAME == "apply", "the plan")  # type: ignore[attr-defined]
        await hands.press("y")
        await hands.until(lambda: isinstance(hands.app.screen, JobScreen), "the job")
        sent = hands.app.screen.query_one(SentLines)
        await hands.until(lambda: "sent and answered" in hands.bar("sent-title"), "its transcript")
        await hands.until(lambda: "Building configuration..." in "\n".join(hands.text(sent)))
        assert any("> switchport access vlan" in line for line in hands.text(sent))
