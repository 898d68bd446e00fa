"""switch.*: the managed switches, for admins."""

from __future__ import annotations

import json
from typing import Any

from haas_rpcd.errors import ConflictError, InvalidParamsError
from haas_rpcd.methods.access import conflict, find_switch, paged
from haas_rpcd.methods.registry import Call, TxCall, method
from haas_rpcd.model import RESERVED_DEVICES
from haas_rpcd.records import (
    DEFAULT_PORTS,
    Deleted,
    Fingerprint,
    Host,
    Limit,
    Name,
    Page,
    Probe,
    Switch,
    SwitchTrust,
    TcpPort,
    TransportName,
)
from haas_rpcd.store import networks, switches
from haas_rpcd.store.database import Row, Tx


def record(row: Row) -> Switch:
    """Make the API's record of a switch from its row."""
    return Switch(
        switch=row["name"],
        dialect=row["dialect"],
        host=row["host"],
        port=row["port"],
        transport=row["transport"],
        credential=row["credential"],
        options=json.loads(row["options"]),
        ports=row["ports"],
        unsaved=bool(row["unsaved"]),
    )


@method("switch.register", admin=True, mutates=True, unaudited=("options",))
def register(
    call: TxCall,
    switch: Name,
    dialect: str,
    host: Host,
    port: TcpPort | None = None,
    transport: TransportName = "telnet",
    credential: Name | None = None,
    options: dict[str, Any] | None = None,
) -> Switch:
    """Register a switch. Nothing is sent to it.

    ``credential`` names an entry of the daemon's credentials file (else the one with the switch's
    own name is used); ``dialect`` says how its family is talked to; ``options`` are the dialect's.
    The port is 23, or 22 with SSH, unless it is given. A switch with SSH has to be trusted once:
    see switch.trust.
    """
    port = port or DEFAULT_PORTS[transport]
    check(call, switch, dialect, options or {})
    check_address(call.tx, switch, host, port)
    with conflict(f"There is a switch {switch} already."):
        switches.create(
            call.tx,
            switch,
            dialect=dialect,
            host=host,
            port=port,
            transport=transport,
            credential=credential,
            options=options or {},
        )
    call.changed("switch", "created", switch, admins_only=True)
    return record(find_switch(call.tx, switch))


def check(call: TxCall, switch: str, dialect: str, options: dict[str, Any]) -> None:
    """Raise InvalidParamsError for a name, a dialect or options that can't be."""
    if switch in RESERVED_DEVICES:
        raise InvalidParamsError(
            f"switch: {switch} is what plans call the master itself; take another name.",
            field="switch",
        )
    known = call.context.dialects
    if dialect not in known:
        raise InvalidParamsError(
            f"dialect: there is no dialect {dialect}; there are {', '.join(sorted(known))}.",
            field="dialect",
        )
    for option in options:
        if option not in known[dialect]:
            takes = ", ".join(sorted(known[dialect])) or "none"
            raise InvalidParamsError(
                f"options: {dialect} has no option {option}; it takes {takes}.", field="options"
            )
        value = options[option]  # it ends up in lines that are sent, and in the site file
        if not isinstance(value, bool | int) and not (isinstance(value, str) and value.isalnum()):
            raise InvalidParamsError(
                f"options: {option} must be a word, a number, true or false.", field="options"
            )


def check_address(tx: Tx, switch: str, host: str, port: int) -> None:
    """Raise ConflictError when another switch is registered at this address.

    A machine's telnet and its SSH lead to the same ports, so at their own port numbers they are one
    address. (Other numbers may be a terminal server's or a forwarder's, with a switch behind each.)
    """
    doors = set(DEFAULT_PORTS.values())
    for at in sorted(doors) if port in doors else [port]:
        other = switches.at(tx, host, at)
        if other not in (None, switch):
            raise ConflictError(f"Switch {other} is registered at {host} port {at} already.")


@method("switch.delete", admin=True, mutates=True)
def delete(call: TxCall, switch: Name, force: bool = False) -> Deleted:
    """Delete a switch and its ports, once no nic is behind them and nothing of HaaS is on it.

    ``force`` is for a switch that is gone for good: it does not ask for parked ports and removed
    VLANs, only that no nic is behind its ports.
    """
    row = find_switch(call.tx, switch)
    used = switches.ports_in_use(call.tx, row["id"])
    if used := [port for port in used if port["node"] or not force]:
        first = used[0]
        why = f"node {first['node']} is behind it" if first["node"] else "it is not parked"
        raise ConflictError(
            f"Switch {switch} is still in use: port {first['port']}, as {why}"
            + (f" ({len(used) - 1} more)." if len(used) > 1 else ".")
        )
    vlans = switches.vlans_on(call.tx, row["id"])
    if vlans and not force:
        raise ConflictError(
            f"Switch {switch} still has VLAN {', '.join(map(str, vlans))} of HaaS: apply first."
        )
    switches.delete(call.tx, row["id"])
    networks.free_claims(call.tx)
    call.changed("switch", "deleted", switch, admins_only=True)
    return Deleted(deleted=True)


@method("switch.list", admin=True)
def list_(call: TxCall, limit: Limit = 1000, after: str | None = None) -> Page[Switch]:
    """List the switches."""
    rows = switches.page(call.tx, limit, after or "")
    return paged([record(row) for row in rows], limit, rows[-1]["name"] if rows else None)


@method("switch.show", admin=True)
def show(call: TxCall, switch: Name) -> Switch:
    """Show one switch."""
    return record(find_switch(call.tx, switch))


@method("switch.probe", admin=True)
async def probe(call: Call, switch: Name) -> Probe:
    """Log in to a registered switch and say what it is. Nothing is changed on it."""
    row = await call.context.store.read(find_switch, switch)
    prompt, version = await call.context.engine.probe(row["name"])
    return Probe(switch=switch, reachable=True, prompt=prompt, version=version)


@method("switch.trust", admin=True, mutates=True)
async def trust(call: Call, switch: Name, fingerprint: Fingerprint | None = None) -> SwitchTrust:
    """Show the host key of a switch with SSH or, given its fingerprint, trust it from now on.

    Without the fingerprint nothing is stored: compare it with what the switch says of itself at its
    console. With it the key is trusted, in place of any other of this switch, if the switch shows
    that very one. The keys are kept in [switches] known_hosts.
    """
    row = await call.context.store.read(find_switch, switch)
    if row["transport"] != "ssh":
        raise ConflictError(
            f"Switch {switch} is registered with {row['transport']}, which has no host keys to"
            " trust: change its transport to ssh first, with  site import."
        )
    return await call.context.trust(row, fingerprint)
