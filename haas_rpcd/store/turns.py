"""Threads that run functions, with those who wait taking turns.

A caller with a thousand functions waiting delays another caller's by one of them, not by all.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[[], None]

_COUNTED = 1000
"""Parties that are remembered before those that have nothing running are dropped."""

_party: ContextVar[str] = ContextVar("party", default="")
"""On whose behalf the current task runs; "" for the daemon itself."""


@contextlib.contextmanager
def on_behalf_of(party: str) -> Iterator[None]:
    """Within the block, and in tasks started there, functions wait in this party's queue."""
    token = _party.set(party)
    try:
        yield
    finally:
        _party.reset(token)


class FairThreads:
    """A few threads. One party's functions begin in order; parties take turns.

    Of several threads, a party other than the daemon may use all but one.
    """

    def __init__(self, workers: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._most = max(1, workers - 1)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, deque[Work]] = OrderedDict()
        """The party whose turn is next comes first. No queue in it is empty."""
        self._running: Counter[str] = Counter()

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a thread, when it is the current party's turn."""
        return await asyncio.wrap_future(self.submit(function, *args, **kwargs))

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a function for the threads."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - raised where the result is awaited
                future.set_exception(error)

        with self._lock:
            self._waiting.setdefault(_party.get(), deque()).append(work)
        self._executor.submit(self._run_waiting)
        return future

    def shutdown(self, *, wait: bool) -> None:
        """Take no more functions, and with ``wait`` run those that wait."""
        self._executor.shutdown(wait=wait)

    def _run_waiting(self) -> None:
        """Run what waits until there is nothing that may run now."""
        while (taken := self._take()) is not None:
            party, work = taken
            try:
                work()
            finally:
                with self._lock:
                    self._running[party] -= 1
            del work

    def _take(self) -> tuple[str, Work] | None:
        with self._lock:
            for party in self._waiting:
                if not party or self._running[party] < self._most:
                    break
            else:
                return None
            queue = self._waiting[party]
            work = queue.popleft()
            if queue:
                self._waiting.move_to_end(party)
            else:
                del self._waiting[party]
            self._running[party] += 1
            if len(self._running) > _COUNTED:
                self._running = +self._running  # without the zeros
            return party, work
