"""Applies that failed while the console was open, until somebody has opened them."""

from __future__ import annotations

from datetime import datetime, timedelta

from haas_console.core.inventory import Inventory
from haas_console.core.times import parsed
from haas_schemas.job import Job

DAY = timedelta(days=1)


class Failures:
    """The failed jobs that nobody has opened yet."""

    def __init__(self) -> None:
        self._unseen: set[int] = set()
        self._seen: set[int] = set()

    def add(self, job: Job) -> None:
        """Note a job that has failed."""
        self._unseen.add(job.job)

    def seen(self, job: int) -> bool:
        """Note that a job was opened; return whether it was among these."""
        was = job in self._unseen
        self._unseen.discard(job)
        self._seen.add(job)
        return was

    def unseen(self, inventory: Inventory, project: str | None) -> list[Job]:
        """The failed jobs of a project, or of all, oldest first, that no later one has mended."""
        found = [inventory.jobs[number] for number in self._unseen & inventory.jobs.keys()]
        found.sort(key=lambda job: job.created)  # numbers are drawn at random
        return [job for job in _not_mended(inventory, found) if project in (None, job.project)]

    def of_the_day(self, inventory: Inventory, now: datetime) -> list[Job]:
        """The jobs that failed within a day, also before the console was opened, and that nobody
        has looked at here nor a later one has mended; the oldest first."""
        found = [
            job
            for job in inventory.jobs.values()
            if job.state == "failed"
            and job.job not in self._seen
            and job.finished is not None
            and now - parsed(job.finished) < DAY
        ]
        return _not_mended(inventory, sorted(found, key=lambda job: job.created))


def _not_mended(inventory: Inventory, found: list[Job]) -> list[Job]:
    """Those of some jobs after which none of the same project has succeeded."""
    succeeded: dict[str | None, str] = {}
    for job in inventory.jobs.values():
        if job.state == "succeeded":
            succeeded[job.project] = max(job.created, succeeded.get(job.project, ""))
    return [job for job in found if job.created > succeeded.get(job.project, "")]
