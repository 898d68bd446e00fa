"""Ending a task without losing the caller's own cancellation."""

from __future__ import annotations

import asyncio
from typing import Any


async def cancel_and_wait(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended; drop its result or exception.

    Raises CancelledError if the caller is cancelled meanwhile. ``await task`` within
    ``suppress(CancelledError)`` would lose that: it cannot tell the two cancellations apart.
    """
    task.cancel()
    task.add_done_callback(_retrieve)
    await asyncio.wait({task})


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Mark the task's exception as seen, so that asyncio logs nothing."""
    if not task.cancelled():
        task.exception()
