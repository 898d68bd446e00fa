"""Ending tasks without losing the caller's own cancellation."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

log = logging.getLogger(__name__)


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until all have ended; log their exceptions.

    Raises CancelledError if the caller is cancelled meanwhile. ``await task`` within
    ``suppress(CancelledError)`` would lose that: it cannot tell the two cancellations apart.
    """
    for task in tasks:
        task.cancel()
        task.add_done_callback(_log_exception)
    if tasks:
        await asyncio.wait(tasks)


def _log_exception(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed while it was stopped", task.get_name(), exc_info=error)
