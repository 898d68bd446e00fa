"""Releases nodes at the ends of their leases, and warns before.

A lease ends by the wall clock. A clock that jumps ahead, or was wrong when the daemon started, must
not release everything before anybody notices: leases that ended in the jump, or while the daemon
was not running, are warned of, and released only after a time of grace by a clock that does not
jump.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from haas_rpcd.auth import DAEMON
from haas_rpcd.engine import releasing
from haas_rpcd.events import Events
from haas_rpcd.store import leases, nodes
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.leases import LeaseRow
from haas_rpcd.tasks import repeat

log = logging.getLogger(__name__)

JUMP = 60.0
"""Seconds that the wall clock may gain between two checks without counting as a jump."""

_INTERVAL = 30.0
"""Seconds between checks of the clocks."""


def since_boot() -> float:
    """Return seconds of a clock that never jumps, and also counts while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class LeaseCheck(msgspec.Struct, frozen=True):
    """What was warned of, what was released and by which job, and when the next lease ends."""

    warned: tuple[LeaseRow, ...]
    released: tuple[tuple[LeaseRow, int | None], ...]
    next_end: float | None


class Leases:
    """Watches the leases.

    ``warn``: how many seconds before the end of a lease a warning is published. ``grace``:
    seconds for which leases that seem to have ended in a jump of the clock are kept. ``hook`` and
    ``switch_off``: see :func:`~haas_rpcd.engine.releasing.begin`. ``enqueue`` starts a job.
    """

    def __init__(
        self,
        store: Store,
        events: Events,
        enqueue: Callable[[int, int | None], None],
        *,
        warn: float,
        grace: float,
        hook: bool,
        switch_off: Callable[[], bool] = lambda: False,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self._store = store
        self._events = events
        self._enqueue = enqueue
        self._warn = warn
        self._grace = grace
        self._hook = hook
        self._switch_off = switch_off
        self._wall = wall
        self._steady = steady
        self._changed = asyncio.Event()
        self._last = (wall(), steady())
        self._suspect = wall()
        """Leases that end before this time of the wall clock are kept …"""
        self._keep_until = steady() + grace
        """… until this time of the steady clock."""

    def changed(self) -> None:
        """Check again: a lease was made or changed."""
        self._changed.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        await repeat(
            self.check,
            self._changed,
            at_most=_INTERVAL,
            what="the leases could not be checked",
        )

    async def check(self) -> float:
        """Warn and release what is due; return the seconds until the next check."""
        now = self._wall()
        self._notice_jump(now)
        found = await self._store.write(self._take, now)
        for lease in found.warned:
            self._events.publish_inventory("node", "expiring", lease.node, lease.project)
        for lease, job in found.released:
            log.info("the lease of %s by project %s has ended", lease.node, lease.project)
            self._events.publish_inventory("node", "releasing", lease.node, lease.project)
            if job is None:
                self._events.publish_inventory("node", "freed", lease.node)
                continue
            self._events.publish_inventory("job", "queued", str(job), lease.project)
            self._enqueue(job, lease.project_id)
        if found.next_end is None:
            return _INTERVAL
        return min(_INTERVAL, max(0.05, found.next_end - now))

    def _notice_jump(self, now: float) -> None:
        wall, steady = self._last
        elapsed = self._steady() - steady
        self._last = (now, self._steady())
        if now - wall > elapsed + JUMP:
            log.warning(
                "the clock jumped ahead by %.0f s: what ended in between is kept for %.0f s",
                now - wall - elapsed,
                self._grace,
            )
            self._suspect, self._keep_until = now, self._steady() + self._grace

    def _take(self, tx: Tx, now: float) -> LeaseCheck:
        warned = leases.to_warn(tx, now + self._warn)
        leases.warned(tx, [lease.node_id for lease in warned])
        released: list[tuple[LeaseRow, int | None]] = []
        keeping = self._steady() < self._keep_until
        kept = 0
        for lease in leases.due(tx, now):
            node = nodes.find(tx, lease.node)
            if node is None:
                continue
            if keeping and lease.until <= self._suspect:
                kept += 1
                continue
            begun = releasing.begin(
                tx,
                node,
                user=DAEMON.user,
                now=now,
                hook=self._hook,
                switch_off=self._switch_off(),
            )
            released.append((lease, begun.job))
        following = now + _INTERVAL if kept else leases.next_end(tx)
        return LeaseCheck(tuple(warned), tuple(released), following)
