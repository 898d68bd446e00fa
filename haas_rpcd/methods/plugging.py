"""Where nics are plugged in: one port, or several as a bond, and the channel of those."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from haas_rpcd.errors import ConflictError, ExhaustedError, InvalidParamsError
from haas_rpcd.methods.access import conflict, find_port, find_switch
from haas_rpcd.methods.call import Call
from haas_rpcd.nicplug import NicPlug, Place
from haas_rpcd.store import cabling, nics, ports
from haas_rpcd.store.database import Tx
from haas_rpcd.store.ports import PortRow
from haas_schemas.node import BondMode, NicPort


def add(call: Call, tx: Tx, node_id: int, node: str, nic: str, spec: NicPlug) -> None:
    """Add a nic to a node. Raises HaasError, e.g. if a port of it belongs to another nic."""
    rows = _usable(call, tx, node, nic, spec)
    with conflict(f"Node {node} has a nic {nic} already."):
        nic_id = nics.create(tx, node_id, nic, spec.kind, _mac(spec), spec.bond)
    _plug(call, tx, nic_id, rows, spec.bond)


def change(call: Call, tx: Tx, node: str, row: nics.RegisteredNic, spec: NicPlug) -> None:
    """Change what a nic is registered with.

    Raises HaasError, e.g. if a port of it belongs to another nic.
    """
    rows = _usable(call, tx, node, row.name, spec)
    nics.update(tx, row.id, spec.kind, _mac(spec), spec.bond)
    if (row.bond, [leg.id for leg in row.ports]) != (spec.bond, [port.id for port in rows]):
        _plug(call, tx, row.id, rows, spec.bond)


def is_registered_so(row: nics.RegisteredNic, spec: NicPlug) -> bool:
    """Return whether a nic is registered with this already."""
    return as_registered(row) == msgspec.structs.replace(spec, mac=_mac(spec))


def as_registered(row: nics.RegisteredNic) -> NicPlug:
    """Return what a nic is registered with."""
    places = [Place(leg.switch, leg.name) for leg in row.ports]
    return NicPlug(
        kind=row.kind,
        mac=row.mac,
        switch=row.place.switch if row.place else None,
        port=row.place.name if row.place else None,
        ports=places if row.bond else None,
        bond=row.bond,
    )


def _mac(spec: NicPlug) -> str | None:
    return spec.mac.lower() if spec.mac else None


def _usable(call: Call, tx: Tx, node: str, nic: str, spec: NicPlug) -> list[PortRow]:
    """Return the ports of a nic to be. Raises HaasError if it can't be plugged into them."""
    me = f"{node}:{nic}"
    rows = [_access_port(tx, place) for place in spec.places]
    if spec.mac is not None:
        holder = nics.holder_of_mac(tx, spec.mac.lower())
        if holder not in (None, me):
            raise ConflictError(f"The MAC address {spec.mac} belongs to {holder} already.")
    for row in rows:
        if row.nic is not None and f"{row.node}:{row.nic}" != me:
            raise ConflictError(
                f"Port {row.name} of {row.switch} has {row.node}:{row.nic} behind it already."
            )
    if spec.bond in ("lacp", "static"):
        _check_channel(call, tx, rows, spec.bond)
    return rows


def _access_port(tx: Tx, place: Place) -> PortRow:
    row = find_port(tx, place.switch, place.port)
    if row.role != "access":
        raise ConflictError(
            f"Port {place.port} of {place.switch} is a trunk port, so no nic can be behind it."
        )
    if row.is_channel:
        raise ConflictError(
            f"Port {place.port} of {place.switch} is a channel that HaaS makes of other ports: name"
            " those."
        )
    return row


def _check_channel(call: Call, tx: Tx, rows: Sequence[PortRow], bond: str) -> None:
    """Raise HaasError unless one switch can make a channel of ports."""
    switches = list(dict.fromkeys(row.switch for row in rows))
    if len(switches) > 1:
        raise InvalidParamsError(
            f"ports: the ports of a bond {bond} are on one switch, not on {' and '.join(switches)};"
            " active-backup may span two.",
            field="ports",
        )
    dialect = find_switch(tx, switches[0]).dialect
    able = sorted(name for name, modes in call.context.channel_modes.items() if bond in modes)
    if dialect not in able:
        raise InvalidParamsError(
            f"bond: HaaS makes no {bond} channel on {switches[0]}, as its dialect {dialect} can't;"
            f" those that can are {', '.join(able) or 'none'}. A bond active-backup needs no"
            " channel.",
            field="bond",
        )


def _plug(call: Call, tx: Tx, nic_id: int, rows: Sequence[PortRow], bond: BondMode | None) -> None:
    nics.plug(tx, nic_id, [row.id for row in rows])
    cabling.forget_other_places(tx, nic_id)
    ports.forget_channels(tx)
    if bond in ("lacp", "static"):
        _make_channel(call, tx, nic_id, rows, bond)


def _make_channel(call: Call, tx: Tx, nic_id: int, rows: Sequence[PortRow], mode: str) -> None:
    """Give a bond a channel: the lowest number of its switch's range that is not in use."""
    switch = find_switch(tx, rows[0].switch)
    for row in rows:
        former = ports.member_of(tx, row.id)
        if former is not None:
            raise ConflictError(
                f"Port {row.name} of {row.switch} may still be in {former.name}, its former"
                " channel: run  apply --site  first."
            )
    taken = set(ports.canonical_names(tx, switch.id))
    try:
        names = call.context.channel_names(switch.dialect, switch.options)
    except ValueError as error:
        raise ConflictError(f"Switch {switch.name}: {error}.") from None
    for number, name in names:
        canonical = call.context.canonical_port(switch.dialect, name)
        if canonical not in taken:
            ports.create_channel(tx, switch.id, name, canonical, number, mode, nic_id)
            return
    raise ExhaustedError(
        f"All numbers that HaaS may give to channels of {switch.name} are in use: give it more by"
        " its option channels."
    )


def bond_ports(row: nics.RegisteredNic) -> tuple[NicPort, ...]:
    """Return the ports of a bond; none of another nic."""
    return tuple(NicPort(leg.switch, leg.name) for leg in row.ports) if row.bond else ()
