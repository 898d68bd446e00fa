"""Finds out whether a switch restarted since its last session, from its uptime.

Only clocks that nobody sets are compared: the switch's uptime, and the master's own time since its
boot.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from haas_rpcd.boottime import Moment
from haas_rpcd.clock import Clock
from haas_rpcd.drivers import Driver
from haas_rpcd.engine.closing import Closing
from haas_rpcd.engine.identities import Identities
from haas_rpcd.events import Events
from haas_rpcd.model import PARKED, PortRef
from haas_rpcd.planner import drift
from haas_rpcd.registered import Uptime
from haas_rpcd.states import Applied, Difference, Observed
from haas_rpcd.store import saves, switches
from haas_rpcd.store.database import Store
from haas_rpcd.store.switches import UptimeRow

log = logging.getLogger(__name__)

TOLERANCE = 150.0
"""Seconds by which an uptime may be behind: many switches report theirs in minutes."""

RENEWED = 60.0
"""Seconds by which an uptime must differ from the expected one to be stored anew."""

Compare = Callable[[str, Driver], Awaitable[tuple[Applied, Observed]]]
"""Reads what a device has and what it should have, in its worker's turn."""

Record = Callable[[str, Sequence[Difference]], Awaitable[None]]
"""Records the differences of a device."""


class SwitchRestarts:
    """Checks every switch in a new session. ``restarted`` is called with one that restarted."""

    def __init__(
        self,
        store: Store,
        events: Events,
        clock: Clock,
        compare: Compare,
        record: Record,
        restarted: Callable[[str], None],
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._closing = Closing(store, events, clock)
        self._identities = Identities(store, events)
        self._compare = compare
        self._record = record
        self._restarted = restarted

    async def session_opened(self, device: str, driver: Driver) -> Uptime | None:
        """Find out, in a new session, whether a switch is another one, or restarted.

        Returns its uptime if it reports one. Nothing is sent to another switch. If it restarted,
        ports that came back open, but not as applied, are shut before anything else is sent. If
        that cannot be told, they are shut if there are any. Raises DeviceError.
        """
        up = await driver.uptime()
        now = self._clock.now()
        before = await self._store.read(switches.uptime, device)
        other = up is not None and before is not None and _other_boot(before, up, now)
        await self._identities.check(device, driver, rebooted=other)
        if up is None:
            return None
        known = "no" if before is None else restarted(before, up, now)
        closed = False
        if known == "yes":
            log.warning("%s was restarted %.0f s ago: checking it", device, up.seconds)
            self._events.publish_inventory("switch", "restarted", device, admins_only=True)
        if known != "no":
            closed = await self._shut_wrong_ports(device, driver, restarted=known == "yes")
        if before is None or _is_worth_storing(before, up, now):
            await self._store.write(switches.set_uptime, device, up.seconds, now)
        if known == "yes" or closed:
            self._restarted(device)
        return up

    async def _shut_wrong_ports(self, device: str, driver: Driver, *, restarted: bool) -> bool:
        """Shut open ports that are not as applied; return whether there were any."""
        applied, observed = await self._compare(device, driver)
        differences = drift(applied, observed)
        if restarted:
            await self._notice_lost_saves(device, differences)
        unknown = {ref for ref, port in applied.ports.items() if port.config is None}
        wrong = {PortRef(device, d.target) for d in differences if d.kind == "port"} | unknown
        to_shut = [
            ref.port
            for ref in sorted(wrong)
            if ref in observed.ports and observed.ports[ref].believed != PARKED
        ]
        if to_shut:
            await self._closing.close(device, driver, to_shut)
            differences = drift(*await self._compare(device, driver))
        await self._record(device, differences)
        return bool(to_shut)

    async def _notice_lost_saves(self, device: str, differences: Sequence[Difference]) -> None:
        """Report ports that a switch claimed to have saved but did not keep over its restart."""
        saved = await self._store.read(saves.saved_ports, device)
        lost = sorted(d.target for d in differences if d.kind == "port" and d.target in saved)
        if not lost:
            return
        log.warning(
            "%s did not keep over its restart what it had said to have saved, on %s: look at its"
            " flash, and at which configuration it boots",
            device,
            ", ".join(lost),
        )
        await self._store.write(saves.forget, device, lost)
        self._events.publish_inventory("switch", "save-lost", device, admins_only=True)


def restarted(before: UptimeRow, up: Uptime, now: Moment) -> Literal["yes", "no", "?"]:
    """Return whether a switch restarted since it reported an uptime.

    If the master booted meanwhile, nobody knows how long it was off. Then it restarted if it is up
    for less than the shortest possible time, and may have restarted otherwise.
    """
    same_boot = now.boot == before.uptime_boot
    passed = now.seconds - before.uptime_read if same_boot else now.seconds
    if up.seconds + up.resolution + TOLERANCE < before.uptime + passed:
        return "yes"
    return "no" if same_boot else "?"


def _other_boot(before: UptimeRow, up: Uptime, now: Moment) -> bool:
    """Return whether a switch may have booted at another time than the known one."""
    return now.boot != before.uptime_boot or _off(before, up, now) > TOLERANCE + up.resolution


def _off(before: UptimeRow, up: Uptime, now: Moment) -> float:
    """Return by how many seconds an uptime differs from the expected one."""
    return abs(up.seconds - before.uptime - now.seconds + before.uptime_read)


def _is_worth_storing(before: UptimeRow, up: Uptime, now: Moment) -> bool:
    return now.boot != before.uptime_boot or _off(before, up, now) > RENEWED + up.resolution
