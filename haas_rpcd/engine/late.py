"""Waits until lines that a switch did not answer can no longer take effect.

A session that hangs may finish its line after HaaS gave it up and set everything anew in another
session. So what the line concerns is not free until one of these is certain: the switch has no
other session of HaaS left, it was restarted since, or the settle timeout has passed. Then it is
read once more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from haas_rpcd import boottime
from haas_rpcd.boottime import Moment
from haas_rpcd.drivers import Driver
from haas_rpcd.engine.closing import Closing
from haas_rpcd.model import PARKED
from haas_rpcd.registered import Uptime
from haas_rpcd.states import Difference
from haas_rpcd.store import applied, late
from haas_rpcd.store.applied import Freed
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.late import LateRow

RECHECK_SOON, RECHECK = 10.0, 60.0
"""Seconds between checks of a switch while its old session may still do something, so that what
that opens is not open for long; and afterwards, while something is not as it was applied."""


@dataclass(frozen=True)
class Waiting:
    """Why a node is not free, in a sentence, and until when (seconds since the epoch)."""

    reason: str
    until: float


class LateChanges:
    """What unanswered lines may still change, for ``settle_timeout`` seconds at most."""

    def __init__(self, store: Store, settle_timeout: float, closing: Closing) -> None:
        self._store = store
        self._closing = closing
        self._settle_timeout = settle_timeout
        self._started = boottime.now()

    def remaining(self, since: Moment) -> float:
        """Return for how many seconds a line that was given up can still take effect.

        A moment of another boot, or of another machine, cannot be compared with now. The time
        since the daemon's start counts then.
        """
        now = boottime.now()
        start = since if since.boot == now.boot else self._started
        return max(0.0, start.seconds + self._settle_timeout - now.seconds)

    def waiting(self, tx: Tx, node_ids: Sequence[int]) -> dict[int, Waiting]:
        """Return the nodes whose ports are waited for, by their ids."""
        found: dict[int, Waiting] = {}
        if not node_ids:
            return found
        for row in late.of_nodes(tx, list(node_ids)):
            remaining = self.remaining(row.since)
            until = time.time() + remaining
            if row.node_id not in found or found[row.node_id].until < until:
                found[row.node_id] = Waiting(_reason(row.switch, row.port), until)
        return found

    async def next_check(self, switch: str) -> float | None:
        """Return after how many seconds to check a switch again; None if nothing is awaited."""
        rows = await self._store.read(late.on, switch)
        if not rows:
            return None
        waits = [wait for row in rows if (wait := self.remaining(row.since)) > 0]
        return min([*waits, RECHECK_SOON]) if waits else RECHECK

    async def settled(self, switch: str, driver: Driver, up: Uptime | None = None) -> list[LateRow]:
        """Return what cannot change late any more on a switch, and end its old sessions.

        ``up``: how long the switch has been up, if that was read. Raises DeviceError.
        """
        rows = await self._store.read(late.on, switch)
        if not rows:
            return []
        if await driver.end_other_sessions():
            return rows
        return [row for row in rows if self._is_over(row.since, up)]

    async def close_opened(
        self,
        switch: str,
        driver: Driver,
        rows: Sequence[LateRow],
        differences: Sequence[Difference],
    ) -> bool:
        """Shut parked ports that a late line opened; return whether there were any.

        ``rows``: what cannot change late any more. Raises DeviceError.
        """
        late_ports = {row.target for row in rows if row.kind == "port"}
        opened = [
            difference.target
            for difference in differences
            if difference.kind == "port"
            and difference.target in late_ports
            and difference.applied == PARKED
        ]
        if opened:
            await self._closing.close(switch, driver, opened)
        return bool(opened)

    def _is_over(self, since: Moment, up: Uptime | None) -> bool:
        now = boottime.now()
        restarted = (
            up is not None
            and since.boot == now.boot
            and now.seconds - since.seconds > up.seconds + up.resolution
        )
        return restarted or self.remaining(since) == 0

    async def confirm(
        self, switch: str, rows: Sequence[LateRow], differences: Sequence[Difference]
    ) -> Freed:
        """Note what cannot change late any more and was read since; return what became free.

        What differs from what was applied stays: the late line may have done that.
        """
        wrong = {(difference.kind, difference.target) for difference in differences}
        right = [row for row in rows if (row.kind, row.target) not in wrong]

        def write(tx: Tx) -> Freed:
            late.settle(tx, switch, right)
            return applied.release_freed(tx)

        return await self._store.write(write) if right else Freed([], [])


def _reason(switch: str, port: str | None) -> str:
    what = "a line that saves its configuration" if port is None else f"a line for {port}"
    return (
        f"{switch} did not answer {what}, and may still execute it. HaaS checks the"
        " switch by itself and frees the node then. To free it earlier, an admin ends HaaS's old"
        f" session on {switch}, or restarts {switch}, and runs  drift check {switch}"
    )
