"""port.*: the ports of switches that HaaS manages. For admins."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from haas_rpcd.errors import ConflictError, InvalidParamsError
from haas_rpcd.methods import linking
from haas_rpcd.methods.access import find_port, find_switch, number_cursor, paged
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.evidence import evidence_for
from haas_rpcd.methods.registry import always, method
from haas_rpcd.nicplug import Place
from haas_rpcd.store import networks
from haas_rpcd.store import ports as store_ports
from haas_rpcd.store.ports import PortRow
from haas_rpcd.store.switches import SwitchRow
from haas_rpcd.vlanranges import vlan_ranges
from haas_schemas.common import Deleted, Page
from haas_schemas.names import Limit, Name, PortName
from haas_schemas.switch import Port, PortDetails, PortVlans

Role = Literal["access", "trunk"]


def record(row: PortRow) -> Port:
    """Return the API's record of a port."""
    applied = None
    if (config := row.config) is not None:
        applied = PortVlans(untagged=config.untagged, tagged=vlan_ranges(config.tagged))
    return Port(
        switch=row.switch,
        port=row.name,
        role=row.role,
        applied=applied,
        node=row.node,
        nic=row.nic,
        project=row.project,
        drift=row.drift,
        cabling=row.cabling,
        stranger=row.stranger,
        peer=linking.peer_of(row),
        hypervisor=row.hypervisor,
        wrong=row.wrong,
    )


@method("port.register", mutates=True)
def register(
    call: TxCall,
    switch: Name,
    ports: Annotated[list[PortName], Meta(min_length=1, max_length=1000)],
    role: Role = "access",
    peer: Place | None = None,
    hypervisor: Name | None = None,
) -> list[Port]:
    """Register ports of a switch, which HaaS manages from then on.

    Role ``access``: for a node's nic; the next apply of the site parks it. Role ``trunk``: to the
    master or another switch; the next apply of the site makes it carry the VLAN pool and nothing
    else. To change a port's role, register it again.

    ``peer`` or ``hypervisor`` declare what one trunk port leads to: see port.set.
    """
    row = find_switch(call.tx, switch)
    if (peer is not None or hypervisor is not None) and len(ports) > 1:
        raise InvalidParamsError(
            "ports: a cable has one port at this end; register the ports one by one.",
            field="ports",
        )
    for port in ports:
        known = store_ports.find(call.tx, switch, port)
        if known is None:
            create(call, row, port, role)
        elif known.role == role:
            raise ConflictError(f"Switch {switch} has port {port} registered already, as {role}.")
        elif known.nic_id is not None:
            raise ConflictError(
                f"Port {port} of {switch} has {known.node}:{known.nic} behind it, so it"
                " can't be a trunk: delete that nic first."
            )
        else:
            store_ports.set_role(call.tx, known.id, role)
    if peer is not None or hypervisor is not None:
        linking.declare(call, find_port(call.tx, switch, ports[0]), peer, hypervisor)
    call.changed("switch", "changed", switch, admins_only=True)
    return [record(find_port(call.tx, switch, port)) for port in ports]


@method("port.set", mutates=True)
def set_(
    call: TxCall,
    switch: Name,
    port: PortName,
    peer: Place | None = None,
    hypervisor: Name | None = None,
    anywhere: bool = False,
) -> Port:
    """Declare what a trunk port leads to, or that it leads ``anywhere``, as without a declaration.

    ``peer`` is the trunk port at the other end of its cable, such as
    {"switch": "sw2", "port": "Gi1/0/49"}, which is declared to lead here. ``hypervisor`` names the
    one whose trunk nic is there; ``master`` is the first. The next apply of the site makes VLANs on
    the switches that are between the places that use them, and removes them from others.
    """
    row = find_port(call.tx, switch, port)
    if [peer is not None, hypervisor is not None, anywhere].count(True) != 1:
        raise InvalidParamsError(
            "A trunk port leads to a peer, to a hypervisor or anywhere: give one of them.",
            field="peer",
        )
    linking.declare(call, row, peer, hypervisor)
    call.changed("switch", "changed", switch, admins_only=True)
    return record(find_port(call.tx, switch, port))


def create(call: TxCall, switch: SwitchRow, port: str, role: str) -> None:
    """Register one port, unless it is registered already, under this or another of its names.

    Raises InvalidParamsError, ConflictError.
    """
    try:
        canonical = call.context.canonical_port(switch.dialect, port)
    except ValueError as error:
        raise InvalidParamsError(f"ports: {error}.", field="ports") from None
    known = store_ports.name_of(call.tx, switch.id, canonical)
    if known is not None:
        raise ConflictError(
            f"Port {port} of {switch.name} is registered already, as {known}: they are the same"
            " port."
        )
    store_ports.create(call.tx, switch.id, port, canonical, role)


@method("port.list", lasts=always)
def list_(call: TxCall, switch: Name, limit: Limit = 1000, after: str | None = None) -> Page[Port]:
    """List a switch's ports, in order of registration."""
    row = find_switch(call.tx, switch)
    rows = store_ports.page(call.tx, row.id, limit, number_cursor(after))
    return paged([record(row) for row in rows], limit, rows[-1].id if rows else None)


@method("port.show")
def show(call: TxCall, switch: Name, port: PortName) -> PortDetails:
    """Show one port, which job set it, and what the switch said when it was last confirmed."""
    row = find_port(call.tx, switch, port)
    known = msgspec.structs.asdict(record(row))
    return PortDetails(**known, evidence=evidence_for(call, row.id))


@method("port.delete", mutates=True)
def delete(call: TxCall, switch: Name, port: PortName, force: bool = False) -> Deleted:
    """Stop managing a port. It must be parked, with no nic behind it.

    Its configuration on the switch does not change. To park a trunk port, register it again as
    access and apply the site. ``force`` is for a port that the switch does not have or that cannot
    be parked: whatever it carries is then up to the admin.
    """
    row = find_port(call.tx, switch, port)
    if row.nic_id is not None:
        raise ConflictError(
            f"Port {port} of {switch} has {row.node}:{row.nic} behind it: delete that first"
            f" with  nic delete {row.node} {row.nic}"
        )
    if not force and any(used.id == row.id for used in store_ports.in_use(call.tx, row.switch_id)):
        raise ConflictError(
            f"Port {port} of {switch} is not confirmed parked: make it an access port and run"
            "  apply --site  first. If the switch has no such port:"
            f"  port delete {switch} {port} --force"
        )
    store_ports.delete(call.tx, row.id)
    networks.free_claims(call.tx)
    call.changed("switch", "changed", switch, admins_only=True)
    return Deleted(deleted=True)
