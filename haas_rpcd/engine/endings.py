"""How jobs end: known at once, and written to the store as soon as that answers."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

import msgspec

from haas_rpcd.errors import StoreError
from haas_rpcd.store import jobs
from haas_rpcd.store.database import Store
from haas_rpcd.store.jobs import JobRow
from haas_rpcd.tasks import cancel_and_wait, start_apart
from haas_schemas.job import JobState

log = logging.getLogger(__name__)

_AGAIN = 1.0
"""Seconds between two attempts to write."""


class Ending(msgspec.Struct, frozen=True):
    """The final state of a job; ``finished`` is in seconds since the epoch."""

    state: JobState
    error: str | None
    finished: float


class Endings:
    """The final states of jobs, including those that the store has not accepted yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unwritten: dict[int, Ending] = {}
        self._task: asyncio.Task[None] | None = None

    async def write(self, job_id: int, ending: Ending) -> bool:
        """Write how a job ended; if the store fails, return False, and try until it answers."""
        self._unwritten[job_id] = ending
        try:
            await self._write(job_id)
        except (StoreError, sqlite3.Error) as error:
            log.error("the end of job %d could not be stored yet: %s", job_id, error)
            if self._task is None or self._task.done():
                self._task = start_apart(self._write_all(), "endings of jobs")
            return False
        return True

    def now(self, row: JobRow) -> JobRow:
        """Return a job's present state: its row in the store may not say yet that it has ended."""
        ending = self._unwritten.get(row.id)
        if ending is None:
            return row
        return msgspec.structs.replace(
            row, state=ending.state, error=ending.error, finished=ending.finished
        )

    async def stop(self) -> None:
        """Stop trying. A job whose end was not written is resumed at the next start."""
        if self._task is not None:
            await cancel_and_wait(self._task)

    async def _write_all(self) -> None:
        while self._unwritten:
            await asyncio.sleep(_AGAIN)
            for job_id in tuple(self._unwritten):
                if job_id not in self._unwritten:
                    continue
                try:
                    await self._write(job_id)
                except (StoreError, sqlite3.Error):
                    continue
                log.info("the end of job %d is stored now", job_id)

    async def _write(self, job_id: int) -> None:
        ending = self._unwritten[job_id]
        await self._store.write(jobs.finish, job_id, ending.state, ending.error, ending.finished)
        del self._unwritten[job_id]
