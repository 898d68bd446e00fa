"""The worker of one device: it owns the only session and processes the device's queue.

Jobs queue a batch for each of their phases, and readers queue requests. Batches of several jobs
share one session, and one save serves them all. The first item in the queue opens the session; when
no job needs the device any more, the session stays open for a while, so that the next job does not
have to log in.

Everything in the queue is answered, whatever fails: by its result, or by an exception.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeGuard, TypeVar

from haas_rpcd import logs
from haas_rpcd.drivers import SESSION_LOST, Driver, Report
from haas_rpcd.engine.journal import Verdict
from haas_rpcd.engine.sending import Batch, Sending
from haas_rpcd.errors import DeviceError, HaasError, UnavailableError
from haas_rpcd.model import Phase
from haas_rpcd.tasks import cancel_and_wait, start_apart

log = logging.getLogger(__name__)

MERGE = 0.1
"""Seconds that a save waits for the saves of other jobs on the device. Saving takes a switch longer
than this, and one save serves all of them. A small job does not wait for the end of a large one."""

NEXT_PHASE = 0.02
"""Seconds that a large batch waits for the next phase of a job that has just finished one. The job
would have to wait for a whole turn of the large batch at each of its phases.
"""

_STOPPING = UnavailableError("haas-rpcd is stopping: try again later.")

T = TypeVar("T")


@dataclass(eq=False)
class ReadRequest:
    """A request to use the device's session without changing anything."""

    read: Callable[[Driver], Awaitable[Any]]
    finished: asyncio.Future[Any] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


Item = Batch | ReadRequest


class Worker:
    """One device's queue and session.

    An unused session is closed after ``idle_timeout`` seconds. ``on_open`` is called with every
    session that was opened, before anything else uses it; ``note`` with each attempt to open one,
    and with what is answered in one.
    """

    def __init__(
        self,
        device: str,
        make_driver: Callable[[], Awaitable[Driver]],
        *,
        idle_timeout: float = 0.0,
        on_open: Callable[[str, Driver], Awaitable[None]] | None = None,
        note: Callable[[str, HaasError | None], Awaitable[None]] | None = None,
    ) -> None:
        self.device = device
        self._note = note or _note_nothing
        self._make_driver = make_driver
        self._idle_timeout = idle_timeout
        self._on_open = on_open
        self._driver: Driver | None = None
        self._queue: deque[Item] = deque()
        self._wake = asyncio.Event()
        self._under_way: dict[Batch, Sending] = {}
        """The batches of which some steps are sent; they are in the queue again."""
        self._last: tuple[int, float] = (0, 0.0)
        """The job that has just finished a phase, and until when its next one is waited for."""
        self.restarts = 0
        """How often the device was found restarted, in a new session."""

        self._users = 0
        self._why: HaasError = _STOPPING
        self._task: asyncio.Task[None] | None = None
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    # --- for jobs and readers ---------------------------------------------------------------------

    def acquire(self) -> None:
        """Keep the session open until :meth:`release`, and let saves wait for this user's."""
        self._users += 1
        self._wake.set()

    def release(self) -> None:
        """End one use of the device. After the last one the idle timeout begins."""
        self._users -= 1
        self._wake.set()

    async def run(self, batch: Batch) -> list[Verdict]:
        """Process a batch in its turn; return the verdict on each of its steps."""
        self._enqueue(batch)
        return await batch.finished

    async def read(self, read: Callable[[Driver], Awaitable[T]]) -> T:
        """Call ``read`` with the open session in its turn, and return its result.

        Raises HaasError if the session cannot be opened, and whatever ``read`` raises.
        """
        request = ReadRequest(read)
        self.acquire()
        try:
            self._enqueue(request)
            result: T = await request.finished
            return result
        finally:
            self.release()

    async def at_rest(self) -> None:
        """Wait until no batch is being sent."""
        await self._at_rest.wait()

    async def stop(self, why: HaasError | None = None) -> None:
        """Stop at once; whoever waits gets an error. The journal has what is under way.

        ``why``: the error; without one, the daemon is stopping.
        """
        if self._task is not None:
            self._why = why or _STOPPING
            await cancel_and_wait(self._task)
            self._why = _STOPPING

    # --- the queue --------------------------------------------------------------------------------

    def _enqueue(self, item: Item) -> None:
        self._queue.append(item)
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = start_apart(self._serve(), f"worker {self.device}")

    async def _serve(self) -> None:
        """Process the queue until nobody uses the device and its session is closed."""
        try:
            while self._users or self._queue or self._driver is not None:
                wait = self._patience()
                if self._queue and not wait:
                    await self._process(self._next())
                    continue
                self._wake.clear()
                try:
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                except TimeoutError:
                    if not self._queue:
                        await self.close()  # the loop goes on: an item may have come meanwhile
        finally:
            _fail(self._queue, self._why)
            self._queue.clear()
            self._under_way.clear()
            await self.close()

    def _patience(self) -> float | None:
        """Return the seconds to wait for the next item; None to wait without limit.

        Saves wait a moment while other jobs, which will save as well, use the device.
        """
        if not self._queue:
            return None if self._users else self._idle_timeout
        now = asyncio.get_running_loop().time()
        saves = [item.queued for item in self._queue if _is_save(item)]
        if len(saves) >= self._users:
            return 0.0
        if len(saves) == len(self._queue):
            return max(0.0, min(saves) + MERGE - now)
        if self._someone_is_between_phases():
            return max(0.0, self._last[1] - now)
        return 0.0

    def _someone_is_between_phases(self) -> bool:
        """Return whether only large batches are queued, though another job uses the device."""
        return self._users > len(self._queue) and self._queue_is_under_way()

    def _queue_is_under_way(self) -> bool:
        return all(item in self._under_way for item in self._queue if not _is_save(item))

    def _next(self) -> list[Item]:
        """Take the next item; saves come last, all of them at once.

        A save does not wait for the end of a large batch: it is next once it has waited long
        enough, or if only large batches are left. A job that has just finished a phase goes on with
        its next one.
        """
        saves = [item for item in self._queue if _is_save(item)]
        overdue = asyncio.get_running_loop().time() - MERGE
        if saves and (
            len(saves) == len(self._queue)
            or any(save.queued <= overdue for save in saves)
            or (self._users <= len(self._queue) and self._queue_is_under_way())
        ):
            self._queue = deque(item for item in self._queue if item not in saves)
            return list(saves)
        others = [item for item in self._queue if not _is_save(item)]
        goes_on = (item for item in others if _job_of(item) == self._last[0])
        first = next(goes_on, others[0])
        self._queue.remove(first)
        return [first]

    async def _process(self, items: list[Item]) -> None:
        """Process one item, or several saves, and answer each, if only by an exception."""
        waiting = [item for item in items if not item.finished.done()]
        for item in items:  # the others gave up
            if isinstance(item, Batch) and item not in waiting:
                self._under_way.pop(item, None)
        if any(isinstance(item, Batch) for item in waiting):
            self._at_rest.clear()
        about: dict[str, str | int] = {"device": self.device}
        for item in waiting:
            if isinstance(item, Batch):
                about["job"] = item.journal.job_id
        try:
            if waiting:
                with logs.about(**about):
                    await self._answer(waiting)
        except asyncio.CancelledError:
            if _is_being_cancelled():
                _fail(waiting, self._why)
                raise
            # Something that was awaited here is cancelled; the worker is not.
            log.exception("device %s: what a request waits for was cancelled", self.device)
        except HaasError as error:  # the store failed
            log.error("device %s: %s", self.device, error.message)
            _fail(waiting, error)
        except Exception:  # a bug must fail the request, not hang it
            log.exception("device %s: a request failed unexpectedly", self.device)
        finally:
            self._at_rest.set()
        under_way = [item for item in waiting if item not in self._queue]
        _fail(under_way, RuntimeError(f"a request to {self.device} failed unexpectedly"))

    async def _answer(self, items: list[Item]) -> None:
        match items:
            case [ReadRequest() as request]:
                await self._answer_read(request)
            case [Batch() as first, *others]:
                sending = self._under_way.pop(first, None) or Sending(self.device, self, first)
                verdicts = await sending.advance()
                if verdicts is None:
                    self._under_way[first] = sending
                    self._queue.extend(items)  # behind whoever came meanwhile
                    return
                if any(verdict.seen is not None for verdict in verdicts):
                    await self._note(self.device, None)
                self._last = (
                    first.journal.job_id,
                    asyncio.get_running_loop().time() + NEXT_PHASE,
                )
                _settle(first, verdicts)
                for other in others:
                    if isinstance(other, Batch):
                        await _share(verdicts[0], other)

    async def _answer_read(self, request: ReadRequest) -> None:
        try:
            result = await self._read(request)
        except Exception as error:  # noqa: BLE001 - for the caller; the session may be unusable
            _fail([request], error)
            await self.close()
        else:
            await self._note(self.device, None)
            _settle(request, result)

    async def _read(self, request: ReadRequest) -> Any:
        """Read; if a session that was kept open turns out to be lost, read again in a new one."""
        kept = self._driver
        driver = await self.open(_ignore)
        try:
            return await request.read(driver)
        except DeviceError as error:
            if driver is not kept or error.reason not in SESSION_LOST:
                raise
        await self.close()
        return await request.read(await self.open(_ignore))

    # --- the session ------------------------------------------------------------------------------

    async def open(self, report: Report) -> Driver:
        """Return the open session, or open one. Raises HaasError.

        A session that no longer answers, or was opened before the device's registration changed, is
        replaced.
        """
        if self._driver is not None:
            driver = await self._make_driver()
            if driver.registered != self._driver.registered or not await self._driver.usable():
                log.info("%s: the session that was kept can't be used any more", self.device)
                await self.close()
        if self._driver is None:
            driver = await self._make_driver()
            try:
                await self._connect(driver, report)
                if self._on_open is not None:
                    await self._on_open(self.device, driver)
            except BaseException:
                await driver.close()
                raise
            self._driver = driver
        return self._driver

    async def _connect(self, driver: Driver, report: Report) -> None:
        try:
            await driver.open(report)
        except HaasError as error:
            await self._note(self.device, error)
            raise
        await self._note(self.device, None)

    async def close(self) -> None:
        """Close the session, if one is open."""
        if self._driver is not None:
            driver, self._driver = self._driver, None
            try:
                await driver.close()
            except Exception:  # a bug: drivers promise not to raise here
                log.exception("device %s: its session did not close", self.device)


def _is_save(item: Item) -> TypeGuard[Batch]:
    return isinstance(item, Batch) and item.phase is Phase.SAVE


def _job_of(item: Item) -> int | None:
    return item.journal.job_id if isinstance(item, Batch) else None


async def _share(verdict: Verdict, other: Batch) -> None:
    """Give another job's save the verdict on the save that served both."""
    shared = [
        Verdict(entry, verdict.state, verdict.message, verdict.seen) for entry in other.entries
    ]
    await other.journal.record(shared)
    _settle(other, shared)


def _settle(item: Item, result: Any) -> None:
    """Answer an item, unless whoever queued it has given up."""
    if not item.finished.done():
        item.finished.set_result(result)


def _fail(items: Iterable[Item], error: Exception) -> None:
    """Answer the items that have no answer yet by an exception."""
    for item in items:
        if not item.finished.done():
            item.finished.set_exception(error)


def _is_being_cancelled() -> bool:
    """Return whether this very task is to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _note_nothing(device: str, error: HaasError | None) -> None:
    """The default for ``note``: ignore whether the device answers."""


def _ignore(line: str) -> None:
    """The progress of reads: none is reported."""
