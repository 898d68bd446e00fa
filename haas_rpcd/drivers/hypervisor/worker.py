"""Blocking calls from asyncio, with time-outs that hold.

libvirt's calls block, and one to a daemon that has gone silent blocks for ever. They run in one
thread, in their order; a thread that does not come back in time is left behind and replaced. It is
a daemon thread, so it keeps no program from ending (those of ``concurrent.futures`` would), and how
many may be left behind is bounded.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

Result = TypeVar("Result")

LEFT_BEHIND = 4
"""How many threads may hang at a time; each holds a connection to the hypervisor."""


class TooManyHanging(Exception):
    """So many earlier calls are still hanging that no further one is begun."""


class Abandoned(Exception):
    """Raised in a thread that was left behind, before it would go on to change anything."""


class Task(Generic[Result]):
    """One blocking call: a function that is given this task, and runs in a worker's thread."""

    def __init__(self, function: Callable[[Task[Any]], Result]) -> None:
        self._function = function
        self._abandoned = threading.Event()
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Result] = self._loop.create_future()

    def go_on(self) -> None:
        """Raise Abandoned if nobody waits for this call any more.

        Called before each change: a call that hung must not wake up later and change things that
        have been planned anew meanwhile.
        """
        if self._abandoned.is_set():
            raise Abandoned

    def pause(self, seconds: float) -> None:
        """Wait, but not once nobody waits for this call any more."""
        self._abandoned.wait(seconds)
        self.go_on()

    def relay(self, function: Callable[[str], None]) -> Callable[[str], None]:
        """Make a function that, called in the worker's thread, has this one called in the loop's.

        What was said before the call's end is heard before whoever awaits the call goes on.
        """

        def report(line: str) -> None:
            self.go_on()
            self._loop.call_soon_threadsafe(function, line)

        return report

    def abandon(self) -> None:
        """Say that nobody waits for it any more."""
        self._abandoned.set()

    def run(self) -> None:
        """Call the function, and hand what comes of it to the waiting coroutine."""
        try:
            self.go_on()
            result = self._function(self)
        except BaseException as error:  # noqa: BLE001 (it is raised again where it is awaited)
            self._hand_over(self._fail, error)
        else:
            self._hand_over(self._succeed, result)

    def _hand_over(self, deliver: Callable[[Any], None], value: Any) -> None:
        if self._loop.is_closed():
            return  # the program ended while this call hung
        try:
            self._loop.call_soon_threadsafe(deliver, value)
        except RuntimeError:
            return  # the loop closed between the question and the call

    def _succeed(self, result: Result) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def _fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Worker:
    """Runs blocking calls one after the other in a thread, which is replaced if it hangs."""

    _hanging: ClassVar[list[threading.Thread]] = []  # of all workers: each session has its own

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: queue.SimpleQueue[Task[Any] | None] | None = None
        self._thread: threading.Thread | None = None

    async def call(self, function: Callable[[Task[Any]], Result], timeout: float) -> Result:
        """Run the function, and wait at most ``timeout`` seconds for it.

        Raises what it raises, TimeoutError when it is not done in time, and TooManyHanging.
        """
        task = Task(function)
        self._queue().put(task)
        try:
            async with asyncio.timeout(timeout):
                return await task.future
        except (TimeoutError, asyncio.CancelledError):
            task.abandon()
            self._leave_behind()
            raise

    def end(self) -> None:
        """Let the thread end when it is idle."""
        if self._tasks is not None:
            self._tasks.put(None)
        self._tasks = self._thread = None

    def _queue(self) -> queue.SimpleQueue[Task[Any] | None]:
        if self._tasks is None:
            self._hanging[:] = [thread for thread in self._hanging if thread.is_alive()]
            if len(self._hanging) >= LEFT_BEHIND:
                raise TooManyHanging
            self._tasks = queue.SimpleQueue()
            self._thread = threading.Thread(
                target=_work, args=(self._tasks,), name=self._name, daemon=True
            )
            self._thread.start()
        return self._tasks

    def _leave_behind(self) -> None:
        if self._thread is not None:
            self._hanging.append(self._thread)
        self.end()


def _work(tasks: queue.SimpleQueue[Task[Any] | None]) -> None:
    while (task := tasks.get()) is not None:
        task.run()
        del task  # do not hold its result while waiting for the next
