"""Time-outs that count only the time in which the daemon could have noticed an answer.

A daemon that was stopped, or that was busy with a thousand other switches, finds its time-outs over
and the answers waiting in its sockets. Such a device is not silent. So a heartbeat measures how
late the event loop is, and time-outs do not count that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from weakref import WeakKeyDictionary

_BEAT = 0.05
"""Seconds between two heartbeats."""

_LATE = 0.1
"""Seconds by which a heartbeat may be late before it counts."""


class Limit:
    """A time-out under way."""

    def __init__(self, timeout: asyncio.Timeout, seconds: float) -> None:
        self._timeout = timeout
        self._deadline = now() + seconds
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._over)
        if seconds <= 0:  # at once: what talks without end never lets the timer come
            timeout.reschedule(loop.time())

    def restart(self, seconds: float) -> None:
        """Let the time-out begin anew."""
        self._timer.cancel()
        self._deadline = now() + seconds
        self._timer = asyncio.get_running_loop().call_later(seconds, self._over)

    def stop(self) -> None:
        """Let it never be over."""
        self._timer.cancel()

    def _over(self) -> None:
        loop = asyncio.get_running_loop()
        left = self._deadline - now()
        if left > 0:
            self._timer = loop.call_later(left, self._over)
        else:
            self._timeout.reschedule(loop.time())


@asynccontextmanager
async def timeout(seconds: float) -> AsyncIterator[Limit]:
    """Raise TimeoutError if what is within takes more than ``seconds``, as asyncio.timeout does."""
    with counting():
        async with asyncio.timeout(None) as inner:
            limit = Limit(inner, seconds)
            try:
                yield limit
            finally:
                limit.stop()


@contextmanager
def counting() -> Iterator[None]:
    """Within the block, count how long the event loop stands still: :func:`now` is exact."""
    heart = _heart()
    heart.start()
    try:
        yield
    finally:
        heart.stop()


def now() -> float:
    """Return seconds of a clock that stands still while the event loop does.

    It is exact within :func:`timeout` and :func:`counting`; otherwise nobody counts how long the
    loop stands still.
    """
    return _heart().now()


class _Heart:
    """Beats while anybody waits. It is used on its own loop only, and does not keep that alive."""

    def __init__(self) -> None:
        self._lost = 0.0
        self._last = self._loop.time()
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def start(self) -> None:
        self._waiting += 1
        if self._timer is None:
            self._last = self._loop.time()
            self._timer = self._loop.call_later(_BEAT, self._beat)

    def stop(self) -> None:
        self._waiting -= 1
        if not self._waiting and self._timer is not None:
            self._lost += self._late()
            self._timer.cancel()  # one that is still due would keep a closed loop in memory
            self._timer = None

    def now(self) -> float:
        return self._loop.time() - self._lost - self._late()

    def _late(self) -> float:
        late = self._loop.time() - self._last - _BEAT if self._timer is not None else 0.0
        return late if late > _LATE else 0.0

    def _beat(self) -> None:
        self._lost += self._late()
        self._last = self._loop.time()
        self._timer = self._loop.call_later(_BEAT, self._beat)


_hearts: WeakKeyDictionary[asyncio.AbstractEventLoop, _Heart] = WeakKeyDictionary()


def _heart() -> _Heart:
    loop = asyncio.get_running_loop()
    if loop not in _hearts:
        _hearts[loop] = _Heart()
    return _hearts[loop]
