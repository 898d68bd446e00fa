"""nic.*: nics of nodes, which admins register and tenants connect to networks."""

from __future__ import annotations

import time

from haas_rpcd.errors import ConflictError, DeniedError, InvalidParamsError, NotFoundError
from haas_rpcd.methods.access import (
    conflict,
    find_held_node,
    find_network,
    find_nic,
    find_node,
    find_port,
    find_usable_network,
)
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.evidence import evidence_for, staged_for
from haas_rpcd.methods.node_records import node_records
from haas_rpcd.methods.registry import method
from haas_rpcd.store import evidence, nodes, ports
from haas_rpcd.store.database import Tx
from haas_rpcd.store.nodes import NicRow
from haas_rpcd.store.projects import ProjectRow
from haas_schemas.common import Deleted
from haas_schemas.names import Mac, Name, NetworkName, NicName, PortName
from haas_schemas.node import Nic, NicDetails, NicKind


def _record(call: TxCall, node: str, nic: str) -> Nic:
    [found] = node_records(call, [find_node(call.tx, call.caller, node)])
    return next(record for record in found.nics if record.nic == nic)


def place(tx: Tx, switch: str | None, port: str | None) -> int | None:
    """Return the id of the access port that a nic is plugged into; None if none is given.

    Raises InvalidParamsError, NotFoundError, ConflictError.
    """
    if switch is None and port is None:
        return None
    if switch is None or port is None:
        raise InvalidParamsError(
            "A nic's place is a switch and a port: give both, or neither.",
            field="port" if port is None else "switch",
        )
    row = find_port(tx, switch, port)
    if row.role != "access":
        raise ConflictError(f"Port {port} of {switch} is a trunk port, so no nic can be behind it.")
    return row.id


def add(
    tx: Tx,
    node_id: int,
    node: str,
    nic: str,
    kind: str,
    mac: str | None,
    switch: str | None,
    port: str | None,
) -> None:
    """Add a nic to a node. Raises HaasError, e.g. if its port belongs to another nic."""
    port_id = place(tx, switch, port)
    check_free(tx, node, nic, mac, switch, port)
    with conflict(f"Node {node} has a nic {nic} already."):
        nodes.create_nic(tx, node_id, nic, kind, mac.lower() if mac else None, port_id)


def check_free(
    tx: Tx, node: str, nic: str, mac: str | None, switch: str | None, port: str | None
) -> None:
    """Raise ConflictError if the MAC address or the port belongs to another nic."""
    me = f"{node}:{nic}"
    if mac is not None:
        holder = nodes.holder_of_mac(tx, mac.lower())
        if holder not in (None, me):
            raise ConflictError(f"The MAC address {mac} belongs to {holder} already.")
    if switch is not None and port is not None:
        row = find_port(tx, switch, port)
        if row.nic is not None and f"{row.node}:{row.nic}" != me:
            raise ConflictError(
                f"Port {port} of {switch} has {row.node}:{row.nic} behind it already."
            )


@method("nic.register", mutates=True)
def register(
    call: TxCall,
    node: Name,
    nic: NicName,
    kind: NicKind = "data",
    mac: Mac | None = None,
    switch: Name | None = None,
    port: PortName | None = None,
) -> Nic:
    """Add a nic to a registered node. ``switch`` and ``port``: where it is plugged in."""
    row = find_node(call.tx, call.caller, node)
    if row.project is not None:
        raise ConflictError(
            f"Node {node} is held by project {row.project}; its nics are fixed until it is free."
        )
    add(call.tx, row.id, node, nic, kind, mac, switch, port)
    call.changed("node", "changed", node)
    return _record(call, node, nic)


@method("nic.delete", mutates=True)
def delete(call: TxCall, node: Name, nic: NicName) -> Deleted:
    """Delete a nic of a node that no project holds.

    Its port stays registered, and in the plan of the site until it is parked.
    """
    owner = find_node(call.tx, call.caller, node)
    if owner.state == "allocated":
        raise ConflictError(
            f"Node {node} is held by project {owner.project}; its nics are fixed until it is"
            " released."
        )
    nodes.delete_nic(call.tx, find_nic(call.tx, owner, nic).id)
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
    port_id = ports.id_of(call.tx, row.switch, row.port) if row.switch and row.port else None
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
        evidence=evidence_for(call, port_id),
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
    if row.port is None:
        raise ConflictError(
            f"{node}:{nic} is plugged into no registered port, so it can't be connected; an admin"
            " registers where it is plugged in."
        )
    nodes.connect(call.tx, row.id, target.id, tagged)
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
    if not nodes.disconnect(call.tx, row.id, network_id) and network is not None:
        raise NotFoundError(f"{node}:{nic} is not connected to {network}.")
    evidence.stage(call.tx, row.id, call.caller.user, project.id, time.time())
    call.changed("node", "changed", node, project.name)
    return _record(call, node, nic)


def _connectable(call: TxCall, node: str, nic: str) -> tuple[ProjectRow, NicRow]:
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
