"""Takes back what was applied and not confirmed in time: commit-confirm, on every device.

What goes back is the project's own desired state, by an ordinary job. So it works on every dialect,
on the master and on the hypervisor. The deadline is in the store, for a daemon that restarts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from haas_rpcd.auth import DAEMON
from haas_rpcd.clock import Clock
from haas_rpcd.events import Events
from haas_rpcd.store import confirms
from haas_rpcd.store.confirms import ConfirmRow
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.tasks import repeat

log = logging.getLogger(__name__)

_LOOK = 30.0
"""Seconds between two checks of the clocks at most, whatever is waiting."""


class Confirms:
    """Watches the jobs that wait to be confirmed. ``enqueue`` starts a job."""

    def __init__(
        self,
        store: Store,
        events: Events,
        clock: Clock,
        enqueue: Callable[[int, int | None], None],
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._enqueue = enqueue
        self._changed = asyncio.Event()

    async def job_ended(self, job_id: int) -> None:
        """Begin the time of a job that has to be confirmed. Raises StoreError."""
        now, wall = self._clock.now(), self._clock.wall()
        if await self._store.write(confirms.ended, job_id, now, wall):
            self._changed.set()

    async def run(self) -> None:
        """Take back what is due, until cancelled."""
        await repeat(
            self.check,
            self._changed,
            at_most=_LOOK,
            what="what was not confirmed could not be taken back",
        )

    async def check(self) -> float:
        """Take back what is due now; return the seconds until the next check."""
        wait = _LOOK
        for job_id in await self._store.read(confirms.unstarted):  # the daemon died in between
            await self._store.write(confirms.ended, job_id, self._clock.now(), self._clock.wall())
        for row in await self._store.read(confirms.waiting):
            left = self._left(row)
            if left > 0:
                wait = min(wait, left)
                continue
            made = await self._store.write(self._revert, row)
            if made is not None:
                job, project_id, project = made
                log.warning(
                    "job %d was not confirmed in time: job %d takes it back", row.job_id, job
                )
                self._events.publish_inventory("job", "reverted", str(row.job_id), project)
                self._events.publish_inventory("job", "queued", str(job), project)
                self._enqueue(job, project_id)
        return wait

    def _left(self, row: ConfirmRow) -> float:
        now = self._clock.now()
        if row.boot == now.boot and row.boot_deadline is not None:
            return row.boot_deadline - now.seconds
        return (row.deadline or 0.0) - self._clock.wall()

    def _revert(self, tx: Tx, row: ConfirmRow) -> tuple[int, int, str | None] | None:
        now = confirms.find(tx, row.job_id)
        if now is None or now.state != "waiting":
            return None  # confirmed meanwhile
        job = confirms.revert(tx, row, user=DAEMON.user, now=self._clock.wall())
        return None if job is None else confirms.scope_of(tx, job)
