"""The worker of one device: it owns the device's one session and drains its queue.

Batches come from the jobs, one for each phase. Several jobs' batches are worked off in one session,
and their saves are merged into one. The session is opened by the first batch and closed when no job
needs the device any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from haas_rpcd.drivers import Driver
from haas_rpcd.engine.journal import Entry, Journal, Verdict
from haas_rpcd.errors import DeviceError, HaasError
from haas_rpcd.model import Phase, SaveConfig
from haas_rpcd.planner import shortfall

log = logging.getLogger(__name__)

T = TypeVar("T")

SESSION_LOST = frozenset({"unreachable", "login", "enable", "cut", "timeout"})
"""Reasons of a DeviceError after which the session can't be used any more."""


@dataclass
class Batch:
    """What one job wants of the device in one phase."""

    journal: Journal
    phase: Phase
    entries: Sequence[Entry]
    cancelled: Callable[[], bool]
    finished: asyncio.Future[list[Verdict]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


@dataclass
class Look:
    """Something that only reads, in the device's one session."""

    read: Callable[[Driver], Awaitable[Any]]
    finished: asyncio.Future[Any] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Worker:
    """One device's queue and session."""

    def __init__(self, device: str, make_driver: Callable[[], Awaitable[Driver]]) -> None:
        self.device = device
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
        """A job has no more for the device; the last one's leaving closes the session."""
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
            while self._users or self._queue:
                if self._queue:
                    await self._take()
                else:
                    self._wake.clear()
                    await self._wake.wait()
                if not self._users and not self._queue:
                    await self._close()  # and look again: somebody may have come meanwhile
        finally:
            await self._close()

    async def _take(self) -> None:
        taken = self._next()
        if isinstance(taken, Look):
            await self._look(taken)
        else:
            await self._work(taken)

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
            result = await look.read(await self._open())
        except asyncio.CancelledError:
            look.finished.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - the asker's matter; the session may be anyhow
            await self._close()
            if not look.finished.done():
                look.finished.set_exception(error)
        else:
            if not look.finished.done():  # else the asker has gone
                look.finished.set_result(result)

    async def _work(self, batches: list[Batch]) -> None:
        first, *others = batches
        try:
            verdicts = await self._batch(first)
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

    # --- one batch --------------------------------------------------------------------------------

    async def _batch(self, batch: Batch) -> list[Verdict]:
        """Send a batch step by step, read all of it back once, and close it in the journal."""
        journal = batch.journal
        verdicts: list[Verdict] = []
        sent: list[Entry] = []
        trouble = _Trouble()
        for entry in batch.entries:
            if batch.cancelled() and batch.phase is not Phase.SAVE:  # what was done is saved
                verdicts.append(Verdict(entry, "cancelled", "cancelled before it was sent"))
            elif why := trouble.of(entry):
                verdicts.append(Verdict(entry, "skipped", f"not sent: {why}"))
            elif verdict := await self._send(journal, entry, trouble):
                verdicts.append(verdict)
            else:
                sent.append(entry)
        verdicts += await self._read_back(sent)
        verdicts = [await self._settle(verdict) for verdict in verdicts]
        verdicts.sort(key=lambda verdict: verdict.entry.number)
        await journal.close(verdicts)
        return verdicts

    async def _send(self, journal: Journal, entry: Entry, trouble: _Trouble) -> Verdict | None:
        """Send one step; give what it came to, or None when it waits for its reading back."""

        def say(line: str) -> None:
            journal.tell(entry, "sending", line=line)

        try:
            driver = await self._open()
            if refusal := await journal.sending(entry):
                trouble.note(entry, refusal, everything=False)
                return Verdict(entry, "skipped", f"not needed: {refusal}")
            await driver.send(entry.step.change, say)
        except HaasError as error:
            lost = isinstance(error, DeviceError) and error.reason in SESSION_LOST
            if lost:
                await self._close()
            goes_on = self._driver is not None and self._driver.goes_on
            trouble.note(entry, error.message, everything=lost or not goes_on)
            return Verdict(entry, "failed", error.message)
        journal.tell(entry, "sent")
        return None

    async def _read_back(self, sent: Sequence[Entry]) -> list[Verdict]:
        """Ask the device what it has now: only what it confirms is done.

        A session that was cut after some steps is opened once more for this, so that what did
        arrive is not reported as failed.
        """
        if not sent:
            return []
        try:
            driver = await self._open()
            seen = await driver.observe([entry.step.change for entry in sent])
        except HaasError as error:
            await self._close()
            return [
                Verdict(entry, "failed", f"sent, but not confirmed: {error.message}")
                for entry in sent
            ]
        verdicts = []
        for entry, found in zip(sent, seen, strict=True):
            lack = shortfall(entry.step.change, found)
            if lack is not None:
                lack = f"{self.device} accepted the change, but {lack}; apply again, and if it"
                lack += " stays so look for somebody else who configures the device"
            verdicts.append(Verdict(entry, "failed" if lack else "done", lack, found))
        return verdicts

    async def _settle(self, verdict: Verdict) -> Verdict:
        """Read what a refused step left behind, so that the next plan starts from what is true."""
        change = verdict.entry.step.change
        refused = verdict.state == "failed" and verdict.seen is None
        if self._driver is None or not refused or isinstance(change, SaveConfig):
            return verdict
        try:
            [seen] = await self._driver.observe([change])
        except HaasError as error:
            log.info("%s: what a refused step left is not known: %s", self.device, error.message)
            await self._close()
            return verdict
        return Verdict(verdict.entry, verdict.state, verdict.message, seen)

    # --- the session ------------------------------------------------------------------------------

    async def _open(self) -> Driver:
        if self._driver is None:
            driver = await self._make_driver()
            try:
                await driver.open()
            except BaseException:
                await driver.close()
                raise
            self._driver = driver
        return self._driver

    async def _close(self) -> None:
        if self._driver is not None:
            driver, self._driver = self._driver, None
            await driver.close()


def _answer(batch: Batch, verdicts: list[Verdict]) -> None:
    """Tell a batch's job what came of it, if it still asks: the daemon may be stopping."""
    if not batch.finished.done():
        batch.finished.set_result(verdicts)


class _Trouble:
    """What has gone wrong in a batch, and which of the steps after it must not be sent."""

    def __init__(self) -> None:
        self._everything: str | None = None
        self._targets: dict[str, str] = {}

    def note(self, entry: Entry, why: str, *, everything: bool) -> None:
        """Hold back what follows: everything, or only what has the same target."""
        self._targets[entry.step.target] = why
        if everything:
            self._everything = why

    def of(self, entry: Entry) -> str | None:
        """Say why a step must not be sent, or None."""
        return self._everything or self._targets.get(entry.step.target)
