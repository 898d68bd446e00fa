"""The worker of one device: it owns the device's one session and drains its queue.

Batches come from the jobs, one for each phase. Several jobs' batches are worked off in one session,
and their saves are merged into one. The session is opened by the first batch, and kept for a while
when no job needs the device any more: the next one finds it warm.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from haas_rpcd.drivers import SESSION_LOST, Driver, Report
from haas_rpcd.engine.journal import Verdict
from haas_rpcd.engine.sending import Batch, Sending
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import Phase

log = logging.getLogger(__name__)

MERGE = 0.5
"""Seconds that a save waits for those of other jobs that are busy with the device: a switch takes
longer than that to save, and one save is enough for all."""

T = TypeVar("T")


@dataclass
class Look:
    """Something that only reads, in the device's one session."""

    read: Callable[[Driver], Awaitable[Any]]
    finished: asyncio.Future[Any] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Worker:
    """One device's queue and session, which is kept for ``keep`` seconds after its last use."""

    def __init__(
        self,
        device: str,
        make_driver: Callable[[], Awaitable[Driver]],
        *,
        keep: float = 0.0,
        opened: Callable[[str, Driver], Awaitable[None]] | None = None,
    ) -> None:
        self._opened = opened
        self.device = device
        self._keep = keep
        self._make_driver = make_driver
        self._driver: Driver | None = None
        self._queue: deque[Batch | Look] = deque()
        self._wake = asyncio.Event()
        self._users = 0
        self._task: asyncio.Task[None] | None = None

    # --- for the jobs -----------------------------------------------------------------------------

    def enter(self) -> None:
        """A job begins to use the device."""
        self._users += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(), name=f"worker {self.device}")

    def leave(self) -> None:
        """A job has no more for the device; after the last one the session is only kept warm."""
        self._users -= 1
        self._wake.set()

    async def run(self, batch: Batch) -> list[Verdict]:
        """Work off a batch when its turn comes; give what each of its steps came to."""
        self._queue.append(batch)
        self._wake.set()
        return await batch.finished

    async def look(self, read: Callable[[Driver], Awaitable[T]]) -> T:
        """Let ``read`` have the session when its turn comes. Raises what it raises, HaasError."""
        look = Look(read)
        self.enter()
        try:
            self._queue.append(look)
            self._wake.set()
            result: T = await look.finished
            return result
        finally:
            self.leave()

    async def stop(self) -> None:
        """End at once (the daemon stops); the next start picks up what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- the queue --------------------------------------------------------------------------------

    async def _drain(self) -> None:
        try:
            while self._users or self._queue or self._driver is not None:
                wait = self._patience()
                if self._queue and not wait:
                    await self._take()
                    continue
                self._wake.clear()
                try:
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                except TimeoutError:
                    if not self._queue:
                        await self.close()  # and look again: somebody may have come meanwhile
        finally:
            await self.close()

    async def _take(self) -> None:
        taken = self._next()
        if isinstance(taken, Look):
            await self._look(taken)
        else:
            await self._work(taken)

    def _patience(self) -> float | None:
        """Seconds to wait for somebody to come; None: as long as it takes.

        None at all when there is something to do now. Saves wait a moment while other jobs, which
        will save as well, are busy with the device.
        """
        if not self._queue:
            return None if self._users else self._keep
        saves = [
            item.queued
            for item in self._queue
            if isinstance(item, Batch) and item.phase is Phase.SAVE
        ]
        if len(saves) < len(self._queue) or len(saves) >= self._users:
            return 0.0
        return max(0.0, min(saves) + MERGE - asyncio.get_running_loop().time())

    def _next(self) -> Look | list[Batch]:
        """Take the next batch; a save waits for all others, and takes all saves along."""
        saves = []
        for item in self._queue:
            if isinstance(item, Batch) and item.phase is Phase.SAVE:
                saves.append(item)
                continue
            self._queue.remove(item)
            return item if isinstance(item, Look) else [item]
        self._queue.clear()
        return saves

    async def _look(self, look: Look) -> None:
        try:
            result = await self._read(look)
        except asyncio.CancelledError:
            look.finished.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - the asker's matter; the session may be anyhow
            await self.close()
            if not look.finished.done():
                look.finished.set_exception(error)
        else:
            if not look.finished.done():  # else the asker has gone
                look.finished.set_result(result)

    async def _read(self, look: Look) -> Any:
        """Let somebody read; once more in a new session when a kept one turns out to have ended."""
        kept = self._driver
        driver = await self.open(_silent)
        try:
            return await look.read(driver)
        except DeviceError as error:
            if driver is not kept or error.reason not in SESSION_LOST:
                raise
        await self.close()
        return await look.read(await self.open(_silent))

    async def _work(self, batches: list[Batch]) -> None:
        first, *others = batches
        try:
            verdicts = await Sending(self.device, self, first).run()
            _answer(first, verdicts)
            for other in others:  # merged saves: one was sent for all of them
                verdict = verdicts[0]
                shared = [
                    Verdict(entry, verdict.state, verdict.message, verdict.seen)
                    for entry in other.entries
                ]
                await other.journal.close(shared)
                _answer(other, shared)
        except asyncio.CancelledError:
            for batch in batches:
                batch.finished.cancel()
            raise
        except Exception as error:  # a bug of ours must fail the job, not hang it
            log.exception("device %s: a batch failed unexpectedly", self.device)
            for batch in batches:
                if not batch.finished.done():
                    batch.finished.set_exception(error)

    # --- the session ------------------------------------------------------------------------------

    async def open(self, report: Report) -> Driver:
        """Give the open session; open one if there is none that still answers.

        One that was opened to what the device was registered as before is not used any more.
        """
        if self._driver is not None:
            driver = await self._make_driver()
            if driver.registered != self._driver.registered or not await self._driver.usable():
                log.info("%s: the session that was kept can't be used any more", self.device)
                await self.close()
        if self._driver is None:
            driver = await self._make_driver()
            try:
                await driver.open(report)
                if self._opened is not None:
                    await self._opened(self.device, driver)
            except BaseException:
                await driver.close()
                raise
            self._driver = driver
        return self._driver

    async def close(self) -> None:
        """End the session, if there is one."""
        if self._driver is not None:
            driver, self._driver = self._driver, None
            await driver.close()


def _answer(batch: Batch, verdicts: list[Verdict]) -> None:
    """Tell a batch's job what came of it, if it still asks: the daemon may be stopping."""
    if not batch.finished.done():
        batch.finished.set_result(verdicts)


def _silent(line: str) -> None:
    """Take no notice: reading is no news."""
