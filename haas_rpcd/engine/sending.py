"""Sends one batch: records its steps, sends them together, reads back, records the verdicts."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from msgspec.structs import replace

from haas_rpcd.drivers import SESSION_LOST, Driver, Outcome, Report
from haas_rpcd.engine.journal import Entry, Journal, Verdict
from haas_rpcd.errors import DeviceError, HaasError, RetiredError
from haas_rpcd.model import Change, Phase, PortSeen, SaveConfig, Seen, SetPort
from haas_rpcd.planner import shortfall
from haas_schemas.job import StepState

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Batch:
    """The steps of one phase of one job on one device."""

    journal: Journal
    phase: Phase
    entries: Sequence[Entry]
    cancelled: Callable[[], bool]
    finished: asyncio.Future[list[Verdict]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    queued: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def stopped(self) -> bool:
        """Return whether nothing more may be sent. A cancelled job still saves what was done."""
        return self.cancelled() and self.phase is not Phase.SAVE


class Sessions(Protocol):
    """Gives access to the device's only session. ``restarts``: how often it was found restarted."""

    restarts: int

    async def open(self, report: Report) -> Driver:
        """Return the open session, or open one. Raises HaasError."""
        ...

    async def close(self) -> None:
        """Close the session, because it can no longer be used."""
        ...


class Sending:
    """Sends one batch and collects the verdict on each of its steps."""

    def __init__(self, device: str, sessions: Sessions, batch: Batch) -> None:
        self._device = device
        self._sessions = sessions
        self._restarts = sessions.restarts
        self._batch = batch
        self._journal = batch.journal
        self._waiting = deque(batch.entries)
        self._sent: list[Entry] = []
        self._verdicts: list[Verdict] = []
        self._quoted: Mapping[str, tuple[str, ...]] = {}  # of ports, when they were read back
        self._unconfirmed: list[Verdict] = []
        """Verdicts on steps that were recorded but not done: their targets are read back too."""
        self._interrupted: dict[int, Literal["sent", "finished"]] = {}
        """Steps cut off by a lost connection, by number, and what they had not reached."""
        self._failures = Failures()
        self._driver: Driver | None = None
        self._said: list[str] = []
        """What the device was told and said."""
        self._slice = Slice()
        self._may_reconnect = True
        self._reachable = True

    async def advance(self) -> list[Verdict] | None:
        """Send some of the steps; return None while there are more.

        After the last ones, read all back once, record and return the verdicts. Raises RetiredError
        if the switch was retired meanwhile, and StoreError.
        """
        if self._driver is not None:
            self._driver.transcript()  # the transcript of others' turns since our last one
        if self._waiting and not self._batch.stopped():
            await self._send_next()
        if self._batch.stopped():
            while self._waiting:
                self._drop_next("cancelled", "cancelled before it was {}")
        if self._waiting:
            self._collect()
            return None
        await self._read_back()
        self._verdicts.sort(key=lambda verdict: verdict.entry.number)
        self._collect()
        await self._journal.record(self._verdicts, (self._device, "\n".join(self._said)))
        return self._verdicts

    def _use(self, driver: Driver) -> None:
        """Begin to collect the transcript of another session."""
        if driver is not self._driver:
            self._collect()
            self._driver = driver
            driver.transcript()  # what was read before belongs to no job

    def _collect(self) -> None:
        said = self._driver.transcript() if self._driver is not None else ""
        if said:
            self._said.append(said)

    def _drop_next(self, state: StepState, message: str) -> None:
        """Give up the next waiting step.

        ``{}`` in the message stands for what the step had not reached: sent or, if a lost
        connection cut it off, perhaps finished.
        """
        self._drop(self._waiting.popleft(), state, message)

    def _drop(self, entry: Entry, state: StepState, message: str) -> None:
        interrupted = self._interrupted.get(entry.number)
        text = message.replace("{}", interrupted or "sent", 1)
        verdict = Verdict(entry, state, text, whole_device=state == "failed")
        (self._unconfirmed if interrupted else self._verdicts).append(verdict)

    # --- sending ----------------------------------------------------------------------------------

    async def _send_next(self) -> None:
        """Record and send as many steps as the device takes at once."""
        first = self._waiting[0]
        if reason := self._failures.blocking(first):
            self._drop_next("skipped", "not {}: " + reason)
            return
        try:
            driver = await self._sessions.open(
                lambda line: self._journal.publish_step(first, "sending", line=line)
            )
        except RetiredError:
            raise  # the whole job gives the switch up
        except HaasError as error:
            self._reachable = False
            self._failures.add(first, error.message, block_all=True)
            self._drop_next("failed", error.message)
            return
        self._use(driver)
        entries = await self._begin(self._take(self._slice.size(len(self._waiting), driver)))
        if not entries:
            return
        with self._slice.measure(len(entries)):
            outcomes = await driver.send(
                [entry.step.change for entry in entries], _Progress(self._batch, entries)
            )
        await self._judge(entries, outcomes)

    def _take(self, count: int) -> list[Entry]:
        """Take up to ``count`` waiting steps, as long as no failure blocks the next one."""
        taken: list[Entry] = []
        while self._waiting and len(taken) < count:
            if self._failures.blocking(self._waiting[0]):
                break
            taken.append(self._waiting.popleft())
        return taken

    async def _begin(self, entries: list[Entry]) -> list[Entry]:
        """Record that steps are about to be sent; return those that still may be."""
        permitted = []
        refusals = await self._journal.begin(entries)
        for entry, refusal in zip(entries, refusals, strict=True):
            if refusal is None:
                permitted.append(entry)
            else:
                self._failures.add(entry, refusal, block_all=False)
                self._drop(entry, "skipped", f"not needed: {refusal}")
        return permitted

    async def _judge(self, entries: list[Entry], outcomes: Sequence[Outcome]) -> None:
        """Sort steps by their outcomes.

        If the device closed the connection, steps without an answer are sent once more over a new
        one. Steps are absolute, so sending one twice does no harm.
        """
        errors = [outcome.error for outcome in outcomes if outcome.error is not None]
        lost = next((error for error in errors if error.reason in SESSION_LOST), None)
        if lost is not None:
            await self._sessions.close()
        held_back = any(
            outcome.error is not None and outcome.state in ("unsent", "unfinished")
            for outcome in outcomes
        )
        again: list[Entry] = []
        sent: list[Entry] = []
        reconnect = lost is not None and lost.reason == "cut" and self._may_reconnect
        for entry, outcome in zip(entries, outcomes, strict=True):
            if outcome.state == "sent":
                sent.append(entry)
            elif reconnect:
                again.append(entry)
                self._interrupted[entry.number] = (
                    "sent" if outcome.state == "unsent" else "finished"
                )
            else:
                self._judge_unsent(entry, outcome, block_all=lost is not None or held_back)
        self._sent += sent
        await self._journal.publish_steps(sent, "sent")
        if reconnect:
            self._may_reconnect = False
            self._waiting.extendleft(reversed(again))
            self._journal.publish_step(
                again[0], "sending", line=f"# {self._device} closed the connection: once more"
            )

    def _judge_unsent(self, entry: Entry, outcome: Outcome, *, block_all: bool) -> None:
        """Give the verdict on a step that was refused, or held back after another's failure."""
        error = outcome.error
        reason = error.message if error is not None else ""
        begun = outcome.state != "unsent" or self._interrupted.get(entry.number) == "finished"
        missed = "finished" if begun else "sent"
        verdict = Verdict(entry, "cancelled", f"cancelled before it was {missed}")
        if outcome.state == "refused":
            self._failures.add(entry, reason, block_all=block_all)
            verdict = Verdict(entry, "failed", reason, whole_device=block_all)
        elif reason:
            verdict = Verdict(entry, "skipped", f"not {missed}: {reason}")
        if outcome.may_come_late:
            verdict = replace(verdict, may_come_late=True)
        # A device that timed out may still execute what it was sent. What it reports now may not
        # last, so the target is not read back and stays *not known*.
        lasting = outcome.state == "unsent" or error is None or error.reason != "timeout"
        (self._unconfirmed if lasting else self._verdicts).append(verdict)

    # --- reading back -----------------------------------------------------------------------------

    async def _read_back(self) -> None:
        """Read the targets back: a step is only done if the device confirms it.

        Targets of refused and held-back steps are read as well, so that the next plan starts from
        the truth. If the session was lost after steps were sent, one more is opened for this.
        """
        dropped = [verdict for verdict in self._unconfirmed if not _is_save(verdict.entry)]
        self._verdicts += [verdict for verdict in self._unconfirmed if _is_save(verdict.entry)]
        entries = [*self._sent, *(verdict.entry for verdict in dropped)]
        if not entries or not (self._sent or self._reachable):
            self._verdicts += dropped
            return
        try:
            seen = await self._observe([entry.step.change for entry in entries])
        except RetiredError:
            raise
        except HaasError as error:
            await self._sessions.close()
            log.info("%s: could not be read back: %s", self._device, error.message)
            message = f"sent, but not confirmed: {error.message}"
            self._verdicts += [
                Verdict(entry, "failed", message, whole_device=True) for entry in self._sent
            ]
            self._verdicts += dropped
            return
        for entry, found in zip(self._sent, seen, strict=False):
            self._verdicts.append(self._with_words(self._confirm(entry, found)))
        for verdict, found in zip(dropped, seen[len(self._sent) :], strict=True):
            self._verdicts.append(self._with_words(_with_observed(verdict, found)))

    async def _observe(self, changes: list[Change]) -> list[Seen | DeviceError]:
        driver = await self._sessions.open(lambda line: None)
        self._use(driver)
        try:
            return await self._read(driver, changes)
        except DeviceError as error:
            if error.reason != "cut" or not self._may_reconnect:
                raise
        self._may_reconnect = False
        await self._sessions.close()
        driver = await self._sessions.open(lambda line: None)
        self._use(driver)
        return await self._read(driver, changes)

    async def _read(self, driver: Driver, changes: list[Change]) -> list[Seen | DeviceError]:
        seen = await driver.observe(changes)
        ports = [change.port for change in changes if isinstance(change, SetPort)]
        self._quoted = driver.said_of_ports(ports) if ports else {}
        return seen

    def _with_words(self, verdict: Verdict) -> Verdict:
        """Add what the switch said of the step's port."""
        change = verdict.entry.step.change
        said = self._quoted.get(change.port) if isinstance(change, SetPort) else None
        return replace(verdict, said=said) if said else verdict

    def _confirm(self, entry: Entry, found: Seen | DeviceError) -> Verdict:
        if isinstance(found, DeviceError):
            return Verdict(entry, "failed", f"sent, but not confirmed: {found.message}")
        lack = shortfall(entry.step.change, found)
        if lack is None:
            return Verdict(entry, "done", None, found)
        if self._sessions.restarts != self._restarts:
            message = (
                f"{self._device} restarted after it had accepted the change: {lack}; apply again"
            )
            return Verdict(entry, "failed", message, found)
        message = f"{self._device} accepted the change, but {lack}"
        if not (isinstance(found, PortSeen) and found.not_understood is not None):
            message += (
                "; apply again, and if it stays so look for somebody else who configures the device"
            )
        return Verdict(entry, "failed", message, found)


SLICE_TIME = 0.25
"""Seconds that one turn of a large batch should take."""

SLICE_STEPS = 16
"""Steps that a turn has at least. Some ten lines of a turn are the same for one port and for many;
with two ports in a turn, 500 would take ten times as long.
"""

SMALL = 64
"""Steps that are always sent in one turn."""


class Slice:
    """How many steps of a large batch are sent in one turn: a small job must not wait for all.

    The first turns tell how fast the device is. A device that commits is given all steps at once,
    because each commit takes seconds, however little changes.
    """

    def __init__(self) -> None:
        self._steps = SLICE_STEPS

    def size(self, waiting: int, driver: Driver) -> int:
        """Return how many of the waiting steps the next turn sends at most."""
        if waiting <= SMALL or not driver.takes_slices:
            return driver.max_batch
        return min(self._steps, driver.max_batch)

    @contextmanager
    def measure(self, steps: int) -> Iterator[None]:
        """Measure a turn of so many steps."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        yield
        took = max(loop.time() - begun, 0.001)
        self._steps = max(SLICE_STEPS, min(2 * self._steps, int(steps * SLICE_TIME / took)))


def _is_save(entry: Entry) -> bool:
    return isinstance(entry.step.change, SaveConfig)


def _with_observed(verdict: Verdict, found: Seen | DeviceError) -> Verdict:
    """Add what was read back to the verdict on a step that was not done."""
    message = verdict.message
    if isinstance(found, DeviceError):
        return replace(verdict, message=f"{message} {found.message}")
    if verdict.state == "failed" and shortfall(verdict.entry.step.change, found) is None:
        message = f"{message} It reads back as wanted all the same."
    return replace(verdict, message=message, seen=found)


class _Progress:
    """Publishes each line as it is sent, and stops the driver if the job is cancelled."""

    def __init__(self, batch: Batch, entries: Sequence[Entry]) -> None:
        self._batch = batch
        self._entries = entries

    def line_sent(self, change: int, line: str) -> None:
        """Publish a line that is being sent for the step with this index."""
        self._batch.journal.publish_step(self._entries[change], "sending", line=line)

    def cancelled(self) -> bool:
        """Return whether the job was cancelled."""
        return self._batch.stopped()


class Failures:
    """The failures in a batch, and which later steps they block."""

    def __init__(self) -> None:
        self._everything: str | None = None
        self._targets: dict[str, str] = {}

    def add(self, entry: Entry, reason: str, *, block_all: bool) -> None:
        """Block all later steps, or only those with the same target."""
        self._targets[entry.step.target] = reason
        if block_all:
            self._everything = reason

    def blocking(self, entry: Entry) -> str | None:
        """Return the reason why a step must not be sent, or None."""
        return self._everything or self._targets.get(entry.step.target)
