"""Delivers keys one by one: each only when the effects of the one before it are complete.

A key travels from list to screen to app before anything happens, and what happens may open a prompt
or a screen. Keys come several at once over a slow line or from a fast hand. Delivered at once, the
second would reach the list while the first is still on its way to open the prompt, and ``nweb``
would press n, w, e and b on the board.
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

ROUND_TRIPS = 2
"""Message-queue round trips to wait after a key, so that its handlers have run: Enter in a prompt
is answered by a message of its own."""
PATIENCE = 1.0
"""Seconds after which the next key is delivered even if the round trips have not come back, and
after which the user may give up waiting for a hold."""


class KeyProcessed(Message, namespace="typeahead"):
    """Follows a key through the message queues: when the app gets this, it has got the key."""

    def __init__(self, trip: int | None) -> None:
        super().__init__()
        self.trip = trip  # None: the time is up


class Hold:
    """Keeps keys back while the effect of one depends on an answer that is still to come."""

    def __init__(self, typeahead: TypeAhead) -> None:
        self._typeahead = typeahead
        self._is_closed = False
        self.given_up: Callable[[], None] | None = None
        """Called if the user gives up waiting."""
        self.take()

    def take(self) -> None:
        """Keep the next keys back, unless the hold is closed."""
        if not self._is_closed:
            self._typeahead.holds.add(self)

    def release(self) -> None:
        """Let keys through; the hold can be taken again."""
        if self in self._typeahead.holds:
            self._typeahead.holds.remove(self)
            self._typeahead.released()

    def close(self) -> None:
        """Let keys through for good."""
        self._is_closed = True
        self.release()

    def give_up(self) -> None:
        """Let keys through for good, because the user does not want to wait any longer."""
        self.close()
        if self.given_up is not None:
            self.given_up()


class TypeAhead:
    """Holds keys back while another is being processed; ``deliver`` gives the app the next."""

    def __init__(
        self,
        app: App[int],
        deliver: Callable[[events.Event], Awaitable[None]],
        waits: Callable[[], None],
    ) -> None:
        """Call ``waits`` when keys have been held back for some time."""
        self.holds: set[Hold] = set()
        self._host = app
        self._deliver = deliver
        self._waits = waits
        self._held: deque[events.Event] = deque()
        self._trip = 0
        self._trips_left = 0
        self._target_before: DOMNode | None = None  # where the last round trip began
        self._alarm: asyncio.TimerHandle | None = None
        self._is_late = False

    @property
    def busy(self) -> bool:
        """Whether a key is being processed."""
        return self._alarm is not None

    async def feed(self, event: events.Event) -> None:
        """Take what was typed or pasted."""
        if self._is_late and self.holds and self._gives_up(event):
            return
        self._held.append(event)
        if self.busy:
            return
        if self.holds:
            self._set_alarm()
        else:
            await self._next()

    def _gives_up(self, event: events.Event) -> bool:
        """Stop waiting for holds if the key asks for that; return whether it does nothing else."""
        if not isinstance(event, events.Key) or event.key not in ("escape", "ctrl+q"):
            return False
        self._held.clear()
        for hold in tuple(self.holds):
            hold.give_up()
        return event.key == "escape"

    async def processed(self, trip: int | None) -> None:
        """Deliver the next key, unless there is still something to wait for."""
        if trip not in (self._trip, None) or not self.busy:
            return  # nobody waits for it any more
        if trip is None:
            self._trips_left, self._target_before = 0, self._target()
        moved = self._target_before is not self._target()  # to a prompt or a screen not ready yet
        self._trips_left = max(self._trips_left - 1, 1 if moved else 0)
        if self._trips_left:
            self._start_trip()
        elif not self.holds:
            self._stop_alarm()
            await self._next()

    async def at_app(self) -> None:
        """Count the key's own arrival at the app as a round trip; its screen may be gone by now."""
        if self._trips_left == ROUND_TRIPS:
            await self.processed(self._trip)

    def released(self) -> None:
        """Go on if the last hold was released and something waits for it."""
        if self.holds or (self.busy and self._trips_left):
            return
        if self.busy or self._held:
            if not self.busy:
                self._set_alarm()
            self._trips_left = 1
            self._start_trip()

    def stop(self) -> None:
        """Deliver nothing any more."""
        self._held.clear()
        if self._alarm is not None:
            self._alarm.cancel()

    async def _next(self) -> None:
        if not self._held:
            return
        event = self._held.popleft()
        self._set_alarm()
        self._trips_left = ROUND_TRIPS
        await self._deliver(event)
        self._start_trip()

    def _start_trip(self) -> None:
        self._trip += 1
        self._target_before = self._target()
        if not self._target_before.post_message(KeyProcessed(self._trip)):  # it is gone
            self._host.post_message(KeyProcessed(self._trip))

    def _set_alarm(self) -> None:
        self._stop_alarm()
        self._alarm = asyncio.get_running_loop().call_later(PATIENCE, self._late)

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._is_late = False

    def _late(self) -> None:
        self._set_alarm()  # until the message is processed
        if self.holds:
            self._is_late = True
            self._waits()
        else:
            self._host.post_message(KeyProcessed(None))

    def _target(self) -> DOMNode:
        """What gets the next key; the app itself when it has no screen any more."""
        stack = self._host.screen_stack
        return (stack[-1].focused or stack[-1]) if stack else self._host
