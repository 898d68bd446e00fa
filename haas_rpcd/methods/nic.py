"""nic.*: nics of nodes, which admins register and tenants connect to networks."""

from __future__ import annotations

import time

import msgspec

from haas_rpcd.errors import ConflictError, DeniedError, InvalidParamsError, NotFoundError
from haas_rpcd.methods import plugging
from haas_rpcd.methods.access import (
    check_not_proved,
    find_held_node,
    find_network,
    find_nic,
    find_node,
    find_usable_network,
)
from haas_rpcd.methods.cabling_records import cabling_for
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.evidence import evidence_for, staged_for
from haas_rpcd.methods.node_records import node_records
from haas_rpcd.methods.registry import method
from haas_rpcd.nicplug import NicPlug, Place
from haas_rpcd.store import evidence, nics, nodes
from haas_rpcd.store import ports as store_ports
from haas_rpcd.store.nics import RegisteredNic
from haas_rpcd.store.projects import ProjectRow
from haas_schemas.common import Deleted
from haas_schemas.names import Mac, Name, NetworkName, NicName, PortName
from haas_schemas.node import BondMode, Nic, NicDetails, NicKind


def _record(call: TxCall, node: str, nic: str) -> Nic:
    [found] = node_records(call, [find_node(call.tx, call.caller, node)])
    return next(record for record in found.nics if record.nic == nic)


@method("nic.register", mutates=True)
def register(
    call: TxCall,
    node: Name,
    nic: NicName,
    kind: NicKind = "data",
    mac: Mac | None = None,
    switch: Name | None = None,
    port: PortName | None = None,
    ports: list[Place] | None = None,
    bond: BondMode | None = None,
) -> Nic:
    """Add a nic to a registered node. ``switch`` and ``port``: where it is plugged in.

    A bond has several ``ports`` instead, such as [{"switch": "sw1", "port": "Gi1/0/1"}, …], and
    says in ``bond`` how they are bundled. Of ``lacp`` and ``static`` HaaS makes a channel, on one
    switch; the ports of ``active-backup`` may be on several.
    """
    row = find_node(call.tx, call.caller, node)
    check_not_proved(call.tx, row)
    if row.project is not None:
        raise ConflictError(
            f"Node {node} is held by project {row.project}; its nics are fixed until it is free."
        )
    spec = NicPlug(kind=kind, mac=mac, switch=switch, port=port, ports=ports, bond=bond)
    plugging.add(call, call.tx, row.id, node, nic, spec)
    call.changed("node", "changed", node)
    return _record(call, node, nic)


@method("nic.set", mutates=True)
def set_(
    call: TxCall,
    node: Name,
    nic: NicName,
    mac: Mac | None = None,
    switch: Name | None = None,
    port: PortName | None = None,
    ports: list[Place] | None = None,
    bond: BondMode | None = None,
) -> Nic:
    """Change the MAC address of a nic, or where it is plugged in; what is left out stays.

    The place of a nic changes only while no project holds its node.
    """
    owner = find_node(call.tx, call.caller, node)
    check_not_proved(call.tx, owner)
    row = find_nic(call.tx, owner, nic)
    before = plugging.as_registered(row)
    if (mac, switch, port, ports, bond) == (None,) * 5:
        raise InvalidParamsError("nic.set changes mac, or where it is plugged in.", field="mac")
    wanted = NicPlug(
        kind=row.kind, mac=mac or row.mac, switch=switch, port=port, ports=ports, bond=bond
    )
    if not wanted.places:
        wanted = msgspec.structs.replace(before, mac=mac or row.mac)
    moved = msgspec.structs.replace(wanted, mac=row.mac) != before
    if moved and owner.project is not None:
        raise ConflictError(
            f"Node {node} is held by project {owner.project}; its nics are fixed until it is free."
        )
    plugging.change(call, call.tx, node, row, wanted)
    call.changed("node", "changed", node, owner.project)
    return _record(call, node, nic)


@method("nic.delete", mutates=True)
def delete(call: TxCall, node: Name, nic: NicName) -> Deleted:
    """Delete a nic of a node that no project holds.

    Its ports stay registered, and in the plan of the site until they are parked.
    """
    owner = find_node(call.tx, call.caller, node)
    check_not_proved(call.tx, owner)
    if owner.state == "allocated":
        raise ConflictError(
            f"Node {node} is held by project {owner.project}; its nics are fixed until it is"
            " released."
        )
    nics.delete(call.tx, find_nic(call.tx, owner, nic).id)
    store_ports.forget_channels(call.tx)
    nodes.finish_releases(call.tx)
    call.changed("node", "changed", node)
    return Deleted(deleted=True)


@method("nic.show")
def show(call: TxCall, node: Name, nic: NicName) -> NicDetails:
    """Show one nic, and why its port carries what it carries: who staged it, and which job set it.

    Admins also see what the switch itself said of the port when it was last confirmed.
    """
    owner = find_node(call.tx, call.caller, node)
    row = find_nic(call.tx, owner, nic)
    record = _record(call, node, nic)
    told_by = row.channel or next(iter(row.ports), None)
    staged_by, staged_at = staged_for(call, row.id)
    return NicDetails(
        node=node,
        nic=record.nic,
        kind=record.kind,
        mac=record.mac,
        project=owner.project,
        switch=record.switch,
        port=record.port,
        state=record.state,
        networks=record.networks,
        applied=record.applied,
        staged_by=staged_by,
        staged_at=staged_at,
        evidence=evidence_for(call, told_by.id if told_by else None),
        bond=record.bond,
        ports=record.ports,
        channel=record.channel,
        cabling=cabling_for(call, owner, row.id),
    )


@method("nic.connect", mutates=True)
def connect(
    call: TxCall, node: Name, nic: NicName, network: NetworkName, tagged: bool = False
) -> Nic:
    """Stage a nic onto a network. An untagged network replaces the nic's present untagged one.

    Nothing is sent to a switch until apply.
    """
    project, row = _connectable(call, node, nic)
    target = find_usable_network(call.tx, project, network)
    if not row.ports:
        raise ConflictError(
            f"{node}:{nic} is plugged into no registered port, so it can't be connected; an admin"
            " registers where it is plugged in."
        )
    nics.connect(call.tx, row.id, target.id, tagged)
    evidence.stage(call.tx, row.id, call.caller.user, project.id, time.time())
    call.changed("node", "changed", node, project.name)
    return _record(call, node, nic)


@method("nic.disconnect", mutates=True)
def disconnect(call: TxCall, node: Name, nic: NicName, network: NetworkName | None = None) -> Nic:
    """Stage a nic off a network, or off all; an apply then parks the port if none is left."""
    project, row = _connectable(call, node, nic)
    network_id = None
    if network is not None:
        network_id = find_network(call.tx, project, network).id
    if not nics.disconnect(call.tx, row.id, network_id) and network is not None:
        raise NotFoundError(f"{node}:{nic} is not connected to {network}.")
    evidence.stage(call.tx, row.id, call.caller.user, project.id, time.time())
    call.changed("node", "changed", node, project.name)
    return _record(call, node, nic)


def _connectable(call: TxCall, node: str, nic: str) -> tuple[ProjectRow, RegisteredNic]:
    """Return a nic that the caller may connect, and the project that holds its node.

    Raises HaasError.
    """
    held, project = find_held_node(call.tx, call.caller, node)
    call.affects(project.name)
    row = find_nic(call.tx, held, nic)
    bmc_closed = not call.context.settings.policy.tenants_connect_bmc
    if row.kind == "bmc" and bmc_closed and not call.caller.admin:
        raise DeniedError(
            f"{node}:{nic} is a BMC's nic, and this site lets only admins connect those."
        )
    return project, row
