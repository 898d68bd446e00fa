"""Records the progress of a job: each step in the store before and after it is sent."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from haas_rpcd import boottime
from haas_rpcd.engine.freed import publish
from haas_rpcd.events import Events
from haas_rpcd.model import HostChange, PortSeen, Seen, SetVlan, Step
from haas_rpcd.store import applied, jobs, leases, sendable, transcripts, trunks
from haas_rpcd.store import drift as store_drift
from haas_rpcd.store.applied import Freed, Known
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.evidence import Proof
from haas_rpcd.store.passing import OwnSteps, Passing, own_steps
from haas_schemas.event import BytesMoved, StepUpdate
from haas_schemas.job import JobState, StepState


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A step with its number in its job's journal."""

    number: int
    step: Step


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The final state of a step. ``seen`` is what was read back, if anything was.

    ``whole_device``: the step failed for a reason that concerns the device, not its target alone.
    ``may_come_late``: see :class:`~haas_rpcd.drivers.Outcome`.
    """

    entry: Entry
    state: StepState
    message: str | None = None
    seen: Seen | None = None
    may_come_late: bool = False
    whole_device: bool = False
    said: tuple[str, ...] = ()
    """What the switch said of the step's port, in its own lines, when it was read back."""

    @property
    def ends_drift(self) -> bool:
        """True if the target was read, so that what was applied is what was read."""
        known = isinstance(self.seen, PortSeen) and self.seen.believed is not None
        return self.state == "done" or known


class Journal:
    """Records one job's progress in the store and publishes it as events.

    ``repairs``: the job repairs drift. Its steps restore what was applied, so they are checked
    against the rights of whoever holds a port now, not against those of the job's project. On
    hypervisors, what was applied stays so if they fail, and what was found instead stays drift.
    """

    def __init__(
        self,
        store: Store,
        events: Events,
        job_id: int,
        project_id: int | None,
        *,
        repairs: bool = False,
    ) -> None:
        self._repairs = repairs
        self._before: dict[tuple[str, str], Known] = {}
        """What was applied to hypervisors' targets before a repair began, by device and target."""
        self._store = store
        self._events = events
        self.job_id = job_id
        self.project_id = project_id
        self.state: JobState = "running"
        self.done = 0
        self.total = 0
        self._planned: list[Entry] = []
        self._own: OwnSteps | None = None

    def add(self, entries: Sequence[Entry]) -> None:
        """Note the steps that the job is to send from now on."""
        self.total += len(entries)
        self._planned += entries
        self._own = None

    async def begin(self, entries: Sequence[Entry]) -> list[str | None]:
        """Record that steps are about to be sent. From now on their targets are *not known*.

        Returns None for each step that may be sent. For one that may not be sent any more, nothing
        is recorded and the reason is returned.
        """

        def write(tx: Tx) -> list[str | None]:
            now = time.time()
            passing = self._passing(tx, entries)
            return [self._begin(tx, entry, now, passing) for entry in entries]

        refusals = await self._store.write(write)
        permitted = [
            entry for entry, refusal in zip(entries, refusals, strict=True) if refusal is None
        ]
        await self.publish_steps(permitted, "sending")
        return refusals

    def _passing(self, tx: Tx, entries: Sequence[Entry]) -> Passing | None:
        """Return what decides whether frames pass the VLANs that are to be removed."""
        removes = any(
            isinstance(change := entry.step.change, SetVlan) and not change.present
            for entry in entries
        )
        if not removes or self._repairs:
            return None
        if self._own is None:
            self._own = own_steps((entry.step for entry in self._planned), trunks.ports(tx))
        return Passing(tx, self.job_id, self._own)

    def _begin(
        self, tx: Tx, entry: Entry, now: float, passing: Passing | None = None
    ) -> str | None:
        device, change = entry.step.device, entry.step.change
        refusal = (
            sendable.repair_refusal(tx, device, change)
            if self._repairs
            else sendable.refusal(tx, device, change, self.project_id)
        )
        if refusal:
            return refusal
        if sendable.still_carried(tx, device, change, self.job_id, passing):
            return "something uses it now"
        if self._repairs and isinstance(change, HostChange):
            known = applied.known(tx, device, change)
            self._before.setdefault((device, entry.step.target), known)
        applied.before_sending(tx, device, change, self.project_id)
        jobs.set_step(tx, self.job_id, entry.number, "sending", now)
        return None

    async def record(
        self, verdicts: Sequence[Verdict], transcript: tuple[str, str] | None = None
    ) -> None:
        """Record the final state of steps, and release nodes and VLAN ids that this made free.

        ``transcript``: the device, and the lines sent to it with their answers.
        """

        moment = boottime.now()

        def write(tx: Tx) -> Freed:
            now = time.time()
            for verdict in verdicts:
                entry = verdict.entry
                jobs.set_step(tx, self.job_id, entry.number, verdict.state, now, verdict.message)
                if verdict.may_come_late:
                    applied.may_come_late(tx, entry.step.device, [entry.step.change], moment)
                if verdict.seen is not None:
                    proof = Proof(now, self.job_id, verdict.said)
                    applied.confirm(tx, entry.step.device, entry.step.change, verdict.seen, proof)
                device, change = entry.step.device, entry.step.change
                before = self._before.get((device, entry.step.target))
                if before is not None and verdict.state != "done":
                    applied.keep(tx, device, change, before, verdict.seen)
            store_drift.clear(
                tx,
                [(v.entry.step.device, v.entry.step.target) for v in verdicts if v.ends_drift],
            )
            if transcript is not None and transcript[1]:
                transcripts.add(tx, self.job_id, *transcript, now)
            return applied.release_freed(tx)

        freed = await self._store.write(write)
        followed = self._events.is_followed(self.job_id)
        if not followed:
            self.done += sum(verdict.state == "done" for verdict in verdicts)
        async for verdict in self._events.turns.in_pieces(verdicts if followed else ()):
            self.done += verdict.state == "done"
            self.publish_step(verdict.entry, verdict.state, message=verdict.message)
        publish(self._events, freed)

    async def hook_passed(self, node_id: int) -> None:
        """Record that a node's release command succeeded; the node may be free with that."""

        def write(tx: Tx) -> Freed:
            leases.hook_passed(tx, node_id)
            return applied.release_freed(tx)

        publish(self._events, await self._store.write(write))

    async def take_turn(self) -> None:
        """Wait for a turn of the event loop in which no other device of any job begins."""
        await self._events.turns.take()

    async def publish_steps(self, entries: Sequence[Entry], state: StepState) -> None:
        """Publish that many steps have come to a state."""
        if self._events.is_followed(self.job_id):
            async for entry in self._events.turns.in_pieces(entries):
                self.publish_step(entry, state)

    def publish_step(
        self,
        entry: Entry,
        state: StepState,
        *,
        message: str | None = None,
        line: str | None = None,
        moved: tuple[int, int] | None = None,
    ) -> None:
        """Publish the state of one step, with the line that is being sent for it.

        ``moved``: the bytes copied for it so far, and their total.
        """
        step = entry.step
        self._events.publish_job(
            self.job_id,
            self.state,
            self.done,
            self.total,
            step=StepUpdate(
                step=entry.number,
                device=step.device,
                kind=step.kind,
                target=step.target,
                summary=step.summary,
                state=state,
                message=message,
                line=line,
                bytes=None if moved is None else BytesMoved(*moved),
            ),
        )

    def publish_state(self, state: JobState, error: str | None = None) -> None:
        """Publish the state of the job."""
        self.state = state
        self._events.publish_job(self.job_id, state, self.done, self.total, error=error)
