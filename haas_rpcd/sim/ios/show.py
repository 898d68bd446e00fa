"""The tables that ``show`` commands print, as pure functions.

Their layout is that of Catalyst 2960 and 3560 switches with IOS 15.0(2)SE.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from haas_rpcd.sim.ios.portname import short
from haas_rpcd.sim.ios.state import Chassis, Config, Port, carried_by
from haas_rpcd.sim.ios.vlanlist import ALL_VLANS, LEGACY_VLANS, format_list, wrap_list
from haas_rpcd.sim.ioslike.show import rows_of_ports

# --- VLANs


def vlan_table(config: Config, chassis: Chassis, vlans: Collection[int]) -> list[str]:
    """``show vlan brief``, which does not show active trunks."""
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
            if chassis.assigned.get(name, port.access_vlan) == vlan
            and port.channel is None  # its channel is listed
            and operational_mode(port, name, chassis) != "trunk"
        ]
        rows = rows_of_ports(members, 28)
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
    """Return the operational mode of a port: ``down``, ``trunk`` or ``static access``."""
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
    speeds = {
        "Fa": "a-100",
        "Gi": "a-1000",
        "Te": "a-10G",
        "Tw": "a-25G",
        "Fo": "a-40G",
        "Hu": "a-100G",
    }
    return speeds.get(short(name)[:2], "auto")


def _media(name: str) -> str:
    media = {"Fa": "10/100BaseTX", "Gi": "10/100/1000BaseTX", "Te": "SFP-10GBase-SR"}
    return media.get(short(name)[:2], "unknown")


def trunk_tables(config: Config, chassis: Chassis, names: Iterable[str]) -> list[str]:
    """``show interfaces trunk``: four tables of the active trunks, or nothing."""
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
    """Return the encapsulation as the table of trunks spells it."""
    return "isl" if port.encapsulation == "isl" else "802.1q"


def _passing(config: Config, port: Port) -> frozenset[int]:
    carried = carried_by(port, config.vlans)
    return carried.tagged | ({carried.untagged} if carried.untagged is not None else frozenset())


def switchport(config: Config, chassis: Chassis, name: str) -> list[str]:
    """``show interfaces X switchport`` of one port."""
    port = config.ports[name]
    if not port.switched:
        return [f"Name: {short(name)}", "Switchport: Disabled", ""]
    state = operational_mode(port, name, chassis)
    encapsulation = port.encapsulation if chassis.encapsulation else "dot1q"
    operational = {"static access": "native", "trunk": encapsulation}.get(state)
    negotiates = port.mode != "access" and not port.nonegotiate
    allowed = "ALL" if port.allowed == ALL_VLANS else format_list(port.allowed, empty="NONE")
    # IOS indents the continuation of a long list by five columns.
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
        f"Voice VLAN: {'none' if port.voice_vlan is None else _named(config, port.voice_vlan)}",
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


# --- the switch itself


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
