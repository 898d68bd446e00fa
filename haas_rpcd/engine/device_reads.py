"""Reads whole devices, many at the same time, and what they should have."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from haas_rpcd.devicenames import hypervisor_of, is_libvirt
from haas_rpcd.drivers import Driver
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import DeviceError, HaasError
from haas_rpcd.model import (
    BridgeSeen,
    Change,
    HeadnodeSeen,
    PortRef,
    PortSeen,
    PresenceSeen,
    Seen,
    SetBridge,
    SetHeadnodePower,
    SetPort,
    SetVlan,
)
from haas_rpcd.states import Applied, Observed
from haas_rpcd.store import drift as store_drift
from haas_rpcd.store import hypervisors, vlans
from haas_rpcd.store import ports as store_ports
from haas_rpcd.store.database import Store, Tx

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass
class Answers(Generic[T]):
    """What devices answered, and why one could not be read, each by device."""

    read: dict[str, T] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)


async def read_all(
    worker: Callable[[str], Worker],
    devices: Iterable[str],
    read: Callable[[str, Driver], Awaitable[T]],
    what_for: str,
) -> Answers[T]:
    """Read devices at the same time, each in its worker's turn; log which could not be.

    ``what_for`` completes "sw1 could not be".
    """
    answers: Answers[T] = Answers()

    async def read_one(device: str) -> None:
        try:
            answers.read[device] = await worker(device).read(lambda driver: read(device, driver))
        except HaasError as error:
            answers.unreachable[device] = error.message
            log.warning("%s could not be %s: %s", device, what_for, error.message)

    async with asyncio.TaskGroup() as group:
        for each in devices:
            group.create_task(read_one(each))
    return answers


class DeviceReads:
    """Reads what one device has, and what was applied to it.

    Call it in the worker's turn, when nobody else changes either.
    """

    def __init__(self, store: Store, planning: Planning) -> None:
        self._store = store
        self._planning = planning
        self._forgotten: dict[str, list[int]] = {}
        """VLANs of bridges that HaaS made, not known until the hypervisor is read."""

    async def compare(
        self, device: str, driver: Driver, *, cross_check: bool = False
    ) -> tuple[Applied, Observed]:
        """Read what a device has, then what it should have.

        ``cross_check``: compare its configuration with what it really does, if it shows that.
        """
        changes = await self._store.read(self._changes, device)
        seen = await driver.observe(changes) if changes else []
        if forgotten := self._forgotten.pop(device, None):
            await self._store.write(vlans.remember_bridges, device, forgotten)
        if cross_check:
            seen = await _cross_checked(driver, changes, seen)
        applied = await self._store.read(store_drift.applied_on, device, self._planning.traits)
        return applied, _observed(device, changes, seen)

    async def forget_bridges(self, device: str) -> None:
        """Record that a hypervisor's bridges are not known until it is read again."""
        forgotten = await self._store.write(vlans.forget_bridges, device)
        self._forgotten.setdefault(device, []).extend(forgotten)

    def _changes(self, tx: Tx, device: str) -> list[Change]:
        """Return changes whose targets are to be read. A switch needs one bulk read for all."""
        pool = self._planning.pool
        if device in hypervisors.in_service(tx):
            known_bridges = {row.vlan for row in vlans.all_bridges(tx, device)}
            return [SetBridge(vlan, present=True) for vlan in sorted({*pool, *known_bridges})]
        if is_libvirt(device):
            goals = store_drift.headnode_goals(tx, hypervisor_of(device))
            return [SetHeadnodePower(name, goal.uuid, True) for name, goal in goals.items()]
        applied = store_drift.applied_on(tx, device, self._planning.traits)
        ports: list[Change] = [*store_ports.parking(tx, device)]
        if all(not traits.declares_vlans for traits in applied.switches.values()):
            return ports
        known = applied.vlans.get(device, {})
        return ports + [SetVlan(vlan, present=True) for vlan in sorted({*pool, *known})]


async def _cross_checked(
    driver: Driver, changes: Sequence[Change], seen: Sequence[Seen | DeviceError]
) -> list[Seen | DeviceError]:
    """Return what was seen, with what a second witness says of the ports. Raises DeviceError."""
    ports = {
        change.port: found
        for change, found in zip(changes, seen, strict=True)
        if isinstance(change, SetPort) and isinstance(found, PortSeen)
    }
    checked = await driver.cross_check(ports) if ports else ports
    return [
        checked.get(change.port, found) if isinstance(change, SetPort) else found
        for change, found in zip(changes, seen, strict=True)
    ]


def _observed(
    device: str, changes: Sequence[Change], seen: Sequence[Seen | DeviceError]
) -> Observed:
    ports: dict[PortRef, PortSeen] = {}
    present_vlans: set[int] = set()
    bridges: dict[int, BridgeSeen] = {}
    headnodes: dict[str, HeadnodeSeen] = {}
    vlans_read = False
    for change, found in zip(changes, seen, strict=True):
        match change, found:
            case SetPort(port=port), PortSeen():
                ports[PortRef(device, port)] = found
            case SetVlan(vlan=vlan), PresenceSeen(present=present):
                vlans_read = True
                if present:
                    present_vlans.add(vlan)
            case SetBridge(vlan=vlan), BridgeSeen():
                bridges[vlan] = found
            case SetHeadnodePower(headnode=name), HeadnodeSeen():
                headnodes[name] = found
    return Observed(
        devices=frozenset({device}),
        ports=ports,
        vlans={device: frozenset(present_vlans)} if vlans_read else {},
        bridges={device: bridges} if bridges else {},
        headnodes=headnodes,
    )
