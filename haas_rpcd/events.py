"""Publishes events about jobs and the inventory to their subscribers.

A subscriber is a plain function that must not block. If it raises, the error is logged and neither
the publisher nor the other subscribers notice. A subscriber that cannot keep up has to deal with
that itself: the RPC layer disconnects a slow client, which then fetches everything again, rather
than drop events silently.

Events are published at once, in order. Of many in one turn of the event loop, the later ones are
published in later turns.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import ParamSpec

from haas_rpcd.looptime import LoopTurns
from haas_rpcd.tasks import start_apart
from haas_schemas.event import InventoryEvent, JobEvent, StepUpdate
from haas_schemas.job import JobState

P = ParamSpec("P")

log = logging.getLogger(__name__)

JobSubscriber = Callable[[JobEvent], None]
InventorySubscriber = Callable[[InventoryEvent, bool], None]
"""Receives the event, and whether it is for admins only."""

PermissionsSubscriber = Callable[[str, frozenset[int] | None], None]
"""Receives the user whose permissions were reduced, and the ids of the tokens that ended (None: all
connections of the user are concerned)."""

Unsubscribe = Callable[[], None]


class Events:
    """All events of the daemon, and their subscribers.

    Each connection numbers (``seq``) what it sends: a number of all events would count what others
    do.
    """

    def __init__(self) -> None:
        self._jobs: dict[int, set[JobSubscriber]] = {}
        self._all_jobs: set[JobSubscriber] = set()
        self._inventory: set[InventorySubscriber] = set()
        self._permissions: set[PermissionsSubscriber] = set()
        self.turns = LoopTurns()
        """For those who publish or send many events."""
        self._later: deque[Callable[[], None]] = deque()
        """What this turn of the loop had no time to publish."""
        self._catching_up: asyncio.Task[None] | None = None

    # --- subscribing: each method returns the function that ends the subscription -----------------

    def subscribe_job(self, job: int, subscriber: JobSubscriber) -> Unsubscribe:
        """Send the events of one job to a subscriber."""
        self._jobs.setdefault(job, set()).add(subscriber)

        def unsubscribe() -> None:
            subscribers = self._jobs.get(job, set())
            subscribers.discard(subscriber)
            if not subscribers:
                self._jobs.pop(job, None)

        return unsubscribe

    def subscribe_all_jobs(self, subscriber: JobSubscriber) -> Unsubscribe:
        """Send the events of all jobs to a subscriber."""
        self._all_jobs.add(subscriber)
        return lambda: self._all_jobs.discard(subscriber)

    def subscribe_inventory(self, subscriber: InventorySubscriber) -> Unsubscribe:
        """Send all inventory events to a subscriber."""
        self._inventory.add(subscriber)
        return lambda: self._inventory.discard(subscriber)

    def subscribe_permissions(self, subscriber: PermissionsSubscriber) -> Unsubscribe:
        """Notify a subscriber whenever a user's permissions are reduced."""
        self._permissions.add(subscriber)
        return lambda: self._permissions.discard(subscriber)

    # --- publishing -------------------------------------------------------------------------------

    def permissions_reduced(self, user: str, tokens: frozenset[int] | None = None) -> None:
        """Notify a user's connections that their permissions were reduced.

        With ``tokens`` (ids), only those connections that came in with one of them.
        """
        _publish(self._permissions, user, tokens)

    def is_followed(self, job: int) -> bool:
        """Return whether anybody receives the events of a job."""
        return bool(self._all_jobs or self._jobs.get(job))

    def publish_job(
        self,
        job: int,
        state: JobState,
        done: int,
        total: int,
        *,
        step: StepUpdate | None = None,
        error: str | None = None,
    ) -> None:
        """Publish a job's progress to the subscribers of this job, and of all jobs."""
        subscribers = self._subscribers(job)
        if not subscribers:
            return
        event = JobEvent(
            job=job,
            seq=0,
            state=state,
            done=done,
            total=total,
            step=step,
            error=error,
        )
        self._in_turn(lambda: _publish(subscribers & self._subscribers(job), event))

    def publish_inventory(
        self,
        noun: str,
        verb: str,
        name: str,
        project: str | None = None,
        *,
        admins_only: bool = False,
    ) -> None:
        """Publish that something was created, changed or deleted.

        An event with a ``project`` is for its members and for admins; one without is for everybody,
        unless ``admins_only``. The subscriber filters by this.
        """
        event = InventoryEvent(seq=0, noun=noun, verb=verb, name=name, project=project)
        subscribers = frozenset(self._inventory)
        self._in_turn(lambda: _publish(subscribers & self._inventory, event, admins_only))

    def _subscribers(self, job: int) -> set[JobSubscriber]:
        return self._all_jobs | self._jobs.get(job, set())

    def _in_turn(self, publish: Callable[[], None]) -> None:
        """Publish now, or in a later turn of the loop if this one is used up."""
        if not self._later and not self.turns.used_up():
            publish()
            return
        self._later.append(publish)
        if self._catching_up is None:
            self._catching_up = start_apart(self._catch_up(), "publishing events")

    async def _catch_up(self) -> None:
        try:
            while self._later:
                await self.turns.pace()
                self._later.popleft()()
        finally:
            self._catching_up = None


def _publish(subscribers: Iterable[Callable[P, None]], *args: P.args, **kwargs: P.kwargs) -> None:
    for subscriber in tuple(subscribers):  # they may unsubscribe while being called
        try:
            subscriber(*args, **kwargs)
        except Exception:
            log.exception("a subscriber failed on an event")
