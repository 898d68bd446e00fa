"""Messages about what happens elsewhere: jobs that end, and switches that were restarted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial

from haas_console.core.sync import Changes
from haas_console.tui.console import Console
from haas_schemas.headnode import DRIFTED
from haas_schemas.job import Job


class JobAnnouncements:
    """Says how each job ended, on whichever screen is in front."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._under_way: set[int] = set()
        self._newest: str | None = None
        """When the newest job was created; None: the inventory was not read yet."""
        console.session.sync.watch(self._changed)

    def _changed(self, changes: Changes) -> None:
        inventory, front = self.console.session.inventory, self.console.front
        if "job" not in changes or inventory.info is None:
            return
        jobs = inventory.jobs
        fresh = self._failed_at_once(jobs.values()) if self._newest is not None else []
        ended = [jobs[job] for job in self._under_way if job in jobs and not jobs[job].under_way]
        self._newest = max((job.created for job in jobs.values()), default=self._newest or "")
        self._under_way = {job.job for job in jobs.values() if job.under_way}
        # the last one stays on the screen
        for job in sorted(ended + fresh, key=lambda job: (job.state == "failed", job.created)):
            if front is None or front.shown_job == job.job:
                continue
            if job.state == "failed":
                failures = self.console.session.failures
                failures.add(job)
                text = f"{sentence(job)}: {job.error or 'no reason was given'}  J shows it."
                front.fail(text, partial(self._is_unseen, job))
            else:
                front.say(sentence(job))

    def _failed_at_once(self, jobs: Iterable[Job]) -> list[Job]:
        """Jobs that are new and have failed before they were seen under way."""
        newest = self._newest or ""
        return [
            job
            for job in jobs
            if job.state == "failed" and job.created > newest and job.job not in self._under_way
        ]

    def _is_unseen(self, job: Job) -> bool:
        """Whether nobody has looked at a job that failed, and no later one has succeeded."""
        session = self.console.session
        return job.job in [each.job for each in session.failures.unseen(session.inventory, None)]


def sentence(job: Job) -> str:
    """``job 3 of astro succeeded: 12 of 12 steps in 0.4 s``."""
    from haas_console.core.jobtree import clock
    from haas_console.core.plandiff import whose
    from haas_console.core.times import elapsed

    long = clock(elapsed(job.started, job.finished))
    text = f"job {job.job} of {whose(job.project)} {job.state}: {job.done} of {job.total} steps"
    return f"{text} in {long}" if long else text


class DeviceAnnouncements:
    """Reports restarted switches, changes of headnodes, and allocations that end soon.

    Only admins get events of switches.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._announced = time.time()
        console.session.sync.watch(self._changed)

    def _changed(self, changes: Changes) -> None:
        if "event" not in changes:
            return
        events = self.console.session.sync.log.events
        nouns = ("switch", "headnode", "node")
        fresh = [each for each in events if each.noun in nouns and each.at > self._announced]
        front = self.console.front
        for each in fresh:
            self._announced = each.at
            if front is None:
                continue
            if each.verb == "ports-closed":
                text = f"{each.name} came back with ports open that were not to be: closed."
                front.fail(text, lambda: True)  # until the next message
            elif each.verb == "restarted":
                front.say(f"{each.name} was restarted: it is checked, and what it lost put back.")
            elif each.noun == "node" and each.verb == "expiring":
                front.fail(
                    f"The allocation of {each.name} ends soon, and it is released then:"
                    f"  :node extend {each.name} TIME",
                    self._as_now(each.name),
                )
            elif each.noun == "headnode" and each.verb in DRIFTED:
                front.fail(
                    f"Headnode {each.project}/{each.name} is {each.verb}: an apply of"
                    f" {each.project} brings it back.",
                    partial(self._is_drifted, (each.project or "", each.name)),
                )

    def _as_now(self, node: str) -> Callable[[], bool]:
        """Whether the allocation of a node still has its present end."""
        nodes = self.console.session.inventory.nodes
        known = nodes.get(node)
        until = (known.state, known.until) if known is not None else None

        def holds() -> bool:
            now = self.console.session.inventory.nodes.get(node)
            return now is not None and (until is None or (now.state, now.until) == until)

        return holds

    def _is_drifted(self, key: tuple[str, str]) -> bool:
        """Whether a headnode is not as it was applied."""
        found = self.console.session.inventory.headnodes.get(key)
        return found is not None and found.state in DRIFTED
