"""The list of jobs: newest first, filtered. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from haas_console.core import filters
from haas_schemas.job import Job

FIELDS: dict[str, Callable[[Job], Iterable[str]]] = {
    "job": lambda job: (str(job.job),),
    "project": lambda job: (job.project or "site",),
    "kind": lambda job: (job.kind,),
    "state": lambda job: (job.state,),
    "user": lambda job: (job.user,),
    "error": lambda job: (job.error or "",),
}


def parse_filter(text: str) -> Callable[[Job], bool] | None:
    """Read a filter of jobs; None if it tests nothing. Raises ValueError with a sentence."""
    return filters.parse_filter(text, FIELDS, _cells)


def _cells(job: Job) -> Iterable[str]:
    """All that the list shows of a job."""
    for field in FIELDS.values():
        yield from field(job)
    yield f"{job.done}/{job.total}"


def newest_first(jobs: Iterable[Job], filter_text: str = "") -> list[Job]:
    """Return the jobs that fit a filter; raises ValueError if it is malformed."""
    found, _ = filters.fitting(jobs, filter_text, FIELDS, _cells)
    return sorted(found, key=lambda job: (job.created, job.job), reverse=True)
