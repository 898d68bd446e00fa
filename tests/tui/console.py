"""A console for tests, and what its user sees and does with keys and mouse."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from textual import events
from textual.css.query import NoMatches
from textual.pilot import Pilot
from textual.widgets import Static
from textual.worker import WorkerCancelled, WorkerFailed

from haas_console.core.config import Endpoint
from haas_console.core.target import Target
from haas_console.tui.app import ConsoleApp, Options
from haas_console.tui.areas import AreaList
from haas_console.tui.bars import Bar
from haas_console.tui.board import BoardScreen
from haas_console.tui.hints import hints
from haas_console.tui.lines import Lines
from haas_console.tui.nodes import NodeTable
from haas_console.tui.screen import ConsoleScreen
from tests.tui.terminal_input import key_of, send, taken

PATIENCE = 10.0  # seconds; a test that waits longer has failed
_NAMED = {
    "\x10": "ctrl+p",
    "\x11": "ctrl+q",
    "\x13": "ctrl+s",
    "\r": "enter",
    "\x1b": "escape",
    "\t": "tab",
}


class Hands:
    """A user of the console."""

    def __init__(self, app: ConsoleApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    # --- seeing ---

    @property
    def board(self) -> BoardScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, BoardScreen)
        return screen

    @property
    def nodes(self) -> NodeTable:
        return self.board.query_one(NodeTable)

    @property
    def areas(self) -> AreaList:
        return self.board.query_one(AreaList)

    def bar(self, name: str) -> str:
        """The text of a bar: top, hints, summary, message (all of it, even if it takes two)."""
        screen = self.app.screen
        if name == "message" and isinstance(screen, ConsoleScreen):
            return screen.message
        return str(self.app.screen.query_one(f"#{name}", Bar).content)

    @property
    def asked(self) -> str:
        """The question in the line at the bottom."""
        return str(self.app.screen.query_one("#prompt-label", Static).content)

    def offers(self, text: str) -> bool:
        """Whether the footer offers a key that does something now."""
        found = hints(self.app.screen, self.app.size.width)
        return next(not hint.dim for hint in found if hint.text == text)

    def text(self, lines: Lines) -> list[str]:
        """The lines of a list as they are drawn."""
        return [lines._strip(index).text.rstrip() for index in range(lines.count())]

    def row(self, node: str, nic: str) -> str:
        """A nic's line on the left."""
        index = self.nodes.board.index_of((node, nic))
        assert index is not None, f"{node}:{nic} is not shown"
        return self.text(self.nodes)[index]

    def area(self, name: str) -> list[str]:
        """The lines of an area on the right, without its head."""
        found: list[str] = []
        inside = False
        for line, text in zip(self.areas.lines, self.text(self.areas), strict=True):
            if line.head:
                inside = line.text == name
            elif inside and line.item is not None:
                found.append(" ".join(text.split()))
        return found

    async def until(self, true: Callable[[], object], what: str = "") -> None:
        """Let the console work until something is true."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not _holds(true):
                    await self.pilot.pause(0.005)
        except TimeoutError:
            message = self.bar("message") if self.app.screen.query("#message") else ""
            raise AssertionError(
                f"it did not come to be: {what or true}; message: {message}"
            ) from None
        await self.pilot.pause()

    # --- the keyboard ---

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type a text, and wait until every key has been processed."""
        await self.burst(text)
        await self.until(lambda: not self.app.typeahead.busy, f"{text!r} is heard")

    async def burst(self, text: str) -> None:
        """Type a text all at once, as a fast hand or a slow line does; ``\\r`` is Enter."""
        for letter in text:
            key = _NAMED.get(letter) or key_of(letter)
            send(self.app, events.Key(key, None if letter in _NAMED else letter))
        await taken(self.app)
        await self.pilot.pause()

    async def command(self, line: str) -> None:
        """Type a command in the ``:`` line, and wait for its end."""
        before = len(self.app.session.sync.log.commands)
        await self.burst(f":{line}\r")
        await self.until(lambda: len(self.app.session.sync.log.commands) > before, line)
        await self.until(lambda: self.app.session.sync.log.commands[-1].state != "sent", line)

    async def given(self, *lines: str) -> None:
        """Do what was done before the story begins, without typing it."""
        session = self.app.session
        for line in lines:
            command = session.sync.language.parse_line(line, session.project)
            assert command is not None
            outcome = await session.perform([command])
            assert outcome.ok, outcome.error
        session.history.done.clear()

    async def go(self, node: str, nic: str) -> None:
        """Put the cursor of the left side on a nic."""
        index = self.nodes.board.index_of((node, nic))
        assert index is not None
        self.nodes.focus()
        self.nodes.move_to(index)
        await self.pilot.pause()

    async def go_to(self, lines: Lines, text: str) -> None:
        """Put the cursor of a list on the line with a text."""
        index = next((n for n, line in enumerate(self.text(lines)) if text in line), None)
        assert index is not None, f"{text} is not shown"
        lines.focus()
        lines.move_to(index)
        await self.pilot.pause()

    # --- the mouse ---

    def place(self, lines: Lines, index: int, column: int = 20) -> tuple[int, int]:
        """The position of a line on the screen."""
        region = lines.region
        return region.x + min(column, region.width - 3), region.y + index - lines.scroll_offset.y

    def nic_at(self, node: str, nic: str) -> tuple[int, int]:
        index = self.nodes.board.index_of((node, nic))
        assert index is not None
        return self.place(self.nodes, index)

    def thing_at(self, area: str, text: str) -> tuple[int, int]:
        """The position of a nic or headnode in an area."""
        inside = False
        for index, line in enumerate(self.areas.lines):
            if line.head:
                inside = line.text == area
            elif inside and line.text == text:
                return self.place(self.areas, index, 6)
        raise AssertionError(f"{text} is not in {area}")

    def area_at(self, name: str) -> tuple[int, int]:
        for index, line in enumerate(self.areas.lines):
            if line.head and line.text == name:
                return self.place(self.areas, index, 6)
        raise AssertionError(f"there is no area {name}")

    async def mouse(self, kind: type[events.MouseEvent], at: tuple[int, int], **more: Any) -> None:
        """Send a mouse event as a terminal reports it, with the left button."""
        event = kind(
            widget=None, x=at[0], y=at[1], delta_x=0, delta_y=0, button=1, shift=False, meta=False,
            ctrl=more.get("ctrl", False), screen_x=at[0], screen_y=at[1],
        )  # fmt: skip
        send(self.app, event)
        await taken(self.app)
        await self.pilot.pause()

    async def grip(self, start: tuple[int, int]) -> None:
        await self.mouse(events.MouseDown, start)

    async def pull(self, *way: tuple[int, int]) -> None:
        for at in way:
            await self.mouse(events.MouseMove, at)

    async def let_go(self, at: tuple[int, int]) -> None:
        await self.mouse(events.MouseUp, at)

    async def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag from one place to another, with some moves between."""
        middle = ((start[0] + end[0]) // 2, (start[1] + end[1]) // 2)
        await self.grip(start)
        await self.pull((start[0] + 3, start[1]), middle, end)
        await self.let_go(end)


def _holds(true: Callable[[], object]) -> bool:
    """Whether something is true; not of a widget that its screen has not made yet."""
    try:
        return bool(true())
    except NoMatches:
        return False


@contextlib.asynccontextmanager
async def console(
    socket: Path | str,
    size: tuple[int, int] = (120, 40),
    *,
    connected: bool = True,
    token: str | None = None,
    **options: Any,
) -> AsyncIterator[Hands]:
    """Open the console on a daemon, and wait until it has read everything, if ``connected``.

    ``socket`` may be the URL of a daemon, which wants a ``token``.
    """
    at = str(socket)
    place = (None, at) if at.startswith("http") else (at, None)
    app = ConsoleApp(Target(Endpoint(*place, "the test"), token), Options(**options))
    async with app.run_test(size=size) as pilot:
        hands = Hands(app, pilot)
        if connected:
            await hands.until(lambda: app.session.sync.status.state == "live", "connected")
        connection = next(worker for worker in app.workers if worker.name == "live")
        yield hands
    # A daemon that stops before the connection is closed would wait two seconds for that.
    with contextlib.suppress(WorkerFailed, WorkerCancelled):
        await connection.wait()
