"""Applies that failed while the console was open, until somebody has looked at them."""

from __future__ import annotations

from haas_console.core.inventory import Inventory
from haas_schemas.job import Job


class Failures:
    """The jobs that failed and were not looked at yet."""

    def __init__(self) -> None:
        self._unseen: set[int] = set()

    def add(self, job: Job) -> None:
        """Note a job that has failed."""
        self._unseen.add(job.job)

    def seen(self, job: int) -> bool:
        """Note that a job was looked at; whether it was among these."""
        was = job in self._unseen
        self._unseen.discard(job)
        return was

    def unseen(self, inventory: Inventory, project: str | None) -> list[Job]:
        """The failed jobs of a project, or of all, oldest first, that no later one has mended."""
        succeeded: dict[str | None, int] = {}
        for job in inventory.jobs.values():
            if job.state == "succeeded":
                succeeded[job.project] = max(job.job, succeeded.get(job.project, 0))
        found = [inventory.jobs[number] for number in sorted(self._unseen & inventory.jobs.keys())]
        return [
            job
            for job in found
            if job.job > succeeded.get(job.project, 0) and project in (None, job.project)
        ]
