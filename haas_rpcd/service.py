"""The daemon as a service: it runs until a signal ends it, and tells systemd how it is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from haas_rpcd import garbage
from haas_rpcd.errors import HaasError
from haas_rpcd.tasks import cancel_and_wait

log = logging.getLogger(__name__)


async def until_stopped(
    reload: Callable[[], None] | None = None,
    check: Callable[[], Awaitable[object]] | None = None,
    until: Coroutine[None, None, None] | None = None,
) -> bool:
    """Wait for SIGTERM or SIGINT, or the end of ``until``; return whether it was the latter.

    Meanwhile systemd counts the daemon as ready. SIGHUP calls ``reload``. If systemd wants to hear
    from a watchdog, it does as long as the event loop turns and ``check`` answers:
    sd_watchdog_enabled(3).
    """
    with garbage.no_full_collections():
        return await _until_stopped(reload, check, until)


async def _until_stopped(
    reload: Callable[[], None] | None,
    check: Callable[[], Awaitable[object]] | None,
    until: Coroutine[None, None, None] | None,
) -> bool:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if reload is not None:
        loop.add_signal_handler(signal.SIGHUP, _reloading(reload))
    _notify_systemd("READY=1")
    beside = [
        asyncio.create_task(_feed_watchdog(check), name="watchdog"),
        asyncio.create_task(garbage.collect_when_cheap(), name="garbage"),
    ]
    signalled = asyncio.create_task(stopped.wait(), name="signals")
    waiting: list[asyncio.Task[Any]] = [signalled]
    if until is not None:
        waiting.append(asyncio.create_task(until, name="until"))
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if signalled not in done:
            await waiting[-1]  # raises what it raised
            return True
    finally:
        await cancel_and_wait(*beside, *waiting)
    _notify_systemd("STOPPING=1")
    return False


@contextlib.asynccontextmanager
async def attended() -> AsyncIterator[None]:
    """Within the block, SIGTERM and SIGINT cancel the current task, and the watchdog is fed.

    For what takes long between two calls of :func:`until_stopped`, which waits for them itself.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
    dog = asyncio.create_task(_feed_watchdog(None), name="watchdog")
    try:
        yield
    finally:
        dog.cancel()


def _reloading(reload: Callable[[], None]) -> Callable[[], None]:
    """Tell systemd that the configuration is read again, and when that is done: sd_notify(3)."""

    def run() -> None:
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        _notify_systemd(f"RELOADING=1\nMONOTONIC_USEC={now}")
        try:
            reload()
        finally:
            _notify_systemd("READY=1")

    return run


async def _feed_watchdog(check: Callable[[], Awaitable[object]] | None) -> None:
    """Notify systemd twice in each interval that it allows, after ``check`` has answered."""
    if not (interval := int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6):
        return
    while True:
        try:
            if check is not None:
                await check()
        except HaasError as error:  # it did answer, though the disk may be full
            log.warning("%s", error.message)
        _notify_systemd("WATCHDOG=1")
        await asyncio.sleep(interval / 2)


def _notify_systemd(state: str) -> None:
    """Send a state to systemd if it asked for that: sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with (
        contextlib.suppress(OSError),  # the socket is gone: systemd no longer listens
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
    ):
        notify.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        notify.sendall(state.encode())
