"""Waits for a switch that is busy: that has no session free, or is configured by somebody else."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts on a busy switch; the last one repeats."""


def delays() -> Iterator[float]:
    """Yield the seconds to wait before each further attempt on a busy switch, without end."""
    return itertools.chain(RETRY_DELAYS, itertools.repeat(RETRY_DELAYS[-1]))


async def until_free(
    attempt: Callable[[], Awaitable[T]],
    is_busy: Callable[[T], bool],
    patience: float,
    waits: Callable[[], None],
) -> T:
    """Repeat an attempt while its result is that the switch ``is_busy``; return the last result.

    No attempt begins later than ``patience`` seconds from now. ``waits`` is called before each
    wait.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    for delay in delays():
        result = await attempt()
        if not is_busy(result) or loop.time() + delay > deadline:
            break
        waits()
        await asyncio.sleep(delay)  # the switch said "try later"
    return result
