"""Shuts ports outside of any job: those that are open although they were parked, or not as applied.

HaaS does only this unasked: a shut port isolates too much, never too little.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from haas_rpcd.clock import Clock
from haas_rpcd.drivers import Driver
from haas_rpcd.engine.silent import Silent
from haas_rpcd.events import Events
from haas_rpcd.model import SetPort
from haas_rpcd.store import applied, saves
from haas_rpcd.store import ports as store_ports
from haas_rpcd.store.database import Store

log = logging.getLogger(__name__)


class Closing:
    """Shuts ports in their switch's turn."""

    def __init__(self, store: Store, events: Events, clock: Clock) -> None:
        self._store = store
        self._events = events
        self._clock = clock

    async def close(self, switch: str, driver: Driver, ports: Sequence[str]) -> None:
        """Shut ports; a save must follow. Read them again then. Raises DeviceError.

        A channel is closed by shutting its members.
        """
        changes = await self._store.read(store_ports.closing, switch, ports)
        log.warning("%s: closing %s", switch, ", ".join(change.port for change in changes))
        await send(self._store, self._clock, switch, driver, changes)
        await self._store.write(saves.forget, switch, list(ports))
        self._events.publish_inventory("switch", "ports-closed", switch, admins_only=True)


async def send(
    store: Store, clock: Clock, switch: str, driver: Driver, changes: Sequence[SetPort]
) -> None:
    """Send changes of ports in the switch's turn, and note those that may come late.

    Raises DeviceError.
    """
    if not changes:
        return
    outcomes = await driver.send(changes, Silent())
    late = [
        change for change, outcome in zip(changes, outcomes, strict=True) if outcome.may_come_late
    ]
    await store.write(applied.may_come_late, switch, late, clock.now())
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
