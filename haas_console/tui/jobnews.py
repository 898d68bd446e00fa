"""Tells how a job ended, wherever one is by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haas_console.core.sync import Changes
from haas_schemas.job import Job

if TYPE_CHECKING:
    from haas_console.tui.app import ConsoleApp


class JobNews:
    """Watches the jobs under way; the line at the bottom says what became of them."""

    def __init__(self, app: ConsoleApp) -> None:
        self.console = app
        self._under_way: set[int] = set()
        app.session.sync.watch(self._hear)

    def _hear(self, changes: Changes) -> None:
        if "job" not in changes:
            return
        jobs = self.console.session.inventory.jobs
        ended = [jobs[job] for job in sorted(self._under_way) if job in jobs]
        self._under_way = {job.job for job in jobs.values() if job.under_way}
        here = self.console.here
        for job in ended:
            if job.under_way or here is None or here.tells_job == job.job:
                continue
            if job.state == "failed":
                here.fail(f"{sentence(job)}: {job.error or 'no reason was given'}  J shows it.")
            else:
                here.say(sentence(job))


def sentence(job: Job) -> str:
    """``job 3 of astro succeeded: 12 of 12 steps in 0.4 s``."""
    from haas_console.core.jobtree import clock
    from haas_console.core.plandiff import whose
    from haas_console.core.times import elapsed

    long = clock(elapsed(job.started, job.finished))
    told = f"job {job.job} of {whose(job.project)} {job.state}: {job.done} of {job.total} steps"
    return f"{told} in {long}" if long else told
