"""What ``show`` commands print: pure functions from configuration to lines.

The layouts follow what Catalyst 2960 and 3560 switches with IOS 15.0(2)SE print.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from haas_rpcd.sim.ios.portname import short
from haas_rpcd.sim.ios.state import Config, Port, carried_by, default_vlan_name
from haas_rpcd.sim.ios.vlanlist import ALL_VLANS, LEGACY_VLANS, format_list, wrap_list

CONFIG_WIDTH = 80
"""IOS breaks a long list of allowed VLANs into several lines of its configuration."""


@dataclass(frozen=True)
class Chassis:
    """What does not change while a switch runs: its model and how its lines are protected."""

    model: str
    version: str
    serial: str
    encapsulation: bool  # does it know ISL, so that "switchport trunk encapsulation" exists?
    logins: tuple[str, ...] = ()  # the lines of the configuration that say who may log in
    vty_lines: tuple[str, ...] = ()  # those below "line vty"
    unplugged: set[str] = field(default_factory=set)  # ports without a link; changes at run time

    @property
    def family(self) -> str:
        """``C2960S`` for ``WS-C2960S-24TS-L``."""
        return self.model.removeprefix("WS-").partition("-")[0]


# --- the configuration


def running_config(config: Config, chassis: Chassis, header: Iterable[str] = ()) -> list[str]:
    """The lines of the whole configuration, from the first ``!`` to ``end``."""
    major = chassis.version.partition("(")[0]
    return [
        "!",
        *header,
        f"version {major}",
        "no service pad",
        "service timestamps debug datetime msec",
        "service timestamps log datetime msec",
        "service password-encryption",
        "!",
        f"hostname {config.hostname}",
        "!",
        "boot-start-marker",
        "boot-end-marker",
        "!",
        *chassis.logins,
        "no aaa new-model",
        "system mtu routing 1500",
        *(["vtp mode transparent"] if config.vtp_mode == "transparent" else []),
        "!",
        "!",
        "no ip domain-lookup",
        "!",
        "!",
        "spanning-tree mode pvst",
        "spanning-tree extend system-id",
        "!",
        "vlan internal allocation policy ascending",
        "!",
        *(_vlan_lines(config.vlans) if config.vtp_mode == "transparent" else []),
        "!",
        *(line for name in config.ports for line in [*interface_lines(config, chassis, name), "!"]),
        "ip http server",
        "ip http secure-server",
        "!",
        "line con 0",
        *(line for span in ("0 4", "5 15") for line in [f"line vty {span}", *chassis.vty_lines]),
        "!",
        "end",
        "",
    ]


def _vlan_lines(vlans: Mapping[int, str]) -> Iterator[str]:
    """VLANs, neighbours under default names in one stanza, as IOS does in transparent mode."""
    unnamed: list[int] = []

    def flush() -> Iterator[str]:
        if unnamed:
            yield from [f"vlan {format_list(unnamed)}", "!"]
            unnamed.clear()

    for vlan, name in sorted(vlans.items()):
        if vlan == 1 or vlan in LEGACY_VLANS:
            continue
        if name == default_vlan_name(vlan):
            unnamed.append(vlan)
            continue
        yield from flush()
        yield from [f"vlan {vlan}", f" name {name}", "!"]
    yield from flush()


def interface_lines(config: Config, chassis: Chassis, name: str) -> list[str]:
    """The stanza of one interface; what is at its default is not shown."""
    port = config.ports[name]
    lines = [f"interface {name}"]
    if port.description:
        lines.append(f" description {port.description}")
    if port.access_vlan != 1:
        lines.append(f" switchport access vlan {port.access_vlan}")
    if chassis.encapsulation and port.encapsulation != "negotiate":
        lines.append(f" switchport trunk encapsulation {port.encapsulation}")
    if port.native_vlan != 1:
        lines.append(f" switchport trunk native vlan {port.native_vlan}")
    lines += _allowed_lines(port)
    if port.mode != "dynamic auto":
        lines.append(f" switchport mode {port.mode}")
    if port.nonegotiate:
        lines.append(" switchport nonegotiate")
    if port.shutdown:
        lines.append(" shutdown")
    if port.portfast:
        lines.append(f" spanning-tree {port.portfast}")
    return lines


def _allowed_lines(port: Port) -> Iterator[str]:
    if port.allowed == ALL_VLANS:
        return
    head = " switchport trunk allowed vlan "
    pieces = wrap_list(format_list(port.allowed), CONFIG_WIDTH - len(head) - len("add "))
    for index, piece in enumerate(pieces):
        yield head + ("add " if index else "") + piece


# --- VLANs


def vlan_table(config: Config, chassis: Chassis, vlans: Collection[int]) -> list[str]:
    """``show vlan brief``: trunks that are up are on no line of it."""
    lines = [
        "",
        "VLAN Name                             Status    Ports",
        "---- -------------------------------- --------- -------------------------------",
    ]
    for vlan in sorted(vlans):
        status = "act/unsup" if vlan in LEGACY_VLANS else "active"
        members = [
            short(name)
            for name, port in config.ports.items()
            if port.access_vlan == vlan and operational_mode(port, name, chassis) != "trunk"
        ]
        rows = [row.replace(",", ", ") for row in wrap_list(",".join(members), 28)]
        lines.append(f"{vlan:<4} {config.vlans[vlan]:<32} {status:<9} {rows[0]}")
        lines += [f"{'':48}{row}" for row in rows[1:]]
    return lines


_LEGACY_ROWS = {  # type, SAID, STP, bridge mode
    1002: ("fddi", 101002, "-", "-"),
    1003: ("tr", 101003, "-", "srb"),
    1004: ("fdnet", 101004, "ieee", "-"),
    1005: ("trnet", 101005, "ibm", "-"),
}


def vlan_details(vlans: Collection[int]) -> list[str]:
    """The second half of ``show vlan``."""
    lines = [
        "",
        "VLAN Type  SAID       MTU   Parent RingNo BridgeNo Stp  BrdgMode Trans1 Trans2",
        "---- ----- ---------- ----- ------ ------ -------- ---- -------- ------ ------",
    ]
    for vlan in sorted(vlans):
        kind, said, stp, bridge = _LEGACY_ROWS.get(vlan, ("enet", 100000 + vlan, "-", "-"))
        lines.append(
            f"{vlan:<4} {kind:<5} {said:<10} 1500  -      -      -        "
            f"{stp:<4} {bridge:<8} 0      0   "
        )
    return [
        *lines,
        "",
        "Remote SPAN VLANs",
        "-" * 78,
        "",
        "",
        "Primary Secondary Type              Ports",
        "------- --------- ----------------- ------------------------------------------",
    ]


# --- interfaces


def operational_mode(port: Port, name: str, chassis: Chassis) -> str:
    """``down``, ``trunk`` or ``static access``: what a port is doing, not what it is set to."""
    if port.shutdown or name in chassis.unplugged:
        return "down"
    return "trunk" if port.mode == "trunk" else "static access"


def status_table(config: Config, chassis: Chassis, names: Iterable[str]) -> list[str]:
    """``show interfaces status``."""
    lines = [
        "",
        "Port      Name               Status       Vlan       Duplex  Speed Type",
    ]
    for name in names:
        port = config.ports[name]
        state = operational_mode(port, name, chassis)
        status = "disabled" if port.shutdown else "notconnect" if state == "down" else "connected"
        vlan = "trunk" if state == "trunk" else str(port.access_vlan)
        duplex, speed = ("auto", "auto") if state == "down" else ("a-full", _speed(name))
        lines.append(
            f"{short(name):<9} {port.description[:18]:<18} {status:<12} {vlan:<10} "
            f"{duplex:>6} {speed:>6} {_media(name)}"
        )
    return lines


def _speed(name: str) -> str:
    return {"Fa": "a-100", "Gi": "a-1000", "Te": "a-10G"}[short(name)[:2]]


def _media(name: str) -> str:
    media = {"Fa": "10/100BaseTX", "Gi": "10/100/1000BaseTX", "Te": "SFP-10GBase-SR"}
    return media[short(name)[:2]]


def trunk_tables(config: Config, chassis: Chassis, names: Iterable[str]) -> list[str]:
    """``show interfaces trunk``: four tables of the trunks that are up, or nothing."""
    trunks = [
        (short(name), config.ports[name])
        for name in names
        if operational_mode(config.ports[name], name, chassis) == "trunk"
    ]
    if not trunks:
        return []
    rows: list[str] = ["", "Port        Mode             Encapsulation  Status        Native vlan"]
    for label, port in trunks:
        rows.append(
            f"{label:<11} {'on':<16} {trunk_encapsulation(port):<14} trunking      "
            f"{port.native_vlan}"
        )
    live = {label: _passing(config, port) for label, port in trunks}
    tables: list[tuple[str, dict[str, frozenset[int]]]] = [
        ("Vlans allowed on trunk", {label: port.allowed for label, port in trunks}),
        ("Vlans allowed and active in management domain", live),
        ("Vlans in spanning tree forwarding state and not pruned", live),
    ]
    for title, vlans in tables:
        rows += ["", f"Port        {title}"]
        rows += [f"{label:<11} {format_list(vlans[label])}" for label, _ in trunks]
    return rows


def trunk_encapsulation(port: Port) -> str:
    """How the table of trunks spells the encapsulation."""
    return "isl" if port.encapsulation == "isl" else "802.1q"


def _passing(config: Config, port: Port) -> frozenset[int]:
    carried = carried_by(port, config.vlans)
    return carried.tagged | ({carried.untagged} if carried.untagged is not None else frozenset())


def switchport(config: Config, chassis: Chassis, name: str) -> list[str]:
    """``show interfaces X switchport`` of one port."""
    port = config.ports[name]
    state = operational_mode(port, name, chassis)
    encapsulation = port.encapsulation if chassis.encapsulation else "dot1q"
    operational = {"static access": "native", "trunk": encapsulation}.get(state)
    negotiates = port.mode != "access" and not port.nonegotiate
    allowed = "ALL" if port.allowed == ALL_VLANS else format_list(port.allowed, empty="NONE")
    # IOS sets the continuation of a long list five columns in.
    head, *more = wrap_list(allowed, 55)
    allowed_lines = [
        line + ("," if index < len(more) else "")
        for index, line in enumerate([head, *(f"     {piece}" for piece in more)])
    ]
    return [
        f"Name: {short(name)}",
        "Switchport: Enabled",
        f"Administrative Mode: {'static access' if port.mode == 'access' else port.mode}",
        f"Operational Mode: {state}",
        f"Administrative Trunking Encapsulation: {encapsulation}",
        *([f"Operational Trunking Encapsulation: {operational}"] if operational else []),
        f"Negotiation of Trunking: {'On' if negotiates else 'Off'}",
        f"Access Mode VLAN: {_named(config, port.access_vlan)}",
        f"Trunking Native Mode VLAN: {_named(config, port.native_vlan)}",
        "Administrative Native VLAN tagging: enabled",
        "Voice VLAN: none",
        "Administrative private-vlan host-association: none ",
        "Administrative private-vlan mapping: none ",
        "Administrative private-vlan trunk native VLAN: none",
        "Administrative private-vlan trunk Native VLAN tagging: enabled",
        "Administrative private-vlan trunk encapsulation: dot1q",
        "Administrative private-vlan trunk normal VLANs: none",
        "Administrative private-vlan trunk associations: none",
        "Administrative private-vlan trunk mappings: none",
        "Operational private-vlan: none",
        f"Trunking VLANs Enabled: {allowed_lines[0]}",
        *allowed_lines[1:],
        "Pruning VLANs Enabled: 2-1001",
        "Capture Mode Disabled",
        "Capture VLANs Allowed: ALL",
        "",
        "Protected: false",
        "Unknown unicast blocked: disabled",
        "Unknown multicast blocked: disabled",
        "Appliance trust: none",
        "",
    ]


def _named(config: Config, vlan: int) -> str:
    return f"{vlan} ({config.vlans.get(vlan, 'Inactive')})"


# --- the box


def version(config: Config, chassis: Chassis, uptime: str) -> list[str]:
    """``show version``."""
    image = f"{chassis.family}-UNIVERSALK9-M"
    count = len(config.ports)
    kinds = {"Fast Ethernet": "Fa", "Gigabit Ethernet": "Gi", "Ten Gigabit Ethernet": "Te"}
    ports = [(sum(short(name).startswith(s) for name in config.ports), k) for k, s in kinds.items()]
    return [
        f"Cisco IOS Software, {chassis.family} Software ({image}), Version {chassis.version}, "
        "RELEASE SOFTWARE (fc3)",
        "Technical Support: http://www.cisco.com/techsupport",
        "Copyright (c) 1986-2017 by Cisco Systems, Inc.",
        "Compiled Sat 19-Aug-17 09:13 by prod_rel_team",
        "",
        "ROM: Bootstrap program is Alpha board boot loader",
        "",
        f"{config.hostname} uptime is {uptime}",
        "System returned to ROM by power-on",
        f'System image file is "flash:/{image.lower()}-mz.bin"',
        "",
        f"cisco {chassis.model} (PowerPC) processor (revision A0) with 131072K bytes of memory.",
        f"Processor board ID {chassis.serial}",
        "Last reset from power-on",
        "1 Virtual Ethernet interface",
        *(f"{number} {kind} interface{'s' * (number > 1)}" for number, kind in ports if number),
        "The password-recovery mechanism is enabled.",
        "",
        "512K bytes of flash-simulated non-volatile configuration memory.",
        f"Model number                    : {chassis.model}",
        f"System serial number            : {chassis.serial}",
        "",
        "Switch Ports Model              SW Version            SW Image                 ",
        "------ ----- -----              ----------            ----------               ",
        f"*    1 {count:<5} {chassis.model:<18} {chassis.version:<21} {image:<25}",
        "",
        "",
        "Configuration register is 0xF",
        "",
    ]
