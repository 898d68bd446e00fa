"""One job from its turn to its end: observe what was interrupted, plan, send, close."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby

from haas_rpcd.engine.gate import Gate
from haas_rpcd.engine.journal import Entry, Journal, Verdict
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.sending import Batch
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import DeviceError, HaasError
from haas_rpcd.model import Phase, SetPort, Step
from haas_rpcd.planner import shortfall
from haas_rpcd.store import applied, jobs
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.jobs import JobRow
from haas_rpcd.store.scope import NO_NODE, Scope
from haas_schemas.job import JobState

log = logging.getLogger(__name__)


class JobRun:
    """Carries out one job. ``cancelling`` may be set at any time."""

    def __init__(
        self,
        job: JobRow,
        *,
        store: Store,
        planning: Planning,
        journal: Journal,
        worker: Callable[[str], Worker],
        repair: Callable[[str | None], Awaitable[list[Step]]],
        cancelling: bool = False,
    ) -> None:
        self.job_id: int = job.id
        self._begun_before = job.started is not None
        """Whether a daemon before this one began it, and died."""
        self._digest: str | None = None if self._begun_before else job.digest
        self._scope = _scope(job)
        self._repairs: bool = job.repairs
        self._switch: str | None = job.repair_switch
        self._store = store
        self._planning = planning
        self._journal = journal
        self._worker = worker
        self._repair = repair
        self.cancelling = cancelling

    async def run(self) -> tuple[JobState, str | None]:
        """Do the job; give its final state and, unless it succeeded, a sentence."""
        if self._begun_before:
            await self._observe(await self._store.write(jobs.interrupt, self.job_id, time.time()))
        try:
            steps = await self._repair(self._switch) if self._repairs else None
            entries = await self._store.write(self._begin, steps)
        except HaasError as error:  # a stale plan, or no [master] for what is wanted
            await self._store.write(jobs.begin, self.job_id, time.time())
            return "failed", error.message
        self._journal.total = len(entries)
        self._journal.tell_state("running")
        verdicts = await self._send(entries)
        return _outcome(verdicts, self.cancelling)

    def _begin(self, tx: Tx, steps: Sequence[Step] | None) -> list[Entry]:
        """Plan and journal in one transaction, so that other jobs' planning sees these steps.

        A repair brings its ``steps``.
        """
        if steps is None:
            planned = self._planning.plan(tx, self._scope)
            self._planning.check(self._digest, planned)
            steps = planned.steps
        rendered = self._planning.rendered(tx, steps)
        jobs.begin(tx, self.job_id, time.time())
        numbers = jobs.add_steps(tx, self.job_id, rendered)
        return [Entry(number, step) for number, (step, _) in zip(numbers, rendered, strict=True)]

    async def _observe(self, steps: Sequence[Step]) -> None:
        """Look at what the steps that a dead daemon may have sent left behind.

        A device that can't be asked stays *not known*; planning parks before it sets, then. So does
        a port that is not as it was to be set: lines that were sent ahead may still be on their way
        in a slow switch, and open it later.
        """
        by_device = groupby(sorted(steps, key=lambda step: step.device), lambda step: step.device)
        await asyncio.gather(*(self._observe_device(d, list(own)) for d, own in by_device))

    async def _observe_device(self, device: str, steps: Sequence[Step]) -> None:
        steps = [step for step in steps if step.phase is not Phase.SAVE]
        try:
            changes = [step.change for step in steps]
            seen = await self._worker(device).read(lambda driver: driver.observe(changes))
        except HaasError as error:
            log.warning("job %d: %s could not be observed: %s", self.job_id, device, error)
            return

        def write(tx: Tx) -> None:
            for step, found in zip(steps, seen, strict=True):
                if isinstance(found, DeviceError) or (
                    isinstance(step.change, SetPort) and shortfall(step.change, found) is not None
                ):
                    continue
                applied.confirm(tx, device, step.change, found)
            applied.release_freed(tx)

        await self._store.write(write)

    async def _send(self, entries: Sequence[Entry]) -> list[Verdict]:
        by_device: dict[str, list[Entry]] = {}
        for entry in entries:
            by_device.setdefault(entry.step.device, []).append(entry)
        gate = Gate(by_device)
        results = await asyncio.gather(
            *(self._device(device, own, gate) for device, own in by_device.items())
        )
        return [verdict for result in results for verdict in result]

    async def _device(self, device: str, entries: list[Entry], gate: Gate) -> list[Verdict]:
        """Take one device through its phases; after a failure only its save is still sent."""
        worker = self._worker(device)
        worker.acquire()
        verdicts: list[Verdict] = []
        try:
            for phase, group in groupby(entries, lambda entry: entry.step.phase):
                batch = list(group)
                await gate.reach(device, phase)
                if self._give_up(verdicts, phase):
                    skipped = self._skip(batch, verdicts)
                    await self._journal.close(skipped)
                    verdicts += skipped
                    continue
                verdicts += await worker.run(
                    Batch(self._journal, phase, batch, lambda: self.cancelling)
                )
                await gate.passed(device, phase)
        finally:
            worker.release()
            await gate.leave(device)
        return verdicts

    def _give_up(self, verdicts: Sequence[Verdict], phase: Phase) -> bool:
        if not any(verdict.state == "failed" for verdict in verdicts):
            return False
        # What the switch did take must survive a power cut, so it is saved all the same.
        return phase is not Phase.SAVE or not any(v.state == "done" for v in verdicts)

    def _skip(self, batch: Sequence[Entry], verdicts: Sequence[Verdict]) -> list[Verdict]:
        why = next(v.message for v in verdicts if v.state == "failed")
        return [Verdict(entry, "skipped", f"not sent: {why}") for entry in batch]


def _scope(job: JobRow) -> Scope:
    """Give what a job may change; a release is never an apply, though its node may be deleted."""
    node_id = NO_NODE if job.kind == "release" and not job.node_id else job.node_id
    return Scope(project_id=job.project_id, node_id=node_id)


def _outcome(verdicts: Sequence[Verdict], cancelling: bool) -> tuple[JobState, str | None]:
    failed = [verdict for verdict in verdicts if verdict.state == "failed"]
    if failed:
        first = failed[0]
        sentence = f"{first.entry.step.device}: {first.message}"
        if len(failed) > 1:
            sentence += f" (and {len(failed) - 1} more failed)"
        return "failed", sentence
    if cancelling and any(verdict.state == "cancelled" for verdict in verdicts):
        return "cancelled", "Cancelled; what was not sent is still staged."
    return "succeeded", None
