"""Begins a job: reads what an interrupted one left, plans, and writes the steps to the journal."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from itertools import groupby

from haas_rpcd import boottime
from haas_rpcd.boottime import Moment
from haas_rpcd.engine.journal import Entry
from haas_rpcd.engine.planning import Planning, Prepared
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import DeviceError, HaasError
from haas_rpcd.model import Phase, SetPort, Step
from haas_rpcd.planner import shortfall
from haas_rpcd.store import applied, confirms, jobs
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.evidence import Proof
from haas_rpcd.store.jobs import JournalRows
from haas_rpcd.store.scope import Scope

log = logging.getLogger(__name__)

_ATTEMPTS = 3
"""How often a plan is made outside the transaction that writes it."""


class Beginning:
    """Begins one job. ``worker`` returns the worker of a device."""

    def __init__(
        self,
        job_id: int,
        scope: Scope,
        store: Store,
        planning: Planning,
        worker: Callable[[str], Worker],
    ) -> None:
        self._job_id = job_id
        self._scope = scope
        self._store = store
        self._planning = planning
        self._worker = worker

    async def plan(self, digest: str | None) -> list[Entry]:
        """Plan, and write the steps to the journal.

        A large plan is made on a snapshot, so that it holds up no other writer, and made again if
        anything was written meanwhile. After some attempts, what it depends on is compared in the
        transaction that writes it. ``digest``: what the plan must have, if a user saw it.

        Raises StalePlanError, UnavailableError.
        """

        def write(tx: Tx, prepared: Prepared) -> list[Entry]:
            planned = prepared.plan
            self._planning.check(digest, planned)
            return self._write(tx, planned.steps, prepared.rows)

        def write_if_unchanged(tx: Tx, prepared: Prepared, generation: int) -> list[Entry] | None:
            return write(tx, prepared) if self._store.generation == generation else None

        prepared: Prepared | None = None
        for _ in range(_ATTEMPTS):
            generation = self._store.generation
            prepared = await self._store.read(self._planning.prepare, self._scope, prepared)
            entries = await self._store.write(write_if_unchanged, prepared, generation)
            if entries is not None:
                return entries
        return await self._store.write(
            lambda tx: write(tx, self._planning.prepare(tx, self._scope, prepared))
        )

    async def write_steps(self, steps: Sequence[Step]) -> list[Entry]:
        """Write steps of a repair or a proof to the journal. Raises UnavailableError."""

        def rows(tx: Tx) -> JournalRows:
            return jobs.rows_of(self._planning.render(tx, steps))

        return await self._store.write(self._write, steps, await self._store.read(rows))

    def _write(self, tx: Tx, steps: Sequence[Step], rows: JournalRows) -> list[Entry]:
        if self._scope.project_id is not None:
            confirms.remember(tx, self._job_id, self._scope)
        jobs.begin(tx, self._job_id, time.time())
        numbers = jobs.add_steps(tx, self._job_id, rows)
        return [Entry(number, step) for number, step in zip(numbers, steps, strict=True)]

    # --- after the daemon died --------------------------------------------------------------------

    async def read_interrupted(self) -> list[Step]:
        """Close the steps that a dead daemon left open; read and return those it may have sent.

        A port is only believed if it reads back as that step wanted it: in a slow switch, lines
        that were sent ahead may still be on their way, and change the port later. Every other port,
        and every target on a device that cannot be read, stays *not known*, so the plan parks it
        before anything else.
        """
        steps = await self._store.write(self._interrupt, boottime.now())
        by_device = groupby(sorted(steps, key=lambda step: step.device), lambda step: step.device)
        async with asyncio.TaskGroup() as group:
            for device, own in by_device:
                group.create_task(self._read_device(device, list(own)))
        return steps

    def _interrupt(self, tx: Tx, now: Moment) -> list[Step]:
        """Close the open steps. Lines of those that do not only shut a port may be on their way."""
        steps = jobs.interrupt(tx, self._job_id, time.time())
        for step in steps:
            if not step.parks:
                applied.may_come_late(tx, step.device, [step.change], now)
        return steps

    async def _read_device(self, device: str, steps: Sequence[Step]) -> None:
        steps = [step for step in steps if step.phase is not Phase.SAVE]
        try:
            changes = [step.change for step in steps]
            seen = await self._worker(device).read(lambda driver: driver.observe(changes))
        except HaasError as error:
            log.warning("job %d: %s could not be observed: %s", self._job_id, device, error)
            return

        def write(tx: Tx) -> None:
            for step, found in zip(steps, seen, strict=True):
                if isinstance(found, DeviceError) or (
                    isinstance(step.change, SetPort) and shortfall(step.change, found) is not None
                ):
                    continue
                applied.confirm(tx, device, step.change, found, Proof(time.time(), self._job_id))
            applied.release_freed(tx)

        await self._store.write(write)
