"""Ending a task without losing the caller's own cancellation."""

from __future__ import annotations

import asyncio
from typing import Any


async def cancel_and_wait(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended; drop its result or exception.

    If the caller is cancelled meanwhile, its CancelledError is raised. ``await task`` under
    ``suppress(CancelledError)`` cannot do this: it takes the caller's CancelledError for the task's.
    """
    task.cancel()
    task.add_done_callback(_retrieve)
    await asyncio.wait({task})


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Mark the task's exception as seen, so that asyncio logs nothing."""
    if not task.cancelled():
        task.exception()
