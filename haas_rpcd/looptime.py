"""Shares the event loop among those who have much to do on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")

PIECE = 0.002
"""Seconds that all who take turns may work in one turn of the loop."""


class LoopTurns:
    """Spreads much work over many turns of the event loop, so that no call waits long for one.

    All who share this share ``PIECE`` seconds of each turn; who comes when they are used up waits
    for a later turn, behind those who wait already. A plain ``sleep(0)`` bounds nothing: all who
    use it go on in one turn.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._begun: float | None = None
        """When the first of this turn began to work."""

    def used_up(self) -> bool:
        """Return whether no more should be done in this turn of the loop; call it before work."""
        now = time.perf_counter()
        if self._begun is None:
            self._begun = now
            asyncio.get_running_loop().call_soon(self._end_turn)
        return now - self._begun >= PIECE

    def _end_turn(self) -> None:
        self._begun = None

    async def take(self) -> None:
        """Wait for a turn of the loop that is not used up, one after the other."""
        async with self._lock:
            await asyncio.sleep(0)
            while self.used_up():  # noqa: ASYNC110 - a turn of the loop is no event
                await asyncio.sleep(0)

    async def pace(self) -> None:
        """Wait for a turn if this one is used up, or others wait already."""
        if self._lock.locked() or self.used_up():
            await self.take()

    async def in_pieces(self, items: Iterable[T]) -> AsyncIterator[T]:
        """Yield the items, in as many turns as the work with them needs."""
        for item in items:
            await self.pace()
            yield item
