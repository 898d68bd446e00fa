"""Shares the event loop among those who have much to do on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")

PIECE = 0.002
"""Seconds of work in one turn of the loop."""


class LoopTurns:
    """Turns of the event loop, in each of which one of those who work does a piece of its work.

    A plain ``sleep(0)`` does not bound how long a call waits: all who use it have a turn of the
    loop in common.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Wait for a turn of the loop in which nobody else works."""
        async with self._lock:
            await asyncio.sleep(0)

    async def in_pieces(self, items: Iterable[T]) -> AsyncIterator[T]:
        """Yield the items; what is done with them takes ``PIECE`` seconds of a turn at most."""
        until = 0.0
        for item in items:
            if time.perf_counter() >= until:
                await self.take()
                until = time.perf_counter() + PIECE
            yield item
