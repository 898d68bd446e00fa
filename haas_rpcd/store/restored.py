"""A database that was restored from a backup: what the devices have counts wherever it differs.

Nodes that were allocated since the backup, and VLAN ids that were given away since, must not look
free. :func:`haas_rpcd.store.copies.mark_restored` marks such a database.
"""

from __future__ import annotations

from collections.abc import Iterable

from haas_rpcd.devicenames import hypervisor_of, is_libvirt
from haas_rpcd.model import (
    PARKED,
    HeadnodeSeen,
    PortSeen,
    PresenceSeen,
    SetBridge,
    SetPort,
    SetVlan,
)
from haas_rpcd.states import Difference
from haas_rpcd.store import applied, headnode_states, headnodes, hypervisors, jobs, ports, vlans
from haas_rpcd.store.database import Tx

_ENDED = "A backup from before the end of this job was restored: apply again."


def is_marked(tx: Tx) -> bool:
    """Return whether the devices were not compared with the database since it was restored."""
    return tx.number("PRAGMA user_version") == 1


def unmark(tx: Tx) -> None:
    """Write that the devices were compared with the database."""
    tx.execute("PRAGMA user_version = 0")


def end_jobs(tx: Tx, now: float) -> None:
    """End the jobs that the backup has as queued or running; ``now`` as in :func:`jobs.finish`."""
    for job in jobs.unfinished(tx):
        jobs.interrupt(tx, job.id, now)
        jobs.finish(tx, job.id, "failed", _ENDED, now)


def take_over(tx: Tx, differences: Iterable[Difference], pool: Iterable[int]) -> None:
    """Write what a device was seen to have as what is applied. Foreign VLANs claim their ids."""
    ids = frozenset(pool)
    for one in differences:
        match one.kind, one.observed:
            case "port", PortSeen() as seen:
                for vlan in sorted(seen.config.vlans & ids):
                    vlans.claim_left_over(tx, vlan)
                applied.confirm(tx, one.device, SetPort(one.target, PARKED), seen)
            case "port", _:
                _lose_port(tx, one.device, one.target, ids)
            case "vlan", present:
                change = SetVlan(int(one.target), present=True)
                applied.before_sending(tx, one.device, change, None)
                applied.confirm(tx, one.device, change, PresenceSeen(present=bool(present)))
            case "bridge", present:
                bridge = SetBridge(int(one.target), present=True)
                applied.before_sending(tx, one.device, bridge, None)
                applied.confirm(tx, one.device, bridge, PresenceSeen(present=bool(present)))
            case "headnode", HeadnodeSeen() as headnode:
                rows = {row.label: row.id for row in headnodes.on_hypervisor(tx)}
                headnode_states.confirm(tx, rows[one.target], headnode)
            case _:
                raise AssertionError(one)


def lose(tx: Tx, device: str, pool: Iterable[int]) -> None:
    """Write that nothing is known of a device: it could not be read, and may have anything."""
    ids = frozenset(pool)
    if is_libvirt(device):
        for row in headnodes.on_hypervisor(tx, hypervisor_of(device)):
            headnode_states.set_unknown(tx, row.id)
    elif device in hypervisors.in_service(tx):
        vlans.forget_bridges(tx, device)
    else:
        for port in ports.touched(tx, device):
            _lose_port(tx, device, port, ids)


def _lose_port(tx: Tx, switch: str, port: str, pool: frozenset[int]) -> None:
    port_id = ports.id_of(tx, switch, port)
    if port_id is None:
        return
    for vlan in sorted(pool):
        vlans.claim_left_over(tx, vlan)
    ports.set_unknown(tx, port_id)
    ports.carry(tx, port_id, pool)
