"""Deletes old audit records, transcripts and jobs, as the configuration says."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

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


async def prune(store: Store, settings: Callable[[], Settings]) -> None:
    """Delete what is too old or too much, for ever. The settings are asked for each time."""
    while True:
        try:
            await prune_once(store, settings().audit)
            await prune_jobs(store, settings().jobs)
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
