"""Threads that run functions, with those who wait taking turns.

A caller with a thousand functions waiting delays another caller's by one of them, not by all. Those
that return a page of a list are *bulk*: they delay no other function of their caller either.
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


_bulk: ContextVar[bool] = ContextVar("bulk", default=False)

_Queue = tuple[str, bool]
"""A party, and whether this is the queue of its bulk."""


@contextlib.contextmanager
def on_behalf_of(party: str) -> Iterator[None]:
    """Within the block, and in tasks started there, functions wait in this party's queue."""
    token = _party.set(party)
    try:
        yield
    finally:
        _party.reset(token)


@contextlib.contextmanager
def in_bulk() -> Iterator[None]:
    """Within the block, functions return a page of a list."""
    token = _bulk.set(True)
    try:
        yield
    finally:
        _bulk.reset(token)


class FairThreads:
    """A few threads. One party's functions begin in order; parties take turns.

    Of several threads, a party other than the daemon may use all but one, and bulk one: Python runs
    one thread at a time, so a second one would make no list faster, and hold up all else.
    """

    def __init__(self, workers: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._most = max(1, workers - 1)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[_Queue, deque[Work]] = OrderedDict()
        """The queue whose turn is next comes first. None in it is empty."""
        self._running: Counter[str] = Counter()
        self._bulk_runs = False

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
            queue = _party.get(), _bulk.get()
            self._waiting.setdefault(queue, deque()).append(work)
        self._executor.submit(self._run_waiting)
        return future

    def shutdown(self, *, wait: bool) -> None:
        """Take no more functions, and with ``wait`` run those that wait."""
        self._executor.shutdown(wait=wait)

    def _run_waiting(self) -> None:
        """Run what waits until there is nothing that may run now."""
        while (taken := self._take()) is not None:
            (party, bulk), work = taken
            try:
                work()
            finally:
                with self._lock:
                    self._running[party] -= 1
                    self._bulk_runs = self._bulk_runs and not bulk
            del work

    def _take(self) -> tuple[_Queue, Work] | None:
        with self._lock:
            key = next(filter(self._may_run, self._waiting), None)
            if key is None:
                return None
            queue = self._waiting[key]
            work = queue.popleft()
            if queue:
                self._waiting.move_to_end(key)
            else:
                del self._waiting[key]
            party, bulk = key
            self._running[party] += 1
            self._bulk_runs = self._bulk_runs or bulk
            if len(self._running) > _COUNTED:
                self._running = +self._running  # without the zeros
            return key, work

    def _may_run(self, queue: _Queue) -> bool:
        party, bulk = queue
        if bulk and self._bulk_runs:
            return False
        return not party or self._running[party] < self._most
