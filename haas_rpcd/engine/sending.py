"""One batch under way: its steps noted, sent together, read back, and closed in the journal."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from haas_rpcd.drivers import SESSION_LOST, Driver, Outcome, Report
from haas_rpcd.engine.journal import Entry, Journal, Verdict
from haas_rpcd.errors import DeviceError, HaasError
from haas_rpcd.model import Change, Phase, SaveConfig, Seen
from haas_rpcd.planner import shortfall
from haas_schemas.job import StepState

log = logging.getLogger(__name__)


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
    queued: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def stopped(self) -> bool:
        """Whether nothing more is to be sent. What was done is saved all the same."""
        return self.cancelled() and self.phase is not Phase.SAVE


class Sessions(Protocol):
    """The device's one session: whoever sends does not hold it longer than it must."""

    async def open(self, report: Report) -> Driver:
        """Give the open session; open one if there is none. Raises HaasError."""
        ...

    async def close(self) -> None:
        """End the session, which can't be used any more."""
        ...


class Sending:
    """Works off one batch."""

    def __init__(self, device: str, sessions: Sessions, batch: Batch) -> None:
        self._device = device
        self._sessions = sessions
        self._batch = batch
        self._journal = batch.journal
        self._waiting = deque(batch.entries)
        self._verdicts: list[Verdict] = []
        self._sent: list[Entry] = []
        self._held: list[Verdict] = []  # not done; but noted as being sent, so it is read as well
        self._again: dict[int, str] = {}  # noted, and held up by a cut: how far each step was not
        self._trouble = Trouble()
        self._may_resume = True
        self._opens = True

    async def run(self) -> list[Verdict]:
        """Send, read all of it back once, close it in the journal; give what each step came to."""
        while self._waiting:
            if self._batch.stopped():
                while self._waiting:
                    self._drop("cancelled", "cancelled before it was {}")
            else:
                await self._some()
        await self._read_back()
        self._verdicts.sort(key=lambda verdict: verdict.entry.number)
        await self._journal.close(self._verdicts)
        return self._verdicts

    def _drop(self, state: StepState, why: str) -> None:
        """Give up the next step that waits; one that was noted before a cut is read back.

        ``{}`` in ``why`` stands for what it was not: sent or, where some of it was, finished.
        """
        self._settle(self._waiting.popleft(), state, why)

    def _settle(self, entry: Entry, state: StepState, why: str) -> None:
        noted = self._again.get(entry.number)
        verdict = Verdict(entry, state, why.replace("{}", noted or "sent", 1))
        (self._held if noted else self._verdicts).append(verdict)

    # --- sending ----------------------------------------------------------------------------------

    async def _some(self) -> None:
        """Note and send as many steps as the device takes at once."""
        first = self._waiting[0]
        if why := self._trouble.of(first):
            self._drop("skipped", "not {}: " + why)
            return
        try:
            driver = await self._sessions.open(
                lambda line: self._journal.tell(first, "sending", line=line)
            )
        except HaasError as error:
            self._opens = False
            self._trouble.note(first, error.message, everything=True)
            self._drop("failed", error.message)
            return
        entries = await self._noted(self._taken(driver.max_batch))
        if not entries:
            return
        outcomes = await driver.send(
            [entry.step.change for entry in entries], _Progress(self._batch, entries)
        )
        await self._judge(entries, outcomes, continue_after_refusal=driver.continue_after_refusal)

    def _taken(self, most: int) -> list[Entry]:
        taken: list[Entry] = []
        while self._waiting and len(taken) < most:
            if self._trouble.of(self._waiting[0]):
                break
            taken.append(self._waiting.popleft())
        return taken

    async def _noted(self, entries: list[Entry]) -> list[Entry]:
        """Write that steps are about to be sent; give those that still may be."""
        going = []
        refusals = await self._journal.sending(entries)
        for entry, refusal in zip(entries, refusals, strict=True):
            if refusal is None:
                going.append(entry)
            else:
                self._trouble.note(entry, refusal, everything=False)
                self._settle(entry, "skipped", f"not needed: {refusal}")
        return going

    async def _judge(
        self, entries: list[Entry], outcomes: Sequence[Outcome], *, continue_after_refusal: bool
    ) -> None:
        """Take note of what became of steps.

        A connection that was cut is opened once more, and what was not answered is sent again:
        steps are absolute, so twice does no harm.
        """
        errors = [outcome.error for outcome in outcomes if outcome.error is not None]
        lost = next((error for error in errors if error.reason in SESSION_LOST), None)
        if lost is not None:
            await self._sessions.close()
        again: list[Entry] = []
        resumes = lost is not None and lost.reason == "cut" and self._may_resume
        for entry, outcome in zip(entries, outcomes, strict=True):
            if outcome.state == "sent":
                self._journal.tell(entry, "sent")
                self._sent.append(entry)
            elif resumes:
                again.append(entry)
                self._again[entry.number] = "sent" if outcome.state == "unsent" else "finished"
            else:
                self._hold(
                    entry, outcome, everything=lost is not None or not continue_after_refusal
                )
        if resumes:
            self._may_resume = False
            self._waiting.extendleft(reversed(again))
            self._journal.tell(
                again[0], "sending", line=f"# {self._device} closed the connection: once more"
            )

    def _hold(self, entry: Entry, outcome: Outcome, *, everything: bool) -> None:
        error = outcome.error
        why = error.message if error is not None else ""
        began = outcome.state != "unsent" or self._again.get(entry.number) == "finished"
        how = "finished" if began else "sent"
        verdict = Verdict(entry, "cancelled", f"cancelled before it was {how}")
        if outcome.state == "refused":
            self._trouble.note(entry, why, everything=everything)
            verdict = Verdict(entry, "failed", why)
        elif why:
            verdict = Verdict(entry, "skipped", f"not {how}: {why}")
        # A device that fell silent may still carry out what it was sent: what it says now of those
        # targets may not last, so it is not asked, and they stay *not known*.
        lasts = outcome.state == "unsent" or error is None or error.reason != "timeout"
        (self._held if lasts else self._verdicts).append(verdict)

    # --- reading back -----------------------------------------------------------------------------

    async def _read_back(self) -> None:
        """Ask the device what it has now: only what it confirms is done.

        Steps that were refused or held back are read as well, so that the next plan starts from
        what is true. A session that was lost is opened once more for what was sent.
        """
        held = [verdict for verdict in self._held if not _is_save(verdict.entry)]
        self._verdicts += [verdict for verdict in self._held if _is_save(verdict.entry)]
        entries = [*self._sent, *(verdict.entry for verdict in held)]
        if not entries or not (self._sent or self._opens):
            self._verdicts += held
            return
        try:
            seen = await self._observed([entry.step.change for entry in entries])
        except HaasError as error:
            await self._sessions.close()
            log.info("%s: could not be read back: %s", self._device, error.message)
            why = f"sent, but not confirmed: {error.message}"
            self._verdicts += [Verdict(entry, "failed", why) for entry in self._sent]
            self._verdicts += held
            return
        for entry, found in zip(self._sent, seen, strict=False):
            self._verdicts.append(self._confirmed(entry, found))
        for verdict, found in zip(held, seen[len(self._sent) :], strict=True):
            self._verdicts.append(_known(verdict, found))

    async def _observed(self, changes: list[Change]) -> list[Seen | DeviceError]:
        driver = await self._sessions.open(lambda line: None)
        try:
            return await driver.observe(changes)
        except DeviceError as error:
            if error.reason != "cut" or not self._may_resume:
                raise
        self._may_resume = False
        await self._sessions.close()
        driver = await self._sessions.open(lambda line: None)
        return await driver.observe(changes)

    def _confirmed(self, entry: Entry, found: Seen | DeviceError) -> Verdict:
        if isinstance(found, DeviceError):
            return Verdict(entry, "failed", f"sent, but not confirmed: {found.message}")
        lack = shortfall(entry.step.change, found)
        if lack is None:
            return Verdict(entry, "done", None, found)
        lack = (
            f"{self._device} accepted the change, but {lack}; apply again, and if it stays so look"
            " for somebody else who configures the device"
        )
        return Verdict(entry, "failed", lack, found)


def _is_save(entry: Entry) -> bool:
    return isinstance(entry.step.change, SaveConfig)


def _known(verdict: Verdict, found: Seen | DeviceError) -> Verdict:
    """Add what was read back for a step that was not done."""
    entry, state, message = verdict.entry, verdict.state, verdict.message
    if isinstance(found, DeviceError):
        return Verdict(entry, state, f"{message} {found.message}")
    if state == "failed" and shortfall(entry.step.change, found) is None:
        message = f"{message} It reads back as wanted all the same."
    return Verdict(entry, state, message, found)


class _Progress:
    """Tells the journal of each line, and the driver of a cancelled job."""

    def __init__(self, batch: Batch, entries: Sequence[Entry]) -> None:
        self._batch = batch
        self._entries = entries

    def line_sent(self, change: int, line: str) -> None:
        """Tell who is watching."""
        self._batch.journal.tell(self._entries[change], "sending", line=line)

    def cancelled(self) -> bool:
        """Whether the job was cancelled."""
        return self._batch.stopped()


class Trouble:
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
