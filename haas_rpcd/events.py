"""Who is told of what: the news of jobs and of the inventory, fanned out to whoever is watching.

A watcher is a plain function that must not block. One that can't keep up is its owner's matter:
the transport disconnects a slow listener, which then fetches again, instead of skipping silently.
"""

from __future__ import annotations

from collections.abc import Callable

from haas_schemas.event import InventoryEvent, JobEvent, StepUpdate
from haas_schemas.job import JobState

JobWatcher = Callable[[JobEvent], None]
InventoryWatcher = Callable[[InventoryEvent, bool], None]
"""Gets the event, and whether it is for admins only."""

RightsWatcher = Callable[[str], None]
"""Gets the user who may see less than before."""


class Events:
    """The daemon's one exchange of news."""

    def __init__(self) -> None:
        self.seq = 0
        """The number of the last event."""
        self._jobs: dict[int, set[JobWatcher]] = {}
        self._inventory: set[InventoryWatcher] = set()
        self._rights: set[RightsWatcher] = set()

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def watch_job(self, job: int, watcher: JobWatcher) -> Callable[[], None]:
        """Tell ``watcher`` of one job; the function that is given back ends that."""
        self._jobs.setdefault(job, set()).add(watcher)

        def stop() -> None:
            watchers = self._jobs.get(job, set())
            watchers.discard(watcher)
            if not watchers:
                self._jobs.pop(job, None)

        return stop

    def watch_inventory(self, watcher: InventoryWatcher) -> Callable[[], None]:
        """Tell ``watcher`` of all changes; the function that is given back ends that."""
        self._inventory.add(watcher)
        return lambda: self._inventory.discard(watcher)

    def watch_rights(self, watcher: RightsWatcher) -> Callable[[], None]:
        """Tell ``watcher`` who may see less from now on; the function given back ends that."""
        self._rights.add(watcher)
        return lambda: self._rights.discard(watcher)

    def rights(self, user: str) -> None:
        """Tell whoever sends news to a user that it may see less from now on."""
        for watcher in tuple(self._rights):
            watcher(user)

    def job(
        self,
        job: int,
        state: JobState,
        done: int,
        total: int,
        *,
        step: StepUpdate | None = None,
        error: str | None = None,
    ) -> None:
        """Tell the watchers of a job how it stands."""
        watchers = self._jobs.get(job)
        if not watchers:
            return
        event = JobEvent(
            job=job,
            seq=self._next(),
            state=state,
            done=done,
            total=total,
            step=step,
            error=error,
        )
        for watcher in tuple(watchers):
            watcher(event)

    def inventory(
        self,
        noun: str,
        verb: str,
        name: str,
        project: str | None = None,
        *,
        admins_only: bool = False,
    ) -> None:
        """Tell who watches that something was made, changed or deleted.

        With a ``project`` the news is for its members and admins; else for everybody, unless
        ``admins_only``. Which listener is which, the watcher sees to.
        """
        event = InventoryEvent(seq=self._next(), noun=noun, verb=verb, name=name, project=project)
        for watcher in tuple(self._inventory):
            watcher(event, admins_only)
