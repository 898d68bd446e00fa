"""Runs one job from its beginning to its result."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby

from haas_rpcd.devicenames import is_libvirt
from haas_rpcd.engine.beginning import Beginning
from haas_rpcd.engine.detours import Detours
from haas_rpcd.engine.gate import Gate
from haas_rpcd.engine.hook import SUCCEEDED
from haas_rpcd.engine.journal import Entry, Journal, Verdict
from haas_rpcd.engine.late import LateChanges
from haas_rpcd.engine.moves import Moves
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.sending import Batch
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import HaasError, RetiredError, StoreError
from haas_rpcd.model import HostChange, Phase, SetPort, SetVlan, Step
from haas_rpcd.store import jobs, leases, nodes, trunks
from haas_rpcd.store.database import Store
from haas_rpcd.store.jobs import JobRow
from haas_rpcd.store.leases import HookRunRow
from haas_rpcd.store.scope import NO_NODE, Scope, Target
from haas_rpcd.tasks import cancel_and_wait
from haas_schemas.common import timestamp
from haas_schemas.job import JobState, StepState

log = logging.getLogger(__name__)


RunHook = Callable[[str, str], Awaitable[HookRunRow]]
"""Runs the site's release command, given a node and its project."""
CarryOut = Callable[[Sequence[Step], bool], Awaitable[list[Verdict]]]
"""Journals and sends steps; if the flag is set, also while the job is cancelled."""

Prove = Callable[[JobRow, CarryOut, Callable[[], bool]], Awaitable[tuple[JobState, str | None]]]
"""Carries out a job that proves a node's cabling, given what tells whether it is cancelled."""

ProvideImages = Callable[
    [str, Sequence[Entry], Journal, Callable[[], bool]], Awaitable[list[Verdict]]
]
"""Has the base images of steps on their hypervisor; see :meth:`haas_rpcd.engine.images.Images`."""

_HOOK_CANCELLED = (
    "Cancelled; the release command was ended, so the node stays held: release it again."
)


class JobRun:
    """Runs one job. Call :meth:`cancel` at any time to stop it before its next step.

    ``worker`` returns the worker of a device; ``repair`` checks a switch, a project's headnodes, or
    everything for drift and returns the steps that repair it; ``hook`` runs the release command,
    None if there is none. ``prove`` carries out a job that proves a node's cabling.
    ``provide_images`` copies the base images that steps need; without it, they must be there.
    """

    def __init__(
        self,
        job: JobRow,
        *,
        store: Store,
        planning: Planning,
        journal: Journal,
        worker: Callable[[str], Worker],
        repair: Callable[[str | None, str | None], Awaitable[list[Step]]],
        late: LateChanges,
        prove: Prove,
        provide_images: ProvideImages | None = None,
        hook: RunHook | None = None,
        cancelling: bool = False,
    ) -> None:
        self.job_id: int = job.id
        self._resumed = job.started is not None
        """True if an earlier daemon began the job and died."""
        self._digest: str | None = None if self._resumed else job.digest
        self._scope = _scope(job)
        self._repairs: bool = job.repairs
        self._switch: str | None = job.repair_switch
        self._project: str | None = job.project
        self._store = store
        self._beginning = Beginning(job.id, self._scope, store, planning, worker)
        self._journal = journal
        self._worker = worker
        self._repair = repair
        self._late = late
        self._images = provide_images
        self._hook = hook
        self._prove = prove
        self._job = job
        self._must_send = False
        """What is sent now is sent even if the job is cancelled: it parks ports."""
        self.cancelling = cancelling
        self._broken = False
        """The store failed, so that nothing more may be sent: it could not be recorded."""
        self._task: asyncio.Task[tuple[JobState, str | None]] | None = None
        self._hook_run: asyncio.Future[HookRunRow] | None = None

    async def run_or_give_up(self) -> tuple[JobState, str | None]:
        """Run the job until its end, or until :meth:`give_up`; see :meth:`run`."""
        self._task = asyncio.create_task(self.run(), name=f"job {self.job_id}")
        try:
            await asyncio.wait({self._task})
        except asyncio.CancelledError:
            await cancel_and_wait(self._task)
            raise
        if self._task.cancelled():
            return "cancelled", "Ended by force: what was being sent is not known; apply again."
        return self._task.result()

    def cancel(self) -> None:
        """Stop before the next step; a release command that is running is killed."""
        self.cancelling = True
        if self._hook_run is not None:
            self._hook_run.cancel()

    def give_up(self) -> None:
        """Let the job end now, whatever it waits for. What it was sending stays *not known*."""
        self.cancelling = True
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> tuple[JobState, str | None]:
        """Run the job; return its final state and, unless it succeeded, a sentence."""
        interrupted: list[Step] = []
        if self._resumed:
            interrupted = await self._beginning.read_interrupted()
        if self._job.proves is not None:
            return await self._prove(self._job, self._carry_out, lambda: self.cancelling)
        if failure := await self._pass_hook():
            return failure
        try:
            if self._repairs:
                entries = await self._beginning.write_steps(await self._repair_steps(interrupted))
            else:
                entries = await self._beginning.plan(self._digest)
        except HaasError as error:  # a stale plan, or a step that needs a missing [master]
            await self._store.write(jobs.begin, self.job_id, time.time())
            return "failed", error.message
        self._journal.add(entries)
        self._journal.publish_state("running")
        moves = Moves(entries)
        verdicts = await self._send(entries, moves)
        outcome = _outcome(verdicts, self.cancelling)
        if again := moves.starts_again():
            verdicts += await self._carry_out(again, True)
        node = self._scope.node_id
        if outcome[0] != "succeeded" or node is None:
            return outcome
        if wait := (await self._store.read(self._late.waiting, [node])).get(node):
            until = timestamp(wait.until)
            return "failed", f"The node is not free before {until}: {wait.reason}"
        return outcome

    async def _carry_out(self, steps: Sequence[Step], must: bool) -> list[Verdict]:
        """Journal and send steps that are part of the job; ``must``: even if it is cancelled."""
        entries = await self._beginning.write_steps(steps)
        self._journal.add(entries)
        self._journal.publish_state("running")
        self._must_send = must
        return await self._send(entries)

    async def _pass_hook(self) -> tuple[JobState, str] | None:
        """Run the node's release command, unless it has succeeded already.

        Returns the end of the job if the command fails; None if the job goes on.
        """
        node_id = self._scope.node_id
        if not node_id or not await self._store.read(leases.awaits_hook, node_id):
            return None
        if self._hook is not None:
            await self._store.write(jobs.begin, self.job_id, time.time())
            self._journal.publish_state("running")
            node = await self._store.read(nodes.by_id, node_id)
            if self.cancelling:
                return "cancelled", _HOOK_CANCELLED
            self._hook_run = asyncio.ensure_future(self._hook(node.name, node.project or ""))
            try:
                run = await self._hook_run
            except asyncio.CancelledError:
                if not self._hook_run.cancelled() or not self.cancelling:
                    raise  # it is the job that ends, by force or with the daemon
                return "cancelled", _HOOK_CANCELLED
            finally:
                self._hook_run = None
            await self._store.write(leases.record_hook, self.job_id, run)
            if run.outcome != SUCCEEDED:
                return "failed", (
                    f"The release command for node {node.name} has not succeeded, so the node stays"
                    f" held: an admin sees its output with  job show {self.job_id}"
                )
        await self._journal.hook_passed(node_id)
        return None

    async def _repair_steps(self, interrupted: Sequence[Step]) -> list[Step]:
        """Return the steps of a repair.

        What an interrupted one was sending to a hypervisor is sent again: that it is missing does
        not count as drift any more.
        """
        steps = await self._repair(self._switch, self._project)
        changes = [step.change for step in steps]
        again = [
            step
            for step in interrupted
            if isinstance(step.change, HostChange) and step.change not in changes
        ]
        return sorted([*again, *steps], key=lambda step: step.phase)

    async def _send(self, entries: Sequence[Entry], moves: Moves | None = None) -> list[Verdict]:
        """Send all steps; last those of BMCs, as a node that boots must find its networks."""
        moves = moves or Moves(entries)
        power = [entry for entry in entries if entry.step.phase is Phase.POWER]
        others = [entry for entry in entries if entry.step.phase is not Phase.POWER]
        verdicts = await self._send_together(others, moves)
        failed = next((verdict for verdict in verdicts if verdict.state == "failed"), None)
        if power and failed is not None:
            why = f"not sent: {failed.entry.step.device}: {failed.message}"
            skipped = [Verdict(entry, "skipped", why) for entry in power]
            await self._journal.record(skipped)
            return verdicts + skipped
        return verdicts + await self._send_together(power, moves)

    async def _send_together(self, entries: Sequence[Entry], moves: Moves) -> list[Verdict]:
        by_device: dict[str, list[Entry]] = {}
        for entry in entries:
            by_device.setdefault(entry.step.device, []).append(entry)
        gate = Gate(by_device, moves.linked)
        declared = await self._store.read(trunks.declared)
        detours = Detours(entries if declared and not self._repairs else ())
        results = await asyncio.gather(
            *(self._run_device(name, own, gate, detours, moves) for name, own in by_device.items()),
            return_exceptions=True,
        )
        verdicts: list[Verdict] = []
        for result in results:  # only now: the other devices must be finished first
            if isinstance(result, BaseException):
                raise result
            verdicts += result
        return verdicts

    async def _run_device(
        self, device: str, entries: list[Entry], gate: Gate, detours: Detours, moves: Moves
    ) -> list[Verdict]:
        """Send one device its steps, phase by phase, without those that a failure holds back."""
        await self._journal.take_turn()  # hundreds of devices may begin at once
        worker = self._worker(device)
        worker.acquire()
        verdicts: list[Verdict] = []
        try:
            for phase, group in groupby(entries, lambda entry: entry.step.phase):
                batch = list(group)
                await gate.reach(device, phase)
                await self._journal.take_turn()  # and with each phase
                if self._broken:
                    break
                skipped = _held_back(batch, verdicts, phase) or moves.held_back(batch)
                if skipped := skipped or await detours.hold(batch):
                    await self._journal.record(skipped)
                    verdicts += skipped
                    batch = _without(batch, skipped)
                if phase is Phase.HEADNODES:
                    verdicts += (lacking := await self._provide_images(device, batch))
                    batch = _without(batch, lacking)
                if batch:
                    sent = await worker.run(Batch(self._journal, phase, batch, self._stopping))
                    moves.note(sent)
                    verdicts += sent
                await detours.note(verdicts)
        except RetiredError as error:
            left = _without(entries, verdicts)
            verdicts += await self._give_up_device(left, phase, error)
        except StoreError:
            self._broken = True
            raise
        finally:
            worker.release()
            await detours.leave(entries)
            await gate.leave(device)
        return verdicts

    async def _provide_images(self, device: str, batch: Sequence[Entry]) -> list[Verdict]:
        if self._images is None or not is_libvirt(device):
            return []
        return await self._images(device, batch, self._journal, self._stopping)

    async def _give_up_device(
        self, entries: Sequence[Entry], phase: Phase, error: RetiredError
    ) -> list[Verdict]:
        """Give up the rest of a switch's steps, because it was retired.

        Steps of the ``phase`` that was under way may still take effect. A release does not need the
        switch any more.
        """
        state: StepState = "failed" if self._scope.node_id is None else "skipped"
        verdicts = [
            Verdict(
                entry,
                state,
                error.message,
                may_come_late=entry.step.phase == phase and not entry.step.parks,
            )
            for entry in entries
        ]
        await self._journal.record(verdicts)
        return verdicts

    def _stopping(self) -> bool:
        return (self.cancelling and not self._must_send) or self._broken


def _without(batch: Sequence[Entry], verdicts: Sequence[Verdict]) -> list[Entry]:
    """Return the steps that have no verdict yet."""
    judged = {verdict.entry.number for verdict in verdicts}
    return [entry for entry in batch if entry.number not in judged]


def _held_back(batch: Sequence[Entry], verdicts: Sequence[Verdict], phase: Phase) -> list[Verdict]:
    """Return verdicts on the steps of a phase that must not be sent, because others failed.

    A port that failed alone holds back its own steps, and a VLAN those of the ports that need it.
    Nothing is removed after a failure: it may be in use still.
    """
    if not (failed := [verdict for verdict in verdicts if verdict.state == "failed"]):
        return []
    everything = phase > Phase.JOIN or any(verdict.whole_device for verdict in failed)
    if phase is Phase.SAVE and any(verdict.state == "done" for verdict in verdicts):
        return []  # what the switch did accept must survive a power failure
    causes = {cause: verdict for verdict in reversed(failed) for cause in _blocks(verdict)}
    skipped = []
    for entry in batch:
        blocking = failed
        if not everything:
            blocking = [causes[need] for need in _needs(entry.step) if need in causes]
        skipped += [Verdict(entry, "skipped", f"not sent: {why.message}") for why in blocking[:1]]
    return skipped


Cause = tuple[str, object, bool]
"""What a failure takes away from later steps, and what a step needs."""


def _blocks(failed: Verdict) -> list[Cause]:
    """Return what a failure blocks.

    That is the same port, the ports that need its VLAN, the members of its channel or the channel
    that a member has not left.
    """
    match failed.entry.step.change:
        case SetPort(port=port, channel=channel) as change:
            bond = [("bond", channel, change.is_channel)] if channel is not None else []
            return [("port", port, False), *bond]
        case SetVlan(vlan=vlan):
            return [("vlan", vlan, False)]
    return []


def _needs(step: Step) -> list[Cause]:
    """Return what must not have failed, see :func:`_blocks`."""
    match step.change:
        case SetPort(port=port, config=config, channel=channel) as change:
            bond = [("bond", channel, not change.is_channel)] if channel is not None else []
            return [("port", port, False), *bond, *(("vlan", vlan, False) for vlan in config.vlans)]
    return []


def _scope(job: JobRow) -> Scope:
    """Return what a job may change.

    The release of a node that was deleted meanwhile has an empty scope: without ``NO_NODE`` it
    would have the scope of an apply.
    """
    node_id = NO_NODE if job.kind == "release" and not job.node_id else job.node_id
    if job.reverts:
        return Scope(project_id=job.project_id, revert=job.id)
    target = Target(job.target_node, job.target_network) if job.target is not None else None
    return Scope(
        project_id=job.project_id,
        node_id=node_id,
        vlan=job.withdraws,
        target=target,
    )


def _outcome(verdicts: Sequence[Verdict], cancelling: bool) -> tuple[JobState, str | None]:
    failed = [verdict for verdict in verdicts if verdict.state == "failed"]
    if failed:
        first = failed[0]
        device, sentence = first.entry.step.device, first.message or ""
        if device not in sentence.split(maxsplit=2)[:2]:  # "sw1 did not answer", "Switch sw1 is …"
            sentence = f"{device}: {sentence}"
        if len(failed) > 1:
            sentence += f" (and {len(failed) - 1} more failed)"
        return "failed", sentence
    if cancelling and any(verdict.state == "cancelled" for verdict in verdicts):
        return "cancelled", "Cancelled; what was not sent is still staged."
    return "succeeded", None
