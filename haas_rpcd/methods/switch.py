"""switch.*: the managed switches. For admins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta

from haas_rpcd.devicenames import RESERVED_DEVICES
from haas_rpcd.engine.freed import publish
from haas_rpcd.engine.identities import refusal_of
from haas_rpcd.errors import ConflictError, InvalidParamsError
from haas_rpcd.methods.access import conflict, find_switch, paged
from haas_rpcd.methods.addresses import Addresses, resolve
from haas_rpcd.methods.cabling_records import link_record
from haas_rpcd.methods.call import Call, TxCall
from haas_rpcd.methods.linking import end_record
from haas_rpcd.methods.registry import always, method
from haas_rpcd.registered import RegisteredSwitch
from haas_rpcd.store import (
    applied,
    cabling,
    hypervisors,
    identities,
    networks,
    ports,
    switches,
    trunks,
    vlans,
)
from haas_rpcd.store.cabling import LinkRow
from haas_rpcd.store.database import Tx
from haas_rpcd.store.switches import SwitchRow
from haas_rpcd.store.trunks import TrunkEndRow
from haas_rpcd.vlanranges import vlan_ranges
from haas_schemas.common import Deleted, Page, timestamp
from haas_schemas.names import Fingerprint, Host, Limit, Name
from haas_schemas.switch import (
    DEFAULT_PORTS,
    Switch,
    SwitchTrust,
    TransportName,
)

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")

LoginPort = Annotated[
    int,
    Meta(ge=1, le=65535, description="The TCP port to log in at; left out: 23, or 22 with ssh."),
]


def record(tx: Tx, row: SwitchRow) -> Switch:
    """Return the API's record of a switch."""
    return _record(
        tx,
        row,
        links=cabling.links(tx, row.name),
        ends=trunks.of_switch(tx, row.id),
        present=[found.vlan for found in vlans.on_switch(tx, row.id)],
    )


def _records(tx: Tx, rows: Sequence[SwitchRow]) -> list[Switch]:
    """Return the API's records of many switches: by few queries."""
    links: dict[str, list[LinkRow]] = {}
    for link in cabling.links(tx):
        links.setdefault(link.switch, []).append(link)
    ends: dict[str, list[TrunkEndRow]] = {}
    for end in trunks.everyone(tx):
        ends.setdefault(end.switch, []).append(end)
    present: dict[str, list[int]] = {}
    for found in vlans.everywhere(tx):
        present.setdefault(found.switch, []).append(found.vlan)
    return [
        _record(
            tx,
            row,
            links=links.get(row.name, ()),
            ends=ends.get(row.name, ()),
            present=present.get(row.name, ()),
        )
        for row in rows
    ]


def _record(
    tx: Tx,
    row: SwitchRow,
    *,
    links: Sequence[LinkRow],
    ends: Sequence[TrunkEndRow],
    present: Sequence[int],
) -> Switch:
    stranger = None
    if row.stranger is not None:
        other = identities.same_as(tx, row.stranger, but=row.name)
        stranger = refusal_of(row.name, row.identity, row.stranger, other)
    return Switch(
        switch=row.name,
        dialect=row.dialect,
        host=row.host,
        port=row.port,
        transport=row.transport,
        credential=row.credential,
        options=row.options,
        ports=row.ports,
        unsaved=row.unsaved,
        drift=row.drift,
        checked=timestamp(row.checked),
        identity=row.identity.describe() if row.identity else None,
        stranger=stranger,
        reachable=row.reachable,
        last_contact=timestamp(row.last_contact),
        retired=timestamp(row.retired),
        swapped=row.swapped,
        cabling_checked=timestamp(row.cabling_checked),
        links=tuple(map(link_record, links)),
        trunks=tuple(map(end_record, ends)),
        vlans=vlan_ranges(list(present)),
    )


@method("switch.register", mutates=True, unaudited=("options",))
async def register(
    call: Call,
    switch: Name,
    dialect: str,
    host: Host,
    port: LoginPort | None = None,
    transport: TransportName = "telnet",
    credential: Name | None = None,
    options: dict[str, Any] | None = None,
) -> Switch:
    """Register a switch. Nothing is sent to it.

    ``credential`` names an entry of the daemon's credentials file; the default is the entry of the
    switch's own name. ``dialect`` selects how to speak to this family of switches, and ``options``
    are the dialect's. ``port`` defaults to 23, or 22 with SSH. A switch with SSH must be trusted
    once: see switch.trust.
    """
    port = port or DEFAULT_PORTS[transport]
    check(call, switch, dialect, options or {})
    wanted = RegisteredSwitch(switch, dialect, host, port, transport, credential, options or {})
    addresses = await resolve([host, *await call.context.store.read(switches.hosts)])

    def create(tx: Tx) -> Switch:
        check_address(tx, switch, host, port, addresses)
        check_name(tx, switch)
        with conflict(f"There is a switch {switch} already."):
            switches.create(tx, wanted)
        in_tx = TxCall(context=call.context, caller=call.caller, subscriber=call.subscriber, tx=tx)
        in_tx.changed("switch", "created", switch, admins_only=True)
        return record(tx, find_switch(tx, switch))

    return await call.context.store.write(create)


def check(call: Call, switch: str, dialect: str, options: dict[str, Any]) -> None:
    """Raise InvalidParamsError if the name, the dialect or the options are not possible."""
    check_kind(call.context.dialects, switch, dialect, options)


def check_kind(
    known: Mapping[str, frozenset[str]], switch: str, dialect: str, options: dict[str, Any]
) -> None:
    """Raise InvalidParamsError if the name, the dialect or the options are not possible."""
    if switch in RESERVED_DEVICES:
        raise InvalidParamsError(
            f"switch: {switch} is what plans call the master itself; take another name.",
            field="switch",
        )
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
        if option == "ignore":
            _check_ignored(options[option])
            continue
        value = options[option]  # becomes part of the lines sent, and of the site file
        if not isinstance(value, bool | int) and not (
            isinstance(value, str) and _WORD.fullmatch(value)
        ):
            raise InvalidParamsError(
                f"options: {option} must be a word, a number, true or false.", field="options"
            )


def _check_ignored(lines: Any) -> None:
    """Raise InvalidParamsError unless it is a list of regular expressions."""
    if not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
        raise InvalidParamsError(
            'options: ignore must be a list of regular expressions, such as ["lldp .*"].',
            field="options",
        )
    for line in lines:
        try:
            re.compile(line)
        except re.error as error:
            raise InvalidParamsError(
                f"options: ignore: {line} is not a regular expression: {error}.", field="options"
            ) from None


def check_name(tx: Tx, switch: str) -> None:
    """Raise ConflictError if a hypervisor has the name: plans name both by it."""
    if hypervisors.find(tx, switch) is not None:
        raise ConflictError(f"There is a hypervisor {switch} already: take another name.")


def check_address(tx: Tx, switch: str, host: str, port: int, addresses: Addresses) -> None:
    """Raise ConflictError if another switch is registered at this address, under whatever name.

    The standard ports of telnet and SSH count as one address: they lead to the same switch. Other
    ports may belong to a terminal server or a forwarder, with a different switch behind each.
    """
    standard = set(DEFAULT_PORTS.values())
    for at in sorted(standard) if port in standard else [port]:
        for name in addresses.same(host):
            other = switches.at(tx, name, at)
            if other not in (None, switch):
                same = "" if name == host else f", which is the same address as {host}"
                raise ConflictError(
                    f"Switch {other} is registered at {name} port {at} already{same}."
                )


@method("switch.delete", mutates=True)
def delete(call: TxCall, switch: Name, force: bool = False) -> Deleted:
    """Delete a switch and its ports. They must be parked, with no nic behind them and no VLAN left.

    ``force`` is for a switch that is gone for good: only nics behind its ports still prevent it. It
    frees the ids of VLANs that the switch may have, so one that may come back is retired instead.
    """
    row = find_switch(call.tx, switch)
    used = ports.in_use(call.tx, row.id)
    if used := [port for port in used if port.node or not force]:
        first = used[0]
        why = f"node {first.node} is behind it" if first.node else "it is not parked"
        raise ConflictError(
            f"Switch {switch} is still in use: port {first.name}, as {why}"
            + (f" ({len(used) - 1} more)." if len(used) > 1 else ".")
        )
    left = [found.vlan for found in vlans.on_switch(call.tx, row.id)]
    if left and not force:
        raise ConflictError(
            f"Switch {switch} still has VLAN {', '.join(map(str, left))} of HaaS: apply first."
        )
    switches.delete(call.tx, row.id)
    networks.free_claims(call.tx)
    call.changed("switch", "deleted", switch, admins_only=True)
    return Deleted(deleted=True)


@method("switch.retire", mutates=True)
def retire(call: TxCall, switch: Name) -> Switch:
    """Take a dead switch out of service: nobody waits for it any more, and nothing is sent to it.

    Releases that wait for it end. Its ports count as not known, so that the nodes behind them are
    not free, and the ids of VLANs that it may carry stay taken. Plans leave it out until
    switch.reinstate takes it back.
    """
    row = find_switch(call.tx, switch)
    if row.retired is None:
        switches.retire(call.tx, row.id, call.context.clock.wall())
        freed = applied.release_freed(call.tx)
        engine, events = call.context.engine, call.context.events
        call.tx.after_commit.append(lambda: engine.retired(switch))
        call.tx.after_commit.append(lambda: publish(events, freed))
        call.changed("switch", "retired", switch, admins_only=True)
    return record(call.tx, find_switch(call.tx, switch))


@method("switch.reinstate", mutates=True)
async def reinstate(call: Call, switch: Name) -> Switch:
    """Take a retired switch back, after all its access ports were shut, and read.

    If it does not answer or a port stays open, it stays retired. Projects that still hold nodes
    behind it apply again. To take back a switch that was replaced, accept the new one first: see
    switch.probe.
    """
    await call.context.store.read(find_switch, switch)
    await call.context.engine.reinstate(switch)

    def shown(tx: Tx) -> Switch:
        in_tx = TxCall(context=call.context, caller=call.caller, subscriber=call.subscriber, tx=tx)
        in_tx.changed("switch", "reinstated", switch, admins_only=True)
        return record(tx, find_switch(tx, switch))

    return await call.context.store.write(shown)


@method("switch.list", lasts=always)
def list_(call: TxCall, limit: Limit = 1000, after: str | None = None) -> Page[Switch]:
    """List the switches."""
    rows = switches.page(call.tx, limit, after or "")
    return paged(_records(call.tx, rows), limit, rows[-1].name if rows else None)


@method("switch.show")
def show(call: TxCall, switch: Name) -> Switch:
    """Show one switch."""
    return record(call.tx, find_switch(call.tx, switch))


@method("switch.trust", mutates=True)
async def trust(call: Call, switch: Name, fingerprint: Fingerprint | None = None) -> SwitchTrust:
    """Show the SSH host key of a switch or, given its fingerprint, trust it from now on.

    Without the fingerprint nothing is stored: compare the key with the one shown on the switch's
    own console. With it, the key replaces any other of this switch, if the switch presents exactly
    this one. The keys are stored in [switches] known_hosts.
    """
    row = await call.context.store.read(find_switch, switch)
    if row.transport != "ssh":
        raise ConflictError(
            f"Switch {switch} is registered with {row.transport}, which has no host keys to"
            " trust: change its transport to ssh first, with  site import."
        )
    return await call.context.trust(row.registered, fingerprint)
