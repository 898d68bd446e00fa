"""cabling.*: whether nics are plugged in where they are registered, by what the switches see."""

from __future__ import annotations

import shlex
import time

from haas_rpcd.errors import ConflictError, DeniedError
from haas_rpcd.methods.access import check_not_proved, conflict, find_node, find_switch, sees
from haas_rpcd.methods.cabling_records import (
    link_record,
    nic_record,
    proof_record,
    stranger_record,
)
from haas_rpcd.methods.call import Call, TxCall
from haas_rpcd.methods.network import pick_vlan
from haas_rpcd.methods.registry import method
from haas_rpcd.model import PortRef
from haas_rpcd.planner.cabling import ProposalRow
from haas_rpcd.store import cabling, proofs, trunks
from haas_rpcd.store.database import Tx
from haas_rpcd.store.jobs import ProofQueue
from haas_schemas.cabling import (
    CablingReport,
    LinkProposal,
    MacProposal,
    NodeCabling,
    WrongLink,
)
from haas_schemas.drift import UnreadDevice
from haas_schemas.job import Started
from haas_schemas.names import Name


@method("cabling.check")
async def check(call: Call, switch: Name | None = None) -> CablingReport:
    """Read what a switch, or every switch, sees of its cabling, and compare it with the nics.

    Reads MAC tables and LLDP neighbours. Changes nothing on a switch, and no nic: MAC addresses
    heard for nics registered without one are only proposed. A parked port is shut, so nothing is
    heard there.
    """
    store = call.context.store
    if switch is not None:
        await store.read(find_switch, switch)
    found = await call.context.engine.cabling.check(switch)

    checked = frozenset(found.checked)

    def report(tx: Tx) -> CablingReport:
        nics = tuple(nic_record(row, admin=True) for row in cabling.of_nics(tx, found.nics))
        wrong = tuple(
            WrongLink(row.switch, row.port, row.leads_to, row.wrong or "")
            for row in trunks.wrong(tx)
            if switch is None or switch in (row.switch, row.peer_switch)
        )
        return CablingReport(
            checked=tuple(found.checked),
            unreachable=tuple(
                UnreadDevice(device, why) for device, why in sorted(found.unreachable.items())
            ),
            alarms=sum(nic.state == "swapped" for nic in nics) + len(wrong),
            nics=nics,
            strangers=tuple(
                stranger_record(row)
                for row in cabling.strangers(tx, switch)
                if row.switch in checked
            ),
            proposals=tuple(
                proposal for row in found.proposals if (proposal := _proposal(row)) is not None
            ),
            links=tuple(
                link_record(row) for row in cabling.links(tx, switch) if row.switch in checked
            ),
            without_lldp=tuple(found.without_lldp),
            unread=tuple(
                UnreadDevice(device, line)
                for device, lines in sorted(found.unread.items())
                for line in lines
            ),
            wrong_links=wrong,
            link_proposals=tuple(_link_proposal(*ends) for ends in found.link_proposals),
        )

    return await store.read(report)


def _proposal(row: ProposalRow) -> MacProposal | None:
    if not row.nic.places:
        return None
    return MacProposal(
        node=row.nic.node,
        nic=row.nic.nic,
        mac=row.mac,
        switch=row.nic.places[0].switch,
        port=row.nic.places[0].port,
        command=f"nic set {row.nic.node} {row.nic.nic} --mac {row.mac}",
    )


def _link_proposal(one: PortRef, other: PortRef) -> LinkProposal:
    place, peer = shlex.quote(one.port), shlex.quote(f"switch={other.switch},port={other.port}")
    return LinkProposal(
        switch=one.switch,
        port=one.port,
        peer=other.switch,
        peer_port=other.port,
        command=f"port set {one.switch} {place} --peer {peer}",
    )


@method("cabling.show")
def show(call: TxCall, node: Name) -> NodeCabling:
    """Show where a node's nics were last seen, and whether that is where they are registered.

    Reads no device; cabling.check does. Tenants see this of their own nodes, and nothing of ports
    that are not theirs.
    """
    row = find_node(call.tx, call.caller, node)
    if not sees(call.tx, call.caller, row.project_id):
        raise DeniedError(
            f"Node {node} is allocated to no project, so only an admin may see its cabling."
        )
    admin = call.caller.admin
    proof, proving = proofs.of_node(call.tx, row.id), proofs.under_way(call.tx, row.id)
    return NodeCabling(
        node=node,
        nics=tuple(nic_record(each, admin=admin) for each in cabling.of_node(call.tx, row.id)),
        proof=proof_record(proof, admin=admin) if proof is not None else None,
        proving=proving.job_id if proving is not None else None,
    )


@method("cabling.prove", mutates=True)
def prove(call: TxCall, node: Name) -> Started:
    """Start a job that proves where the data nics of a free node are plugged in.

    It boots the node from the network, if it has a BMC, and opens its ports one at a time on a VLAN
    of the pool that nobody has meanwhile. It sees which MAC addresses come up where, parks them
    again and keeps the evidence: see cabling.show. A node that was off is off again afterwards.
    """
    row = find_node(call.tx, call.caller, node)
    check_not_proved(call.tx, row)
    if row.state != "free":
        held = f"held by project {row.project}" if row.project else "not confirmed parked"
        raise ConflictError(f"Only the cabling of a free node can be proved, and {node} is {held}.")
    nics = proofs.nics_of(call.tx, row.id)
    if not nics:
        raise ConflictError(
            f"Node {node} has no data nic that is plugged into a registered port: register it with"
            f"  nic set {node} NIC --switch SWITCH --port PORT"
        )
    vlan = pick_vlan(call)
    with conflict(f"Node {node} or VLAN {vlan} was taken this moment: try again."):
        job = proofs.begin(call.tx, row, vlan, user=call.caller.user, now=time.time())
    call.start_job(job, ProofQueue(node))
    call.changed("node", "changed", node)
    call.changed("job", "queued", str(job), admins_only=True)
    return Started(job=job)
