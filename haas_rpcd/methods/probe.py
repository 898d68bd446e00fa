"""switch.probe: shows what a switch is, and adopts what its ports carry. For admins."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from haas_rpcd.engine.identities import refusal_of
from haas_rpcd.errors import ConflictError, InvalidParamsError
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.registry import method
from haas_rpcd.methods.switch import LoginPort, check_kind
from haas_rpcd.model import SetPort
from haas_rpcd.registered import Probed, RegisteredSwitch
from haas_rpcd.store import applied, identities, networks, ports, switches, vlans
from haas_rpcd.store.database import Tx
from haas_rpcd.store.switches import SwitchRow
from haas_rpcd.vlanranges import vlan_ranges
from haas_schemas.names import Host, Name
from haas_schemas.switch import DEFAULT_PORTS, PortVlans, Probe, ProbedPort, TransportName


@method("switch.probe", mutates=True, unaudited=("options",))
async def probe(
    call: Call,
    switch: Name,
    dialect: str | None = None,
    host: Host | None = None,
    port: LoginPort | None = None,
    transport: TransportName = "telnet",
    credential: Name | None = None,
    options: dict[str, Any] | None = None,
    adopt: bool = False,
    dry_run: bool = False,
    accept: bool = False,
) -> Probe:
    """Log in to a switch and show its model, version, ports, and the VLANs in use.

    Changes nothing on the switch. To probe a switch that is not registered yet, give ``dialect``
    and ``host``. ``adopt`` records what registered, still unconfirmed ports carry as applied, so
    that an apply leaves those alone that already carry what is wanted. ``dry_run`` shows what
    ``adopt`` would record, without recording it. ``accept`` takes whatever switch answers for this
    one, if it was replaced: what was applied to the old one is not known of the new one.
    """
    store = call.context.store
    row = await store.read(switches.find, switch)
    if row is None:
        if adopt or accept:
            field = "adopt" if adopt else "accept"
            raise InvalidParamsError(
                f"{field}: register {switch} and its ports first; probe it without {field} until"
                " then.",
                field=field,
            )
        wanted = _unregistered(
            call, switch, dialect, host, port, transport, credential, options or {}
        )
        seen = await call.context.engine.probe_address(wanted)
        other = await store.read(_same_switch, switch, seen)
        return replace(_probed(switch, seen, set()), warnings=(other,) if other else ())
    if dialect is not None or host is not None:
        raise ConflictError(
            f"Switch {switch} is registered already: probe it by its name alone, or name another."
        )
    if adopt and row.retired is not None:
        raise ConflictError(
            f"Switch {switch} is retired: take it back first, with  switch reinstate {switch}"
        )
    if accept:
        await store.write(identities.forget, switch)
    engine = call.context.engine
    retired = row.retired is not None
    seen = await (engine.probe_address(row.registered) if retired else engine.probe(switch))
    if not adopt:
        return _probed(switch, seen, await store.read(_managed, call, row))
    write = store.read if dry_run else store.write
    adopted, warnings = await write(_adopt, call, row, seen, dry_run)
    answer = _probed(switch, seen, await store.read(_managed, call, row))
    ports = tuple(replace(one, adopted=one.port in adopted) for one in answer.ports)
    return replace(answer, ports=ports, dry_run=dry_run, warnings=tuple(warnings))


def _unregistered(
    call: Call,
    switch: str,
    dialect: str | None,
    host: str | None,
    port: int | None,
    transport: str,
    credential: str | None,
    options: dict[str, Any],
) -> RegisteredSwitch:
    """Return the registration that the switch would have. Raises InvalidParamsError."""
    if dialect is None or host is None:
        raise InvalidParamsError(
            f"There is no switch {switch}: give its dialect and host to probe it before it is"
            " registered.",
            field="switch",
        )
    check_kind(call.context.dialects, switch, dialect, options)
    port = port or DEFAULT_PORTS[transport]
    return RegisteredSwitch(switch, dialect, host, port, transport, credential, options)


def _probed(switch: str, seen: Probed, managed: set[str]) -> Probe:
    return Probe(
        switch=switch,
        reachable=True,
        prompt=seen.prompt,
        model=seen.model or None,
        version=seen.version or None,
        said=tuple(seen.said),
        vlans=vlan_ranges(seen.vlans),
        ports=tuple(
            ProbedPort(
                port=port,
                carries=PortVlans(
                    untagged=found.config.untagged, tagged=vlan_ranges(found.config.tagged)
                ),
                managed=port in managed,
                open=found.open,
                not_understood=found.not_understood,
                unconfigured=vlan_ranges(found.unconfigured),
            )
            for port, found in seen.ports.items()
        ),
    )


def _same_switch(tx: Tx, switch: str, seen: Probed) -> str | None:
    """Return a sentence if a probed switch is registered under another name."""
    other = identities.same_as(tx, seen.marks, but=switch) if seen.marks else None
    return None if other is None else refusal_of(switch, None, seen.marks, other)


def _managed(tx: Tx, call: Call, row: SwitchRow) -> set[str]:
    """Return the canonical names of a switch's registered ports."""
    return set(ports.canonical_names(tx, row.id))


def _adopt(
    tx: Tx, call: Call, row: SwitchRow, seen: Probed, dry_run: bool
) -> tuple[set[str], list[str]]:
    """Record what unconfirmed ports carry as applied; return these ports, and warnings.

    Only what HaaS could have applied: VLANs of networks, on ports with a nic. Any other port stays
    unconfirmed, so the next apply of the site parks it.
    """
    adopted: set[str] = set()
    warnings: list[str] = []
    claimed = networks.claimed(tx, {v for found in seen.ports.values() for v in found.config.vlans})
    for port in ports.unconfirmed(tx, row.name):
        found = seen.ports.get(port.canonical)
        config = None if found is None else found.believed
        if found is None:
            warnings.append(f"{port.name}: the switch does not show it")
        elif config is None:
            warnings.append(f"{port.name}: {found.describe()}; apply --site parks it")
        elif port.role != "trunk" and not config.vlans <= claimed:
            foreign = vlan_ranges(config.vlans - claimed)
            warnings.append(
                f"{port.name}: carries VLAN {foreign}, which no network has; apply --site parks"
                " it, or make the network first"
            )
        else:
            adopted.add(port.canonical)
            if not dry_run:
                applied.confirm(tx, row.name, SetPort(port.name, config), found)
    if not dry_run:
        # A dialect that declares no VLANs never confirms that one is gone, so record none.
        if call.context.declares_vlans(row.dialect):
            for vlan in sorted(seen.vlans & claimed):
                vlans.adopt(tx, row.name, vlan)
        applied.release_freed(tx)
    return adopted, warnings
