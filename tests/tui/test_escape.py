"""Esc leaves whatever is open, and nothing typed before it can be acted on after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual import events

from haas_console.core.facts import Fact
from haas_console.core.objects import Ref
from haas_console.tui import keymap
from haas_console.tui.screen import ConsoleScreen
from haas_console.tui.table import SCREENS
from tests.tui.console import Hands, console
from tests.tui.terminal_input import send, taken

LEFT_OUT = {"app.quit", "app.how_to_quit"}
"""Keys that end the console, or have a test of their own."""

Open = Callable[[Hands], Awaitable[None]]


async def at_work(hands: Hands) -> None:
    """Give astro nodes, networks, a headnode and a user to act on, and apply them."""
    await hands.given(
        "node allocate --node node-01",
        "node allocate --node node-02",
        "network create lab",
        "network create storage",
        "headnode create login",
        "user create bob",
        "project add_member astro bob",
        "connect node-01:primary-nic lab",
    )


def opener(name: str) -> Open:
    async def go(hands: Hands) -> None:
        hands.app.navigation.to_board()
        if name == "form":
            hands.app.navigation.open_form("node.register")
        elif name == "details":
            hands.app.navigation.open_details(Ref("nic", "node-01:primary-nic"))
        elif name == "job":
            hands.app.navigation.open_job(max(hands.app.session.inventory.jobs))
        elif name == "facts":
            hands.app.navigation.open_facts("A record", [Fact("who", "rita")])
        elif name == "text":
            hands.app.navigation.read("A page", ["a line"])
        elif name != "board":
            hands.app.navigation.open(name)
        await settled(hands)
        front = hands.app.front
        assert front is not None
        assert name == front.NAME

    return go


OPENERS = {
    name: opener(name)
    for name in ("board", "details", "facts", "form", "job", "text", *(e.name for e in SCREENS))
}


async def settled(hands: Hands) -> None:
    """Wait until all that a key did is done."""
    typeahead = hands.app.typeahead
    await hands.until(lambda: not typeahead.busy and not typeahead.holds, "keys are processed")


async def press(hands: Hands, *keys: str) -> None:
    for key in keys:
        send(hands.app, events.Key(key, None))
    await taken(hands.app)
    await settled(hands)


def keys_of(screen: ConsoleScreen) -> Iterator[str]:
    """The keys that a screen answers to now; on the board those of the app as well."""
    everywhere = ("list", "prompt") if screen.NAME == "board" else ("list", "prompt", "open", "app")
    for key, active in screen.active_bindings.items():
        name = active.binding.id or ""
        if active.enabled and name not in LEFT_OUT and name.partition(".")[0] not in everywhere:
            yield key


def screens() -> dict[str, type[ConsoleScreen]]:
    keymap.bindings()  # imports every screen
    return {kind.NAME: kind for kind in ConsoleScreen.__subclasses__() if kind.NAME}


def test_every_screen_is_among_those_that_are_left_here() -> None:
    assert set(screens()) == set(OPENERS)


@pytest.mark.slow
async def test_esc_leaves_every_prompt_and_nothing_survives_it(socket: Path) -> None:
    asked: dict[str, set[str]] = {}
    async with console(socket, project="astro") as hands:
        app, log = hands.app, hands.app.session.sync.log
        await at_work(hands)
        await hands.given("apply")
        await hands.until(lambda: any(not j.under_way for j in app.session.inventory.jobs.values()))
        await hands.given("connect node-02:primary-nic lab")
        for name, go in OPENERS.items():
            await go(hands)
            assert app.front is not None
            for key in sorted(keys_of(app.front)):
                if app.front is None or name != app.front.NAME:
                    await go(hands)
                await press(hands, key)
                if app.front is not None and app.front.is_asking:
                    asked.setdefault(name, set()).add(key)
                    await hands.burst("zz9")
                    await press(hands, "escape")
                    assert app.front is not None, (name, key)
                    assert not app.front.is_asking, (name, key)
                    done = len(log.commands)
                    await press(hands, "enter")
                    changes = [each.line for each in list(log.commands)[done:]]
                    assert not changes, (name, key)
            await leave(hands, name)
    assert {"board", "headnodes", "projects", "inventory", "site", "form", "topology"} <= set(asked)
    assert {"n", "h", "c", "C", "R", "D", "p", "colon", "slash"} <= asked["board"]


async def test_a_click_beside_an_open_question_leaves_the_keys_to_it(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        await hands.given("node allocate --node node-01")
        await hands.press("n", "l", "a")
        await hands.grip(hands.nic_at("node-03", "primary-nic"))
        await hands.let_go(hands.nic_at("node-03", "primary-nic"))
        await hands.type("b")
        assert "lab" in hands.board.typed
        await hands.press("escape", "enter", "c", "escape")
        assert not hands.board.is_asking
        assert not hands.board.typed
        assert not hands.app.session.inventory.networks


async def test_ctrl_c_says_how_to_quit_and_ends_nothing(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        await hands.press("ctrl+c")
        assert "q quits" in hands.bar("message")
        await hands.press("n", "l", "ctrl+c")
        assert "esc leaves this" in hands.bar("hints")
        await hands.press("escape", "ctrl+p", "ctrl+c")
        assert hands.app.front is hands.board
        assert hands.app.return_code is None


async def leave(hands: Hands, name: str) -> None:
    """Press Esc until the board is shown; a form asks once."""
    for _ in range(5):
        if len(hands.app.screen_stack) == 1:
            return
        await press(hands, "escape")
        if hands.app.front is not None and hands.app.front.is_asking:
            await hands.burst("y\r")
            await settled(hands)
    raise AssertionError(f"{name} can't be left with Esc")
