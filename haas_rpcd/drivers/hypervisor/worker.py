"""Runs blocking calls from asyncio, with reliable time-outs.

libvirt's calls block, and a call to a silent libvirtd blocks forever. They run in one thread, one
after the other. A thread that does not return in time is abandoned and replaced. It is a daemon
thread, so that it does not keep the program from ending (those of ``concurrent.futures`` would).
The number of abandoned threads is limited for each libvirt: one that is silent must not keep the
others from being asked.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

from haas_rpcd import patience

Result = TypeVar("Result")

MAX_HANGING = 4
"""Threads that may hang in calls to one libvirt at the same time; each holds a connection to it."""


class TooManyHanging(Exception):
    """Too many earlier calls are still hanging, so no further one is started."""


class Abandoned(Exception):
    """Raised in an abandoned thread, before it would change anything else."""


class Task(Generic[Result]):
    """One blocking call: a function that gets this task, and runs in a worker's thread."""

    def __init__(self, function: Callable[[Task[Any]], Result]) -> None:
        self._function = function
        self._abandoned = threading.Event()
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Result] = self._loop.create_future()

    def go_on(self) -> None:
        """Raise Abandoned if nobody waits for this call any longer.

        It is called before each change: a call that hung must not wake up later and change what has
        been planned again meanwhile.
        """
        if self._abandoned.is_set():
            raise Abandoned

    def pause(self, seconds: float) -> None:
        """Wait; raise Abandoned as soon as nobody waits for this call any longer."""
        self._abandoned.wait(seconds)
        self.go_on()

    def relay(self, function: Callable[[str], None]) -> Callable[[str], None]:
        """Return a function for the worker's thread that calls this one in the loop's thread.

        All its calls are delivered before the coroutine that awaits this task continues.
        """

        def report(line: str) -> None:
            self.go_on()
            self._loop.call_soon_threadsafe(function, line)

        return report

    def abandon(self) -> None:
        """Note that nobody waits for this call any longer."""
        self._abandoned.set()

    def run(self) -> None:
        """Call the function, and deliver its result or error to the waiting coroutine."""
        try:
            self.go_on()
            result = self._function(self)
        except BaseException as error:  # noqa: BLE001 (it is raised again where it is awaited)
            self._deliver(self._fail, error)
        else:
            self._deliver(self._succeed, result)

    def _deliver(self, deliver: Callable[[Any], None], value: Any) -> None:
        if self._loop.is_closed():
            return  # the program ended while this call hung
        try:
            self._loop.call_soon_threadsafe(deliver, value)
        except RuntimeError:
            return  # the loop closed after the check

    def _succeed(self, result: Result) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def _fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Worker:
    """Runs blocking calls, one after the other, in a thread that is replaced if it hangs.

    ``uri``: the libvirt that it calls.
    """

    _hanging: ClassVar[dict[str, list[threading.Thread]]] = defaultdict(list)
    """By URI, and of all workers: each session has a worker of its own."""

    def __init__(self, name: str, uri: str) -> None:
        self._name = name
        self._uri = uri
        self._tasks: queue.SimpleQueue[Task[Any] | None] | None = None
        self._thread: threading.Thread | None = None

    async def call(self, function: Callable[[Task[Any]], Result], timeout: float) -> Result:
        """Run the function, and wait at most ``timeout`` seconds for it.

        Raises what it raises, TimeoutError if it does not return in time, and TooManyHanging.
        """
        task = Task(function)
        self._queue().put(task)
        try:
            async with patience.timeout(timeout):
                return await task.future
        except (TimeoutError, asyncio.CancelledError):
            task.abandon()
            self._abandon_thread()
            raise

    def end(self) -> None:
        """Let the thread end as soon as it is idle."""
        if self._tasks is not None:
            self._tasks.put(None)
        self._tasks = self._thread = None

    def _queue(self) -> queue.SimpleQueue[Task[Any] | None]:
        if self._tasks is None:
            if self._count_hanging() >= MAX_HANGING:
                raise TooManyHanging
            self._tasks = queue.SimpleQueue()
            self._thread = threading.Thread(
                target=_work, args=(self._tasks,), name=self._name, daemon=True
            )
            self._thread.start()
        return self._tasks

    def _count_hanging(self) -> int:
        hanging = [thread for thread in self._hanging.pop(self._uri, ()) if thread.is_alive()]
        if hanging:
            self._hanging[self._uri] = hanging
        return len(hanging)

    def _abandon_thread(self) -> None:
        if self._thread is not None:
            self._hanging[self._uri].append(self._thread)
        self.end()


def _work(tasks: queue.SimpleQueue[Task[Any] | None]) -> None:
    while (task := tasks.get()) is not None:
        task.run()
        del task  # release its result while waiting for the next
