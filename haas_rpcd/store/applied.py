"""What the devices confirmed: written before a change is sent, and after it has been read back.

Before: the target's state is *not known* any more, and everything the change may bring counts as
carried. After: exactly what was read back. So whenever the daemon dies, what is stored errs on the
safe side: a VLAN id is not free, and a node not allocatable, while a port may still carry it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from haas_rpcd.model import (
    Change,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeSeen,
    PortConfig,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    Seen,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetPort,
    SetVlan,
)
from haas_rpcd.store import jobs, networks, nodes
from haas_rpcd.store.database import Row, Tx

SITE = 0
"""The project id under which changes of the site itself are noted as unsaved."""


class Swept(msgspec.Struct, frozen=True):
    """What became free because of a confirmation."""

    nodes: list[str]
    vlans: list[int]


def before_sending(tx: Tx, device: str, change: Change, project_id: int | None) -> None:
    """Note that ``change`` is about to be sent to ``device``, for a project or the site (None)."""
    match change:
        case SetPort(port=port, config=config):
            port_id = _port_id(tx, device, port)
            tx.execute(
                "INSERT INTO port_applied VALUES (?, NULL)"
                " ON CONFLICT (port_id) DO UPDATE SET config = NULL",
                (port_id,),
            )
            _carry(tx, "port", port_id, _of_interest(tx, port_id, config))
            _mark_unsaved(tx, device, project_id)
        case SetVlan(vlan=vlan):
            _claim_left_over(tx, vlan)
            tx.execute(
                "INSERT INTO switch_vlan SELECT id, ?, 0 FROM switch WHERE name = ?"
                " ON CONFLICT (switch_id, vlan) DO UPDATE SET confirmed = 0",
                (vlan, device),
            )
            _mark_unsaved(tx, device, project_id)
        case SetBridge(vlan=vlan):
            _claim_left_over(tx, vlan)
            tx.execute(
                "INSERT INTO bridge VALUES (?, 0) ON CONFLICT (vlan) DO UPDATE SET confirmed = 0",
                (vlan,),
            )
        case SaveConfig():
            pass
        case _:
            _before_headnode(tx, change)


def _claim_left_over(tx: Tx, vlan: int) -> None:
    """See to it that an id which is nobody's is not given away while it is being removed."""
    tx.execute("INSERT OR IGNORE INTO vlan_claim (vlan, label) VALUES (?, 'left over')", (vlan,))


def _before_headnode(
    tx: Tx, change: DefineHeadnode | SetHeadnodeNics | SetHeadnodePower | DeleteHeadnode
) -> None:
    headnode_id = _headnode_id(tx, change.uuid)
    if headnode_id is None:
        return
    tx.execute(
        "INSERT INTO headnode_applied VALUES (?, NULL)"
        " ON CONFLICT (headnode_id) DO UPDATE SET seen = NULL",
        (headnode_id,),
    )
    if isinstance(change, DefineHeadnode | SetHeadnodeNics):
        _carry(tx, "headnode", headnode_id, {nic.vlan for nic in change.nics})


def adopt_vlan(tx: Tx, device: str, vlan: int) -> None:
    """Take a VLAN that a network has for made on a switch: it was found there."""
    tx.execute(
        "INSERT INTO switch_vlan SELECT id, ?, 1 FROM switch WHERE name = ?"
        " ON CONFLICT (switch_id, vlan) DO UPDATE SET confirmed = 1",
        (vlan, device),
    )


def carried(tx: Tx, device: str) -> dict[str, PortConfig]:
    """Give what the ports of a switch were last confirmed to carry."""
    rows = tx.dicts(
        "SELECT port.name, config FROM port_applied JOIN port ON port.id = port_id"
        " JOIN switch ON switch.id = port.switch_id WHERE switch.name = ? AND config IS NOT NULL",
        (device,),
    )
    return {row["name"]: msgspec.json.decode(row["config"], type=PortConfig) for row in rows}


def confirm(tx: Tx, device: str, change: Change, seen: Seen) -> None:
    """Store what was read back for the target of ``change``. :func:`sweep` must follow."""
    match change, seen:
        case SetPort(port=port), PortSeen(config=config):
            port_id = _port_id(tx, device, port)
            tx.execute(
                "INSERT INTO port_applied VALUES (?, ?)"
                " ON CONFLICT (port_id) DO UPDATE SET config = excluded.config",
                (port_id, msgspec.json.encode(config).decode()),
            )
            tx.execute("DELETE FROM port_carries WHERE port_id = ?", (port_id,))
            _carry(tx, "port", port_id, _of_interest(tx, port_id, config))
        case SetVlan(vlan=vlan), PresenceSeen(present=present):
            tx.execute(
                "UPDATE switch_vlan SET confirmed = 1 WHERE vlan = ? AND switch_id ="
                " (SELECT id FROM switch WHERE name = ?)"
                if present
                else "DELETE FROM switch_vlan WHERE vlan = ? AND switch_id ="
                " (SELECT id FROM switch WHERE name = ?)",
                (vlan, device),
            )
        case SetBridge(vlan=vlan), PresenceSeen(present=present):
            tx.execute(
                "UPDATE bridge SET confirmed = 1 WHERE vlan = ?"
                if present
                else "DELETE FROM bridge WHERE vlan = ?",
                (vlan,),
            )
        case SaveConfig(), PresenceSeen(present=saved):
            if saved:
                tx.execute(
                    "DELETE FROM unsaved WHERE switch_id = (SELECT id FROM switch WHERE name = ?)",
                    (device,),
                )
        case (
            (
                DefineHeadnode(uuid=uuid)
                | SetHeadnodeNics(uuid=uuid)
                | SetHeadnodePower(uuid=uuid)
                | DeleteHeadnode(uuid=uuid)
            ),
            HeadnodeSeen(),
        ):
            _confirm_headnode(tx, uuid, seen)


def _confirm_headnode(tx: Tx, uuid: str, seen: HeadnodeSeen) -> None:
    headnode_id = _headnode_id(tx, uuid)
    if headnode_id is None:
        return
    tx.execute("DELETE FROM headnode_carries WHERE headnode_id = ?", (headnode_id,))
    if seen.defined:
        tx.execute(
            "INSERT INTO headnode_applied VALUES (?, ?)"
            " ON CONFLICT (headnode_id) DO UPDATE SET seen = excluded.seen",
            (headnode_id, msgspec.json.encode(seen).decode()),
        )
        _carry(tx, "headnode", headnode_id, {nic.vlan for nic in seen.nics})
        return
    tx.execute("DELETE FROM headnode_applied WHERE headnode_id = ?", (headnode_id,))
    tx.execute("DELETE FROM headnode WHERE id = ? AND deleting = 1", (headnode_id,))


def sweep(tx: Tx) -> Swept:
    """Free what confirmations have made free: nodes whose ports are parked, VLAN ids nobody has."""
    return Swept(nodes=nodes.finish_releases(tx), vlans=networks.free_claims(tx))


# --- may a step still be sent, at the very moment before it is ------------------------------------


def refusal(tx: Tx, device: str, change: Change, project_id: int | None) -> str | None:
    """Say why a planned change must not be sent any more; None if it may.

    Between planning and sending, users go on working: a node may have been released and allocated
    to somebody else, a network deleted and its VLAN id given away. So each change is held against
    who holds what *now*, in the same transaction that notes it as sent.
    """
    match change:
        case SetPort(port=port, config=config):
            row = _holder(tx, device, port)
            if row is None:
                return f"{device} {port} is not registered any more"
            ours = (
                row["project_id"] is None or bool(row["releasing"])
                if project_id is None
                else row["project_id"] == project_id
            )
            if not ours:
                return f"what is behind {device} {port} has changed hands since this was planned"
            if row["role"] == "trunk" or config.parked:
                return None
            if row["releasing"]:
                return f"the node behind {device} {port} was released since this was planned"
            return _unusable(tx, config.vlans, project_id)
        case SetVlan(vlan=vlan, present=True) | SetBridge(vlan=vlan, present=True):
            return _unusable(tx, {vlan}, project_id)
        case SetVlan(vlan=vlan):
            there = tx.exists(
                "SELECT 1 FROM switch_vlan JOIN switch ON switch.id = switch_id"
                " WHERE vlan = ? AND switch.name = ?",
                (vlan, device),
            )
            return None if there else f"VLAN {vlan} is gone from {device} already"
        case SetBridge(vlan=vlan):
            there = tx.exists("SELECT 1 FROM bridge WHERE vlan = ?", (vlan,))
            return None if there else f"br-vlan{vlan} is gone already"
        case SaveConfig():
            return None
        case DeleteHeadnode(headnode=name, uuid=uuid) | SetHeadnodePower(headnode=name, uuid=uuid):
            return None if _headnode_id(tx, uuid) else f"headnode {name} is gone already"
        case _:
            kept = tx.exists(
                "SELECT 1 FROM headnode WHERE uuid = ? AND NOT deleting", (change.uuid,)
            )
            if not kept:
                return f"headnode {change.headnode} was deleted since this was planned"
            return _unusable(tx, {nic.vlan for nic in change.nics}, project_id)


def repair_refusal(tx: Tx, device: str, change: Change) -> str | None:
    """Say why a repairing change must not be sent any more; None if it may.

    It gives back what was applied, to whoever holds it now: so it is that holder's rights that
    count.
    """
    match change:
        case SetPort(port=port, config=config):
            row = _holder(tx, device, port)
            if row is None:
                return f"{device} {port} is not registered any more"
            if row["role"] == "trunk" or config.parked:
                return None
            if row["releasing"] or row["project_id"] is None:
                return f"the node behind {device} {port} was released since this was planned"
            return _unusable(tx, config.vlans, row["project_id"])
        case SetVlan(vlan=vlan, present=True) | SetBridge(vlan=vlan, present=True):
            there = tx.exists("SELECT 1 FROM vlan_claim WHERE vlan = ?", (vlan,))
            return None if there else f"VLAN {vlan} is not anybody's any more"
        case DefineHeadnode() | SetHeadnodeNics():
            row = tx.one_dict(
                "SELECT deleting, project_id FROM headnode WHERE uuid = ?", (change.uuid,)
            )
            if row is None or row["deleting"]:
                return f"headnode {change.headnode} was deleted since this was planned"
            return _unusable(tx, {nic.vlan for nic in change.nics}, row["project_id"])
        case SetHeadnodePower(headnode=name, uuid=uuid) | DeleteHeadnode(headnode=name, uuid=uuid):
            return None if _headnode_id(tx, uuid) else f"headnode {name} is gone already"
        case _:
            return None


def _holder(tx: Tx, switch: str, port: str) -> Row | None:
    """Give a port's role, and who holds the node behind it; None when it is not registered."""
    return tx.one_dict(
        "SELECT port.role, allocation.project_id, allocation.releasing FROM port"
        " JOIN switch ON switch.id = port.switch_id LEFT JOIN nic ON nic.port_id = port.id"
        " LEFT JOIN allocation ON allocation.node_id = nic.node_id"
        " WHERE switch.name = ? AND port.name = ?",
        (switch, port),
    )


def _unusable(tx: Tx, vlans: Iterable[int], project_id: int | None) -> str | None:
    for vlan in sorted(vlans):
        usable = tx.exists(
            "SELECT 1 FROM vlan_claim JOIN network ON network.id = vlan_claim.network_id"
            " LEFT JOIN share ON share.network_id = network.id AND share.project_id = :project"
            " WHERE vlan_claim.vlan = :vlan"
            " AND (network.project_id = :project OR share.project_id IS NOT NULL)",
            {"vlan": vlan, "project": project_id},
        )
        if not usable:
            return f"the network of VLAN {vlan} was deleted or taken back since this was planned"
    return None


# --- is something still in use, at the very moment before it is removed ---------------------------


def still_carried(tx: Tx, device: str, change: Change, job_id: int) -> bool:
    """Whether a VLAN or a bridge that is to be removed carries, or is about to carry, something.

    Looks at what is or may be applied, and at the steps that *other* running jobs still have to
    send to the same place (a shared network's join that was planned a moment ago).
    """
    if isinstance(change, SetVlan | SetBridge) and change.present:
        return False
    if isinstance(change, SetVlan):
        applied = tx.exists(
            "SELECT 1 FROM port_carries JOIN port ON port.id = port_carries.port_id"
            " JOIN switch ON switch.id = port.switch_id"
            " WHERE port_carries.vlan = ? AND switch.name = ?",
            (change.vlan, device),
        )
        devices: tuple[str, ...] = (device,)
    elif isinstance(change, SetBridge):
        applied = tx.exists("SELECT 1 FROM headnode_carries WHERE vlan = ?", (change.vlan,))
        devices = ("master", "libvirt")
    else:
        return False
    if applied:
        return True
    pending = jobs.open_changes(tx, devices, but_of=job_id)
    return any(change.vlan in _adds(other) for other in pending)


def _adds(change: Change) -> set[int]:
    """Return the VLAN ids that a change creates, or that something carries after it."""
    match change:
        case SetPort(config=config):
            return set(config.vlans)
        case SetVlan(vlan=vlan, present=True) | SetBridge(vlan=vlan, present=True):
            return {vlan}
        case DefineHeadnode(nics=nics) | SetHeadnodeNics(nics=nics):
            return {nic.vlan for nic in nics}
        case _:
            return set()


# --- helpers --------------------------------------------------------------------------------------


def _port_id(tx: Tx, switch: str, port: str) -> int:
    return tx.number(
        "SELECT port.id FROM port JOIN switch ON switch.id = port.switch_id"
        " WHERE switch.name = ? AND port.name = ?",
        (switch, port),
    )


def _of_interest(tx: Tx, port_id: int, config: PortConfig) -> Iterable[int]:
    """Give the VLANs that a port makes count as in use: none for a trunk, it carries the pool."""
    role = tx.value(str, "SELECT role FROM port WHERE id = ?", (port_id,))
    return () if role == "trunk" else config.vlans


def _headnode_id(tx: Tx, uuid: str) -> int | None:
    return tx.value(int, "SELECT id FROM headnode WHERE uuid = ?", (uuid,))


def _carry(tx: Tx, what: str, owner_id: int, vlans: Iterable[int]) -> None:
    tx.execute_many(
        f"INSERT OR IGNORE INTO {what}_carries VALUES (?, ?)",
        [(owner_id, vlan) for vlan in vlans],
    )


def _mark_unsaved(tx: Tx, device: str, project_id: int | None) -> None:
    tx.execute(
        "INSERT OR IGNORE INTO unsaved SELECT id, ? FROM switch WHERE name = ?",
        (SITE if project_id is None else project_id, device),
    )
