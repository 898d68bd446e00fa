"""Messages on what happens elsewhere: how jobs end, and that a switch was restarted."""

from __future__ import annotations

import time

from haas_console.core.sync import Changes
from haas_console.tui.console import Console
from haas_schemas.headnode import DRIFTED
from haas_schemas.job import Job


class JobAnnouncements:
    """Says how each job ended, on whichever screen is in front."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._under_way: set[int] = set()
        console.session.sync.watch(self._changed)

    def _changed(self, changes: Changes) -> None:
        if "job" not in changes:
            return
        jobs = self.console.session.inventory.jobs
        known = [jobs[job] for job in self._under_way if job in jobs]
        known.sort(key=lambda job: job.created)
        self._under_way = {job.job for job in jobs.values() if job.under_way}
        front = self.console.front
        for job in known:
            if job.under_way or front is None or front.shown_job == job.job:
                continue
            if job.state == "failed":
                failures = self.console.session.failures
                failures.add(job)
                front.fail(f"{sentence(job)}: {job.error or 'no reason was given'}  J shows it.")
            else:
                front.say(sentence(job))


def sentence(job: Job) -> str:
    """``job 3 of astro succeeded: 12 of 12 steps in 0.4 s``."""
    from haas_console.core.jobtree import clock
    from haas_console.core.plandiff import whose
    from haas_console.core.times import elapsed

    long = clock(elapsed(job.started, job.finished))
    text = f"job {job.job} of {whose(job.project)} {job.state}: {job.done} of {job.total} steps"
    return f"{text} in {long}" if long else text


class DeviceAnnouncements:
    """Says what became of restarted switches, of headnodes, and which allocations end soon.

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
                front.fail(f"{each.name} came back with ports open that were not to be: closed.")
            elif each.verb == "restarted":
                front.say(f"{each.name} was restarted: it is checked, and what it lost put back.")
            elif each.noun == "node" and each.verb == "expiring":
                front.fail(
                    f"The allocation of {each.name} ends soon, and it is released then:"
                    f"  :node extend {each.name} TIME"
                )
            elif each.noun == "headnode" and each.verb in DRIFTED:
                front.fail(
                    f"Headnode {each.project}/{each.name} is {each.verb}: an apply of"
                    f" {each.project} brings it back."
                )
