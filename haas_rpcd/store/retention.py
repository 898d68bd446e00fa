"""Deletes old audit records, transcripts and jobs, as the configuration says."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from haas_rpcd.clock import Clock
from haas_rpcd.config import AuditSettings, JobSettings, Settings
from haas_rpcd.errors import StoreError
from haas_rpcd.store import audit, jobs, transcripts
from haas_rpcd.store.database import Store

log = logging.getLogger(__name__)

_EVERY = 3600.0
"""Seconds from one round to the next."""

_AT_A_TIME = 1000
"""Records that one transaction deletes, so that nobody waits long for it."""

_JOBS_AT_A_TIME = 20
"""Jobs that one transaction deletes: each may have thousands of steps."""

_DAY = 86400.0

JUMP = 3600.0
"""Seconds by which the time of day may run ahead of a clock that nobody sets."""

UNSEEN = 30 * _DAY
"""Seconds without a record, at the start, after which the time of day is not believed at once."""

PROBATION = _DAY
"""Seconds that nothing counts as old after the time of day jumped ahead: it may be set back."""


class Dates:
    """Judges whether the time of day can be believed. Set ahead, it makes every record look old.

    ``newest``: when the newest record was written that is older than the probation, None if there
    is none.
    """

    def __init__(self, clock: Clock, newest: float | None) -> None:
        self._clock = clock
        self._wall, self._steady = clock.wall(), clock.now().seconds
        self._doubted: float | None = None
        if newest is not None and self._wall - newest > UNSEEN:
            self._doubt()

    def believed(self) -> bool:
        """Return whether records may be deleted for their age now."""
        wall, steady = self._clock.wall(), self._clock.now().seconds
        if wall - self._wall > steady - self._steady + JUMP:
            self._doubt()
        self._wall, self._steady = wall, steady
        if self._doubted is not None and steady - self._doubted >= PROBATION:
            self._doubted = None
        return self._doubted is None

    def _doubt(self) -> None:
        log.warning("the clock jumped ahead: for a day, nothing is deleted for its age")
        self._doubted = self._clock.now().seconds


async def prune(store: Store, settings: Callable[[], Settings], clock: Clock) -> None:
    """Delete what is too old or too much, for ever. The settings are asked for each time."""
    dates: Dates | None = None
    while True:
        try:
            if dates is None:
                # Newer records may have been written since the clock jumped, before a restart.
                known = await store.read(audit.newest, clock.wall() - PROBATION)
                dates = Dates(clock, known)
            of_audit, of_jobs = settings().audit, settings().jobs
            if not dates.believed():
                of_audit = msgspec.structs.replace(of_audit, keep_days=0.0)
                of_jobs = msgspec.structs.replace(of_jobs, keep_days=0.0)
            await prune_once(store, of_audit)
            await prune_jobs(store, of_jobs)
            head = await store.read(audit.head)
            # in the log's own place: whoever rewrites the database cannot rewrite this as well
            log.info("the audit trail ends with record %d, hash %s", head.audit_id, head.hash.hex())
        except StoreError as error:
            log.error("old records could not be deleted: %s", error)
        await asyncio.sleep(_EVERY)


async def prune_once(store: Store, settings: AuditSettings) -> int:
    """Delete what is too old or too much now; return how many records went. Raises StoreError."""
    before = time.time() - settings.keep_days * _DAY if settings.keep_days else 0.0
    await store.write(transcripts.prune, settings.keep_transcripts)
    deleted = 0
    while count := await store.write(audit.prune, before, settings.keep_records, _AT_A_TIME):
        deleted += count
    if deleted:
        log.info("%d old audit records were deleted", deleted)
    return deleted


async def prune_jobs(store: Store, settings: JobSettings) -> int:
    """Delete jobs that ended too long ago, or are too many; return how many. Raises StoreError."""
    before = time.time() - settings.keep_days * _DAY if settings.keep_days else 0.0
    deleted = 0
    while count := await store.write(jobs.prune, before, settings.keep, _JOBS_AT_A_TIME):
        deleted += count
    if deleted:
        log.info("%d old jobs were deleted", deleted)
    return deleted
