"""Takes a retired switch back: it is read, and parked, before anything on it is used.

Nobody knows what a switch did while it was out of service. So all access ports that HaaS ever set
are shut, also those of nodes that a project holds: the project's next apply sets them again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from haas_rpcd.clock import Clock
from haas_rpcd.drivers import Driver
from haas_rpcd.engine import closing
from haas_rpcd.engine.freed import publish
from haas_rpcd.engine.identities import Identities
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.silent import Silent
from haas_rpcd.errors import ConflictError, DeviceError, NotFoundError, UnavailableError
from haas_rpcd.events import Events
from haas_rpcd.model import PARKED, PortSeen, SaveConfig, Seen, SetPort
from haas_rpcd.store import applied, ports, switches
from haas_rpcd.store.applied import Freed
from haas_rpcd.store.database import Store, Tx

log = logging.getLogger(__name__)


class Retirement:
    """Takes retired switches back, in a session that nobody else uses."""

    def __init__(self, store: Store, events: Events, planning: Planning, clock: Clock) -> None:
        self._store = store
        self._events = events
        self._planning = planning
        self._clock = clock
        self._identities = Identities(store, events)

    async def reinstate(self, switch: str) -> None:
        """Read and park a switch, save it, and take it back.

        It stays retired if it cannot be read or a port stays open.

        Raises NotFoundError, ConflictError, UnavailableError, and DeviceError.
        """
        row = await self._store.read(switches.find, switch)
        if row is None:
            raise NotFoundError(f"There is no switch {switch}.")
        if row.retired is None:
            raise ConflictError(f"Switch {switch} is not retired.")
        driver = self._planning.switch_driver(row.registered)
        try:
            await driver.open(lambda line: None)
            await self._identities.check(switch, driver, rebooted=True)
            seen = await self._park(switch, driver)
            freed = await self._store.write(_take_back, switch, row.retired, seen)
            publish(self._events, freed)
            await self._save(switch, driver)
        finally:
            await driver.close()

    async def _park(self, switch: str, driver: Driver) -> list[tuple[SetPort, Seen | DeviceError]]:
        """Shut the access ports that are open; return what was read of all ports since.

        Trunk ports carry the whole pool, so they are only read.
        """
        changes = await self._store.read(ports.parking, switch)
        roles = await self._store.read(ports.of_switch, switch)
        access = {port.name for port in roles if port.role != "trunk"}
        if not changes:
            return []
        seen = await driver.observe(changes)
        to_shut = [
            change
            for change, found in zip(changes, seen, strict=True)
            if change.port in access and not _parked(found)
        ]
        if not to_shut:
            return list(zip(changes, seen, strict=True))
        log.warning("%s: closing %s", switch, ", ".join(change.port for change in to_shut))
        for channels in (False, True):  # a channel is removed after its members are shut
            group = [change for change in to_shut if change.is_channel == channels]
            for start in range(0, len(group), driver.max_batch):
                await self._send(switch, driver, group[start : start + driver.max_batch])
        seen = await driver.observe(changes)
        for change, found in zip(changes, seen, strict=True):
            if change in to_shut and isinstance(found, PortSeen) and not _parked(found):
                raise UnavailableError(
                    f"{switch} {change.port} is {found.describe()} after it was shut, so {switch}"
                    " stays retired: see who else configures it, and try again."
                )
        return list(zip(changes, seen, strict=True))

    async def _send(self, switch: str, driver: Driver, changes: Sequence[SetPort]) -> None:
        def record(tx: Tx) -> None:
            for change in changes:
                applied.before_sending(tx, switch, change, None)

        await self._store.write(record)
        await closing.send(self._store, self._clock, switch, driver, changes)

    async def _save(self, switch: str, driver: Driver) -> None:
        """Save, if the switch needs that. A check for drift tries again what fails here."""
        row = await self._store.read(switches.find, switch)
        if row is None or not row.unsaved:
            return
        [outcome] = await driver.send([SaveConfig()], Silent())
        if outcome.error is not None:
            log.warning("%s could not be saved: %s", switch, outcome.error.message)
            return
        [seen] = await driver.observe([SaveConfig()])
        if not isinstance(seen, DeviceError):
            publish(self._events, await self._store.write(applied.confirm_save, switch, seen))


def _parked(found: Seen | DeviceError) -> bool:
    return isinstance(found, PortSeen) and found.believed == PARKED


def _take_back(
    tx: Tx, switch: str, retired: float, seen: Sequence[tuple[SetPort, Seen | DeviceError]]
) -> Freed:
    """Write what was read of a switch, and that it is in service again; return what became free.

    Raises ConflictError if it was retired again meanwhile.
    """
    if not switches.reinstate(tx, switch, retired):
        raise ConflictError(f"Switch {switch} was retired or deleted meanwhile.")
    for change, found in seen:
        if isinstance(found, DeviceError):
            if (port_id := ports.id_of(tx, switch, change.port)) is not None:
                ports.set_unknown(tx, port_id)
        else:
            applied.confirm(tx, switch, change, found)
    return applied.release_freed(tx)
