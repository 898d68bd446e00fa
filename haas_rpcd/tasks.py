"""Starting, repeating and ending tasks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from typing import Any, NoReturn, TypeVar

from haas_rpcd.errors import HaasError

T = TypeVar("T")

log = logging.getLogger(__name__)


def start_apart(coroutine: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start a task that outlives what it was started in: its lines in the log are not about that.

    A task takes over the context variables of whoever starts it, see contextvars.
    """
    return asyncio.create_task(coroutine, name=name, context=Context())


async def repeat(
    check: Callable[[], Awaitable[float]], changed: asyncio.Event, *, at_most: float, what: str
) -> NoReturn:
    """Call ``check`` for ever: as many seconds later as it returns, or once ``changed`` is set.

    If it fails, that is logged as ``what``, and it is called again ``at_most`` seconds later.
    """
    while True:
        changed.clear()
        wait = at_most
        try:
            wait = await check()
        except Exception as error:  # noqa: BLE001 - it may be luckier next time
            log_failure(what, error)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await changed.wait()


async def every(interval: float, work: Callable[[], Awaitable[object]], failed: str) -> NoReturn:
    """Do some work every ``interval`` seconds, for ever. If it fails, ``failed`` is logged."""
    while True:
        await asyncio.sleep(interval)
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - it may be luckier next time
            log_failure(failed, error)


def log_failure(what: str, error: Exception) -> None:
    """Log that something failed: by its sentence if it has one, as of the store; else its stack."""
    if isinstance(error, HaasError):
        log.error("%s: %s", what, error.message)
    else:
        log.error("%s", what, exc_info=error)


async def ends_within(seconds: float, work: Coroutine[Any, Any, object]) -> bool:
    """Let some work take so many seconds at most; return whether it ended. Raises what it raised.

    For what is done at the end, when the current task may have been cancelled: in such a task
    asyncio.timeout of Python 3.11.2, which Debian 12 has, ends with CancelledError instead of
    TimeoutError, and what follows would be left out
    (https://github.com/python/cpython/issues/102780).
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        ended = task.done()
        if not ended:
            await cancel_and_wait(task)
    if ended:
        task.result()
    return ended


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
