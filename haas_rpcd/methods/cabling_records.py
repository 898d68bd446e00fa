"""The API's records of cabling, from their rows: whole for admins, and for tenants only their own.

A tenant learns whether its nics are cabled as registered, and nothing of other ports.
"""

from __future__ import annotations

import msgspec

from haas_rpcd.methods.access import sees
from haas_rpcd.methods.call import TxCall
from haas_rpcd.store import cabling
from haas_rpcd.store.cabling import CablingNicRow, LinkRow, StrangerRow
from haas_rpcd.store.nodes import NodeRow
from haas_rpcd.store.proofs import ProofRow
from haas_schemas.cabling import (
    CablingState,
    NicCabling,
    NicProof,
    NodeProof,
    Sighting,
    Stranger,
    SwitchLink,
)
from haas_schemas.common import timestamp

_FOR_TENANTS: dict[CablingState, str] = {
    "right": "seen on its port",
    "swapped": "seen elsewhere, or something else was seen on its port: ask an admin",
    "unknown": "it cannot be told whether it is plugged in as registered",
    "not_seen": "nothing of it was heard on its port",
}

NEVER = "its cabling was never checked:  cabling check"


def nic_record(row: CablingNicRow, *, admin: bool) -> NicCabling:
    """Return what is known of a nic's cabling, for an admin or for a holder of its node."""
    state = row.state or "unknown"
    switch, port = row.place
    why = (row.why or NEVER) if admin else _FOR_TENANTS[state]
    seen = None
    if row.seen_switch is not None and row.seen_port is not None and row.seen_how is not None:
        at_home = (row.seen_switch, row.seen_port) in row.ports
        if admin or at_home:
            seen = Sighting(
                row.seen_switch,
                row.seen_port,
                row.seen_mac or "",
                row.seen_vlan,
                row.seen_how,
                timestamp(row.seen_at) or "",
            )
    return NicCabling(
        node=row.node,
        nic=row.nic,
        mac=row.mac,
        switch=switch,
        port=port,
        state=state,
        why=why,
        seen=seen,
        checked=timestamp(row.checked),
    )


def cabling_for(call: TxCall, node: NodeRow, nic_id: int) -> NicCabling | None:
    """Return what is known of one nic's cabling, if the caller may see that."""
    if not sees(call.tx, call.caller, node.project_id):
        return None
    rows = {row.id: row for row in cabling.of_node(call.tx, node.id)}
    return nic_record(rows[nic_id], admin=call.caller.admin) if nic_id in rows else None


def proof_record(row: ProofRow, *, admin: bool) -> NodeProof:
    """Return the last proof of a node's cabling, for an admin or for a holder of the node."""
    nics = row.nics
    if not admin:
        nics = tuple(_for_holder(nic) for nic in nics)
    why = row.why if admin or row.why is None else "An admin sees why."
    return NodeProof(
        job=row.job_id,
        by=row.user,
        at=timestamp(row.time) or "",
        proven=row.holds,
        void=row.void,
        why=why,
        nics=nics,
        notes=row.notes if admin else (),
    )


def _for_holder(nic: NicProof) -> NicProof:
    right = nic.state == "right"
    said = nic.said if right else ()
    return msgspec.structs.replace(nic, why=_FOR_TENANTS[nic.state], said=said)


def stranger_record(row: StrangerRow) -> Stranger:
    """Return what was heard on a port that nobody registered."""
    return Stranger(row.switch, row.port, row.macs, row.neighbour, timestamp(row.time) or "")


def link_record(row: LinkRow) -> SwitchLink:
    """Return a cable between two switches."""
    return SwitchLink(row.switch, row.port, row.peer, row.peer_port, timestamp(row.time) or "")
