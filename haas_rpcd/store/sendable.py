"""Whether a planned change may still be sent: checked in the transaction that notes it as sent.

Users go on working between planning and sending. A node may have been released and allocated to
another project, or a network deleted and its VLAN id given to another. So each change is checked
against who holds what now.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from haas_rpcd.devicenames import copy_device, hypervisor_of, libvirt_device
from haas_rpcd.model import (
    Change,
    CopyHeadnode,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeChange,
    PrepareCopy,
    SaveConfig,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetNodePower,
    SetPort,
    SetVlan,
)
from haas_rpcd.store import bmcs, headnodes, jobs, proofs
from haas_rpcd.store.database import Tx
from haas_rpcd.store.passing import Passing
from haas_rpcd.store.rows import Row


class HolderRow(Row, frozen=True):
    """A port's role, and the project that holds the node behind it; null: none."""

    role: Literal["access", "trunk"]
    project_id: int | None
    releasing: bool


class OwnerRow(Row, frozen=True):
    """A headnode's project, whether it is being deleted, and where it is, or will be made."""

    project_id: int
    deleting: bool
    hypervisor: str


def refusal(tx: Tx, device: str, change: Change, project_id: int | None) -> str | None:
    """Return why a planned change must not be sent any more; None if it may be sent.

    ``project_id`` is the project of the job; None for a job of the site.
    """
    match change:
        case SetPort():
            return _port_refusal(tx, device, change, project_id)
        case SetVlan(vlan=vlan, present=True) if project_id is None and proofs.has_vlan(tx, vlan):
            return None
        case SetVlan(vlan=vlan, present=True) if project_id is None:
            # Frames of some project's network are to pass here. No access port is opened for it.
            sql = "SELECT 1 FROM vlan_claim WHERE vlan = ? AND network_id IS NOT NULL"
            gone = f"the network of VLAN {vlan} was deleted since this was planned"
            return None if tx.exists(sql, (vlan,)) else gone
        case SetVlan(vlan=vlan, present=True) | SetBridge(vlan=vlan, present=True):
            return _unusable(tx, {vlan}, project_id)
        case SetVlan(vlan=vlan):
            exists = tx.exists(
                "SELECT 1 FROM switch_vlan JOIN switch ON switch.id = switch_id"
                " WHERE vlan = ? AND switch.name = ?",
                (vlan, device),
            )
            return None if exists else f"VLAN {vlan} is gone from {device} already"
        case SetBridge(vlan=vlan):
            sql = "SELECT 1 FROM bridge WHERE vlan = ? AND hypervisor = ?"
            exists = tx.exists(sql, (vlan, device))
            return None if exists else f"br-vlan{vlan} is gone already"
        case SaveConfig():
            return None
        case SetNodePower():
            wanted = bmcs.still_staged(tx, change, project_id)
            return None if wanted else f"power {change.power} is staged for {change.node} no more"
        case PrepareCopy() | CopyHeadnode():
            return _copy_refusal(tx, hypervisor_of(device), change)
        case _:
            return _headnode_refusal(tx, device, change, project_id)


def _copy_refusal(tx: Tx, place: str, change: PrepareCopy | CopyHeadnode) -> str | None:
    """Return why a headnode must not be copied to a hypervisor; None if it may be.

    It must be off where it is, and nothing of it may be left where it is copied to.
    """
    row = headnodes.by_uuid(tx, change.uuid)
    if row is None or row.deleting:
        return f"headnode {change.headnode} was deleted since this was planned"
    token = row.move_token if isinstance(change, PrepareCopy) else change.token
    if (row.hypervisor, row.move_to, row.move_token) != (change.source, place, token):
        return f"headnode {change.headnode} is not to move to {place} any more"
    if isinstance(change, PrepareCopy):
        return None
    if row.now is None or not (row.now.defined and row.now.off):
        return f"headnode {change.headnode} is not known to be off on {change.source}"
    if place in row.copies:
        return f"something of headnode {change.headnode} is left on {place}"
    return None


def _port_refusal(tx: Tx, switch: str, change: SetPort, project_id: int | None) -> str | None:
    holder = _holder(tx, switch, change.port)
    if holder is None:
        return f"{switch} {change.port} is not registered any more"
    # A job of the site sets the ports that no project holds, and those of nodes being released.
    ours = (
        holder.project_id is None or holder.releasing
        if project_id is None
        else holder.project_id == project_id
    )
    if not ours:
        return f"what is behind {switch} {change.port} has changed hands since this was planned"
    if holder.role == "trunk" or change.config.parked:
        return None
    if holder.releasing:
        return f"the node behind {switch} {change.port} was released since this was planned"
    if holder.project_id is None and proofs.may_open(tx, switch, change.port, change.config):
        return None
    return _unusable(tx, change.config.vlans, project_id)


def _headnode_refusal(
    tx: Tx, device: str, change: HeadnodeChange, project_id: int | None
) -> str | None:
    owner = _owner(tx, change.uuid)
    if isinstance(change, DeleteHeadnode) and owner is not None:
        return _delete_refusal(tx, hypervisor_of(device), change, owner)
    if owner is not None and libvirt_device(owner.hypervisor) != device:
        return f"headnode {change.headnode} was moved to {owner.hypervisor} since this was planned"
    if isinstance(change, DeleteHeadnode | SetHeadnodePower):
        return None if owner else f"headnode {change.headnode} is gone already"
    if owner is None or owner.deleting:
        return f"headnode {change.headnode} was deleted since this was planned"
    return _unusable(tx, {nic.vlan for nic in change.nics}, project_id)


def _delete_refusal(tx: Tx, place: str, change: DeleteHeadnode, owner: OwnerRow) -> str | None:
    """Return why a headnode must not be deleted from a hypervisor; None if it may be.

    It may be if all of it is to be deleted, or if this is what is left of it after a move.
    """
    if owner.hypervisor == place:
        return None if owner.deleting else f"headnode {change.headnode} is on {place}"
    row = headnodes.by_uuid(tx, change.uuid)
    left = row is not None and place in row.copies
    return None if left else f"nothing of headnode {change.headnode} is left on {place}"


def repair_refusal(tx: Tx, device: str, change: Change) -> str | None:
    """Return why a change of a repair must not be sent any more; None if it may be sent.

    A repair restores what was applied for whoever holds it now, so the holder's rights count.
    """
    match change:
        case SetPort(port=port, config=config):
            holder = _holder(tx, device, port)
            if holder is None:
                return f"{device} {port} is not registered any more"
            if holder.role == "trunk" or config.parked:
                return None
            if holder.releasing or holder.project_id is None:
                return f"the node behind {device} {port} was released since this was planned"
            return _unusable(tx, config.vlans, holder.project_id)
        case SetVlan(vlan=vlan, present=True) | SetBridge(vlan=vlan, present=True):
            claimed = tx.exists("SELECT 1 FROM vlan_claim WHERE vlan = ?", (vlan,))
            return None if claimed else f"VLAN {vlan} is not anybody's any more"
        case SetVlan() | SetBridge() | SaveConfig() | SetNodePower():
            return None
        case PrepareCopy() | CopyHeadnode():
            return f"a repair does not move headnode {change.headnode}"
        case _:
            owner = _owner(tx, change.uuid)
            return _headnode_refusal(
                tx, device, change, None if owner is None else owner.project_id
            )


def _holder(tx: Tx, switch: str, port: str) -> HolderRow | None:
    """Return who holds the node behind a port; None if the port is not registered."""
    return tx.one(
        HolderRow,
        "SELECT port.role, allocation.project_id, coalesce(allocation.releasing, 0) AS releasing"
        " FROM port JOIN switch ON switch.id = port.switch_id"
        " LEFT JOIN nic ON nic.id = port.nic_id"
        " LEFT JOIN allocation ON allocation.node_id = nic.node_id"
        " WHERE switch.name = ? AND port.name = ?",
        (switch, port),
    )


def _owner(tx: Tx, uuid: str) -> OwnerRow | None:
    sql = "SELECT project_id, deleting, hypervisor FROM headnode WHERE uuid = ?"
    return tx.one(OwnerRow, sql, (uuid,))


def _unusable(tx: Tx, vlans: Iterable[int], project_id: int | None) -> str | None:
    """Return why a project may not use these VLANs; None if it may use all of them."""
    for vlan in sorted(vlans):
        usable = tx.exists(
            "SELECT 1 FROM vlan_claim"
            " JOIN usable_network ON usable_network.network_id = vlan_claim.network_id"
            " WHERE vlan_claim.vlan = :vlan AND usable_network.project_id = :project",
            {"vlan": vlan, "project": project_id},
        )
        if not usable:
            return f"the network of VLAN {vlan} was deleted or taken back since this was planned"
    return None


# --- is what a change removes still in use --------------------------------------------------------


def still_carried(
    tx: Tx, device: str, change: Change, job_id: int, passing: Passing | None = None
) -> bool:
    """Return whether a VLAN or a bridge that ``change`` removes is in use, or about to be.

    It is in use if something carries or may carry it. It is about to be if another running job
    still has to send a step that adds something to it, such as a node on a shared network.
    ``passing`` also tells whether frames of a VLAN may pass the switch between such places.
    """
    match change:
        case SetVlan(vlan=vlan, present=False):
            in_use = tx.exists(
                "SELECT 1 FROM port_carries JOIN port ON port.id = port_carries.port_id"
                " JOIN switch ON switch.id = port.switch_id"
                " WHERE port_carries.vlan = ? AND switch.name = ?",
                (vlan, device),
            )
            in_use = in_use or (passing is not None and passing.may_pass(device, vlan))
            devices = [device]
        case SetBridge(vlan=vlan, present=False):
            in_use = tx.exists(
                "SELECT 1 FROM headnode_carries JOIN headnode ON headnode.id = headnode_id"
                " WHERE vlan = ? AND hypervisor = ?",
                (vlan, device),
            )
            devices = [device, libvirt_device(device), copy_device(device)]
        case _:
            return False
    return in_use or any(
        vlan in _adds(other) for other in jobs.open_changes(tx, devices, but_of=job_id)
    )


def _adds(change: Change) -> set[int]:
    """Return the VLAN ids that a change creates, or that something carries after it."""
    match change:
        case SetPort(config=config):
            return set(config.vlans)
        case SetVlan(vlan=vlan, present=True) | SetBridge(vlan=vlan, present=True):
            return {vlan}
        case DefineHeadnode(nics=nics) | SetHeadnodeNics(nics=nics) | CopyHeadnode(nics=nics):
            return {nic.vlan for nic in nics}
        case _:
            return set()
