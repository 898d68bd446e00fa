"""With --readonly and without a daemon, every key that would change something says why not."""

from __future__ import annotations

from pathlib import Path

from haas_console.tui.app import ConsoleApp
from haas_console.tui.table import SCREENS
from haas_rpcd.demo import demo
from tests.tui.console import Hands, console
from tests.tui.test_board_mouse import a_project_at_work


async def refused(hands: Hands, reason: str) -> set[str]:
    """Press each key of the screen in front that changes something; give their actions."""
    screen = hands.app.front
    assert screen is not None
    found = set()
    for key, active in list(screen.active_bindings.items()):
        action = active.binding.action.partition("(")[0]
        if active.node is not screen or action not in screen.CHANGES | screen.METHODS.keys():
            continue
        assert not active.enabled, f"{screen.NAME}: {key} is not grey"
        screen.say("")
        await hands.press(key)
        await hands.until(lambda: reason in hands.bar("message"), f"{screen.NAME}: {key}")
        assert hands.app.front is screen
        found.add(f"{screen.NAME} {action}")
    return found


async def all_refused(hands: Hands, reason: str) -> set[str]:
    """The same on every screen."""
    app: ConsoleApp = hands.app
    found = await refused(hands, reason)
    for entry in SCREENS:
        app.action_open(entry.name)
        await hands.until(lambda name=entry.name: app.front and name == app.front.NAME)
        found |= await refused(hands, reason)
    app.navigation.to_board()
    app.navigation.open_form("switch.register")
    await hands.until(lambda: app.front and app.front.NAME == "form" and app.front.is_mounted)
    found |= await refused(hands, reason)
    app.navigation.to_board()
    app.navigation.open_job(1)
    await hands.until(lambda: app.front and app.front.NAME == "job" and app.front.is_mounted)
    return found | await refused(hands, reason)


SOME = {
    "board connect", "board release", "board undo", "apply apply", "jobs cancel", "headnodes power",
    "projects new", "projects quota", "tokens new", "shares offer", "inventory register",
    "site import", "form submit", "job cancel",
}  # fmt: skip


async def test_every_key_that_changes_something_is_refused_by_a_read_only_console(
    socket: Path,
) -> None:
    async with console(socket, project="astro", readonly=True) as hands:
        calls = hands.app.session.sync.log.calls
        assert await all_refused(hands, "This console only looks (--readonly).") >= SOME
        methods = hands.app.session.sync.language.api.methods
        assert not [c for c in calls if methods[c.method].mutates]


async def test_every_key_that_changes_something_is_refused_while_the_daemon_is_lost(
    tmp_path: Path,
) -> None:
    opened = console(tmp_path / "s")
    async with demo(str(tmp_path / "s")):
        hands = await opened.__aenter__()
        await a_project_at_work(hands)
    try:
        await hands.until(lambda: "stale since" in hands.bar("top"), "the badge")
        assert await all_refused(hands, "The daemon is lost") >= SOME
        app = hands.app
        app.navigation.to_board()
        await hands.until(lambda: app.front is hands.board)
        assert "allocated" in hands.row("node-01", "ipmi-nic")  # all of it can still be read
        greyed = {
            str(span.style)
            for span in hands.board.query_one("#hints").content.spans  # type: ignore[attr-defined]
            if "Connect" in hands.bar("hints")[span.start : span.end]
        }
        assert greyed == {"dim"}
    finally:
        await opened.__aexit__(None, None, None)
