"""Takes a retired hypervisor back: what is on it is read, and put right, before it is believed.

Nobody knows what it did while it was out of service. Its headnodes may run on, also those that were
moved away meanwhile and run elsewhere, with the same MACs.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from haas_rpcd.devicenames import libvirt_device
from haas_rpcd.drivers import MasterDriver
from haas_rpcd.engine.drift import DriftWatch
from haas_rpcd.engine.freed import publish
from haas_rpcd.engine.hosts import Hosts
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.silent import Silent
from haas_rpcd.errors import ConflictError, DeviceError, NotFoundError, UnavailableError
from haas_rpcd.events import Events
from haas_rpcd.model import (
    BridgeSeen,
    DeleteHeadnode,
    HeadnodeChange,
    HeadnodeSeen,
    Seen,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
)
from haas_rpcd.registered import FoundHeadnode
from haas_rpcd.store import applied, headnodes, hypervisors, vlans
from haas_rpcd.store.applied import Freed
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.headnodes import HeadnodeRow
from haas_rpcd.store.hypervisors import HypervisorRow

log = logging.getLogger(__name__)

_SHOWN = 5
"""Machines that an error names."""

Read = list[tuple[SetBridge, BridgeSeen]]


@dataclass(frozen=True)
class _Known:
    """What the store knows of a hypervisor: its ``own`` headnodes by UUID, and those ``moved``."""

    own: dict[str, HeadnodeRow]
    moved: frozenset[str]
    usable: dict[int, set[int]]
    """The VLANs that each project may use, by its id."""


class Returning:
    """Takes retired hypervisors back, in sessions that nobody else uses."""

    def __init__(
        self, store: Store, events: Events, planning: Planning, hosts: Hosts, drift: DriftWatch
    ) -> None:
        self._store = store
        self._hosts = hosts
        self._drift = drift
        self._events = events
        self._planning = planning

    async def reinstate(self, name: str) -> list[str]:
        """Read a hypervisor, remove what does not belong there any more, and take it back.

        Returns the headnodes whose machines were removed. It stays retired if it cannot be read, or
        has machines that HaaS made and does not know.

        Raises NotFoundError, ConflictError, UnavailableError, and DeviceError.
        """
        row = await self._store.read(hypervisors.find, name)
        if row is None:
            raise NotFoundError(f"There is no hypervisor {name}.")
        if row.retired is None:
            raise ConflictError(f"Hypervisor {name} is not retired.")
        network, libvirt = self._planning.drivers_of(row.registered)
        try:
            await libvirt.open(lambda line: None)
            removed = await self._remove_moved(row, libvirt)
            await self._take_off_networks(row, libvirt)
            await network.open(lambda line: None)
            bridges = await self._read_bridges(row, network)
        finally:
            await network.close()
            await libvirt.close()
        publish(self._events, await self._store.write(_take_back, row, bridges))
        self._hosts.add(name)
        await self._drift.check_devices([name, libvirt_device(name)])
        return removed

    async def _remove_moved(self, row: HypervisorRow, libvirt: MasterDriver) -> list[str]:
        """Remove the machines of headnodes that were moved away; return their names."""
        found = await libvirt.found_headnodes()
        known = await self._store.read(_known, row.name, [one.uuid for one in found])
        others = [one for one in found if one.uuid not in known.own]
        strangers = [one for one in others if one.uuid not in known.moved]
        if strangers:
            raise ConflictError(_of_strangers(row.name, strangers))
        if not others:
            return []
        gone = [DeleteHeadnode(one.headnode, one.uuid) for one in others]
        for change, one in zip(gone, await _carry_out(libvirt, gone), strict=True):
            if not isinstance(one, HeadnodeSeen) or one.defined:
                raise UnavailableError(
                    f"The machine of {change.headnode}, which was moved away from {row.name}, could"
                    f" not be removed there, so {row.name} stays retired: see its libvirt, and try"
                    " again."
                )
        names = [one.headnode for one in others]
        log.warning("%s: removed what was moved away: %s", row.name, ", ".join(names))
        return names

    async def _take_off_networks(self, row: HypervisorRow, libvirt: MasterDriver) -> None:
        """Take headnodes off the networks that their projects may not use any more."""
        found = await libvirt.found_headnodes()
        known = await self._store.read(_known, row.name, [one.uuid for one in found])
        asked = [SetHeadnodePower(own.label, uuid, True) for uuid, own in known.own.items()]
        seen = await libvirt.observe(asked) if asked else []
        changes = [
            change
            for one, now in zip(asked, seen, strict=True)
            if (change := _without_lost(one.headnode, known.own[one.uuid], now, known)) is not None
        ]
        if not changes:
            return
        device = libvirt_device(row.name)

        def before(tx: Tx) -> None:
            for change in changes:
                applied.before_sending(tx, device, change, None)

        await self._store.write(before)
        results = await _carry_out(libvirt, changes)
        log.warning("%s: took %s off networks", row.name, [one.headnode for one in changes])

        def after(tx: Tx) -> None:
            for change, now in zip(changes, results, strict=True):
                if not isinstance(now, DeviceError):
                    applied.confirm(tx, device, change, now)

        await self._store.write(after)
        for change, now in zip(changes, results, strict=True):
            if not isinstance(now, HeadnodeSeen) or not set(now.nics) <= set(change.nics):
                raise UnavailableError(
                    f"{change.headnode} is still on a network that its project may not use any"
                    f" more, so {row.name} stays retired: stop it there, and try again."
                )

    async def _read_bridges(self, row: HypervisorRow, network: MasterDriver) -> Read:
        pool = self._planning.pool

        def which(tx: Tx) -> list[SetBridge]:
            known = {bridge.vlan for bridge in vlans.all_bridges(tx, row.name)}
            return [SetBridge(vlan, present=True) for vlan in sorted({*pool, *known})]

        changes = await self._store.read(which)
        seen = await network.observe(changes)
        return [
            (change, now)
            for change, now in zip(changes, seen, strict=True)
            if isinstance(now, BridgeSeen)
        ]


async def _carry_out(
    libvirt: MasterDriver, changes: Sequence[HeadnodeChange]
) -> list[Seen | DeviceError]:
    """Carry out changes and read their headnodes; raise DeviceError if one is refused."""
    for outcome in await libvirt.send(changes, Silent()):
        if outcome.error is not None:
            raise outcome.error
    return await libvirt.observe(changes)


def _known(tx: Tx, name: str, found: Sequence[str]) -> _Known:
    """Read what is known of a hypervisor, and of the machines that were found there."""
    rows = [row for uuid in found if (row := headnodes.by_uuid(tx, uuid)) is not None]
    own = {row.uuid: row for row in rows if row.hypervisor == name and row.touched}
    moved = {row.uuid for row in rows if row.uuid not in own}
    moved |= {row.uuid for row in hypervisors.left_behind(tx, name)} - own.keys()
    projects = {row.project_id for row in own.values()}
    return _Known(own, frozenset(moved), {each: vlans.usable_by(tx, each) for each in projects})


def _without_lost(
    headnode: str, row: HeadnodeRow, now: Seen | DeviceError, known: _Known
) -> SetHeadnodeNics | None:
    """Return the change that takes a headnode off networks it may not be on; None if it is on none.

    Raises DeviceError if it could not be read.
    """
    if isinstance(now, DeviceError):
        raise now
    if not isinstance(now, HeadnodeSeen):
        return None
    usable = known.usable[row.project_id]
    allowed = tuple(nic for nic in now.nics if nic.vlan in usable)
    if all(nic in allowed or not nic.vlan for nic in now.nics):
        return None
    return SetHeadnodeNics(headnode, row.uuid, allowed)


def _of_strangers(name: str, strangers: Sequence[FoundHeadnode]) -> str:
    shown = ", ".join(f"{one.headnode} ({one.uuid})" for one in strangers[:_SHOWN])
    more = f" and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
    return (
        f"{name} has machines that HaaS made and does not know any more: {shown}{more}. Remove them"
        " there (virsh undefine), or move what is on them to another host; then reinstate"
        f" {name} again."
    )


def _take_back(tx: Tx, row: HypervisorRow, bridges: Read) -> Freed:
    """Write that a hypervisor is in service again, and which bridges it has.

    One that is gone, and that a headnode there is on, counts as lost, so that it is restored.

    Raises ConflictError if it was retired again, or deleted, meanwhile.
    """
    if row.retired is None or not hypervisors.reinstate(tx, row.name, row.retired):
        raise ConflictError(f"Hypervisor {row.name} was retired or deleted meanwhile.")
    known = [bridge.vlan for bridge in vlans.all_bridges(tx, row.name)]
    used = {one.vlan for one in vlans.headnodes_on(tx, known) if one.hypervisor == row.name}
    for change, now in bridges:
        if change.vlan in used and not now.present:
            vlans.keep_bridge(tx, row.name, change.vlan)
        else:
            applied.confirm(tx, row.name, change, now)
    return applied.release_freed(tx)
