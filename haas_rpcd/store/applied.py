"""What the devices confirmed: written before a change is sent, and after it has been read back.

Before a change is sent, its target's state becomes *not known*, and every VLAN that the change may
bring counts as carried. After it has been read back, the target has exactly the state that was
read. So whenever the daemon dies, the store errs on the safe side: while a port may still carry a
VLAN, the VLAN id is not free and the node cannot be allocated. Nor is it before the switch has
saved that, as a power cut would bring the old configuration back.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import msgspec

from haas_rpcd.boottime import Moment
from haas_rpcd.devicenames import hypervisor_of
from haas_rpcd.model import (
    BridgeSeen,
    Change,
    CopyHeadnode,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeChange,
    HeadnodeSeen,
    PortSeen,
    PowerSeen,
    PrepareCopy,
    PresenceSeen,
    SaveConfig,
    Seen,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetNodePower,
    SetPort,
    SetVlan,
)
from haas_rpcd.store import (
    bmcs,
    evidence,
    headnode_states,
    headnodes,
    late,
    moves,
    networks,
    nodes,
    ports,
    saves,
    shares,
    vlans,
)
from haas_rpcd.store.database import Tx
from haas_rpcd.store.evidence import Proof
from haas_rpcd.store.shares import EndedShare


class Freed(msgspec.Struct, frozen=True):
    """The nodes and the VLAN ids that became free, and the shares of networks that ended."""

    nodes: list[str]
    vlans: list[int]
    shares: tuple[EndedShare, ...] = ()


def before_sending(tx: Tx, device: str, change: Change, project_id: int | None) -> None:
    """Note that ``change`` is about to be sent to ``device``, for a project or the site (None)."""
    match change:
        case SetPort(port=port, config=config):
            if (port_id := ports.id_of(tx, device, port)) is not None:
                ports.set_unknown(tx, port_id)
                ports.carry(tx, port_id, config.vlans)
            saves.mark(tx, device, project_id)
        case SetVlan(vlan=vlan):
            vlans.claim_left_over(tx, vlan)
            vlans.set_unknown(tx, device, vlan)
            saves.mark(tx, device, project_id)
        case SetBridge(vlan=vlan):
            vlans.claim_left_over(tx, vlan)
            vlans.set_bridge_unknown(tx, device, vlan)
        case SaveConfig() | SetNodePower() | PrepareCopy():
            pass
        case _:
            _before_headnode(tx, hypervisor_of(device), change)


def _before_headnode(tx: Tx, place: str, change: HeadnodeChange | CopyHeadnode) -> None:
    row = headnodes.by_uuid(tx, change.uuid)
    if row is None:
        return
    if row.hypervisor != place:
        moves.note_copy(tx, row.id, place)
        return
    headnode_states.set_unknown(tx, row.id)
    if isinstance(change, DefineHeadnode | SetHeadnodeNics):
        headnode_states.carry(tx, row.id, {nic.vlan for nic in change.nics})


def may_come_late(tx: Tx, device: str, changes: Iterable[Change], since: Moment) -> None:
    """Note that ``device`` may still carry out changes, which were given up at a moment."""
    for change in changes:
        if isinstance(change, SetPort | SetVlan | SaveConfig):
            late.note(tx, device, change, since)


def confirm(tx: Tx, device: str, change: Change, seen: Seen, proof: Proof | None = None) -> None:
    """Store what was read back for the target of ``change``. :func:`release_freed` must follow.

    Does nothing if the target is not registered any more. ``proof``: what is kept as evidence of
    a port's confirmation; without it only that, and when, it was confirmed.
    """
    match change, seen:
        case SetPort(port=port), PortSeen(config=config, believed=believed):
            if (port_id := ports.id_of(tx, device, port)) is None:
                return
            if believed is not None and believed.member in (None, ports.member_of(tx, port_id)):
                given_up = ports.confirm(tx, port_id, believed)
                saves.keep_in_startup(tx, device, given_up)
                saves.mark_if_unmarked(tx, device)
                evidence.keep(tx, port_id, proof or Proof(time.time()))
            else:
                ports.set_unknown(tx, port_id)
                ports.carry(tx, port_id, config.vlans)
        case SetVlan(vlan=vlan), PresenceSeen(present=present):
            vlans.confirm(tx, device, vlan, present=present)
            if not present:
                saves.keep_in_startup(tx, device, [vlan])
            saves.mark_if_unmarked(tx, device)
        case SetBridge(vlan=vlan), BridgeSeen(present=present):
            vlans.confirm_bridge(tx, device, vlan, present=present)
        case SaveConfig(), PresenceSeen(present=saved):
            if saved:
                saves.confirm(tx, device)
        case SetNodePower(power=wanted), PowerSeen(power=power):
            if power == wanted:
                bmcs.confirm(tx, change)
        case (
            (
                DefineHeadnode()
                | SetHeadnodeNics()
                | SetHeadnodePower()
                | DeleteHeadnode()
                | CopyHeadnode()
            ),
            HeadnodeSeen(),
        ):
            _confirm_headnode(tx, hypervisor_of(device), change, seen)


def _confirm_headnode(
    tx: Tx, place: str, change: HeadnodeChange | CopyHeadnode, seen: HeadnodeSeen
) -> None:
    """Store what was read of a headnode on a hypervisor: its own, or another one."""
    row = headnodes.by_uuid(tx, change.uuid)
    if row is None:
        return
    if row.hypervisor == place:
        headnode_states.confirm(tx, row.id, seen)
    elif isinstance(change, DeleteHeadnode) and not seen.defined:
        moves.forget_copy(tx, row.id, place)
    elif isinstance(change, CopyHeadnode) and seen.defined and change.token == row.move_token:
        moves.finish(tx, row.id, place, seen)


class Known(msgspec.Struct, frozen=True):
    """What was known of a target on a hypervisor: a bridge, or a headnode.

    ``bridge``: whether it was confirmed to exist. ``stop_seen``: see
    :func:`headnode_states.observe`.
    """

    bridge: bool = False
    headnode: HeadnodeSeen | None = None
    stop_seen: bool = False


def known(tx: Tx, device: str, change: Change) -> Known:
    """Return what is known of the target of a change on a hypervisor's network or libvirt."""
    match change:
        case SetBridge(vlan=vlan):
            return Known(bridge=vlans.has_bridge(tx, device, vlan))
        case (
            DefineHeadnode(uuid=uuid)
            | SetHeadnodeNics(uuid=uuid)
            | SetHeadnodePower(uuid=uuid)
            | DeleteHeadnode(uuid=uuid)
        ):
            row = headnodes.by_uuid(tx, uuid)
            if row is not None:
                return Known(
                    headnode=row.seen, stop_seen=headnode_states.was_seen_to_stop(tx, row.id)
                )
    return Known()


def keep(tx: Tx, device: str, change: Change, before: Known, seen: Seen | None) -> None:
    """Store that a target on a hypervisor that was not repaired was applied as it was ``before``.

    ``seen``: what it was found to be instead, null if it could not be read.
    """
    match change:
        case SetBridge(vlan=vlan, present=True) if before.bridge:
            vlans.keep_bridge(tx, device, vlan)
        case DefineHeadnode(uuid=uuid) | SetHeadnodeNics(uuid=uuid) | SetHeadnodePower(uuid=uuid):
            headnode_id = headnodes.id_of(tx, uuid)
            if headnode_id is not None and before.headnode is not None:
                now = seen if isinstance(seen, HeadnodeSeen) else None
                headnode_states.keep(
                    tx, headnode_id, before.headnode, now, stop_seen=before.stop_seen
                )


def confirm_save(tx: Tx, switch: str, seen: Seen) -> Freed:
    """Store what was read back after a save that belongs to no job; return what became free."""
    confirm(tx, switch, SaveConfig(), seen)
    return release_freed(tx)


def release_freed(tx: Tx) -> Freed:
    """Free what is confirmed and saved: nodes with parked ports, and VLAN ids in use nowhere."""
    ports.forget_channels(tx)
    ended = shares.finish_ends(tx)  # first: a network may be deleted with its last share
    return Freed(
        nodes=nodes.finish_releases(tx), vlans=networks.free_claims(tx), shares=tuple(ended)
    )
