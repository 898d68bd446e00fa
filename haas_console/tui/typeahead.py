"""Keys one by one: each is heard only once what the one before it did has been done.

A key travels from list to screen to app before anything happens, and what happens may open a
prompt or a screen. Over a slow line, or from a fast hand, keys come several at once; without this
the second would be with the list while the first is still on its way to open the prompt, and
``nweb`` would press n, w, e and b on the board.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events
from textual.dom import DOMNode
from textual.message import Message

if TYPE_CHECKING:
    from textual.app import App

LAPS = 2
"""How often it is asked after a key whether all is done: what the key did (Enter is a message of
the line's, which ends a prompt) comes after the key itself."""
PATIENCE = 1.0
"""Seconds until the next key is let through whatever became of the one before it."""


class Landed(Message, namespace="typeahead"):
    """Goes the way of a key, behind it: once this is at the app, so was the key."""

    def __init__(self, lap: int | None) -> None:
        super().__init__()
        self.lap = lap  # None: it is late; go on whatever became of the key


class TypeAhead:
    """Holds keys back while another is under way; ``deliver`` lets the app have one."""

    def __init__(self, app: App[int], deliver: Callable[[events.Event], Awaitable[None]]) -> None:
        self._host = app
        self._deliver = deliver
        self._held: deque[events.Event] = deque()
        self._lap = 0
        self._laps_left = 0
        self._after: DOMNode | None = None  # where the last lap began
        self._alarm: asyncio.TimerHandle | None = None

    async def feed(self, event: events.Event) -> None:
        """Take what was typed or pasted."""
        self._held.append(event)
        if self._alarm is None:
            await self._next()

    async def landed(self, lap: int | None) -> None:
        """Go on, unless what was typed still has something to do."""
        if lap not in (self._lap, None) or self._alarm is None:
            return  # nobody waits for it any more
        if lap is None:
            self._laps_left, self._after = 0, self._target()
        moved = self._after is not self._target()  # a prompt, another screen: let it become ready
        self._laps_left = max(self._laps_left - 1, 1 if moved else 0)
        if self._laps_left:
            self._run_lap()
        else:
            self._alarm.cancel()
            self._alarm = None
            await self._next()

    async def at_app(self) -> None:
        """Hear that a key came as far as the app; its own screen may be gone by now."""
        if self._laps_left == LAPS:
            await self.landed(self._lap)

    async def _next(self) -> None:
        if not self._held:
            return
        event = self._held.popleft()
        self._set_alarm()
        self._laps_left = LAPS
        await self._deliver(event)
        self._run_lap()

    def _run_lap(self) -> None:
        self._lap += 1
        self._after = self._target()
        if not self._after.post_message(Landed(self._lap)):  # it is gone
            self._host.post_message(Landed(self._lap))

    def _set_alarm(self) -> None:
        self._alarm = asyncio.get_running_loop().call_later(PATIENCE, self._late)

    def _late(self) -> None:
        self._set_alarm()  # until it is heard
        self._host.post_message(Landed(None))

    def _target(self) -> DOMNode:
        return self._host.focused or self._host.screen
