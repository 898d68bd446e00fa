"""The ``show`` commands of EOS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Session
from haas_rpcd.sim.eos.state import CHANNEL, MODEL, NAMING, VERSION, Config, Port
from haas_rpcd.sim.ioslike.ports import channel_line
from haas_rpcd.sim.ioslike.show import default_vlan_name, rows_of_ports

Switch = CliSwitch[Config]


def _running(switch: Switch, session: Session, args: Args) -> Lines:
    if "ports" in args:
        # EOS shows nothing of an interface that does not exist
        names = [name for name in args.ports("ports") if name in switch.running.ports]
        return [line for name in names for line in _stanza(name, switch.running.ports)]
    return [
        "! Command: show running-config",
        *_config_lines(switch, switch.running),
    ]


def _startup(switch: Switch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["% Error opening startup-config (No such file or directory)"]
    return ["! Command: show startup-config", *_config_lines(switch, switch.startup)]


def _config_lines(switch: Switch, config: Config) -> Iterator[str]:
    yield f"! device: {config.hostname} ({MODEL}, EOS-{VERSION})"
    yield from ["!", "transceiver qsfp default-mode 4x10G", "!"]
    yield from [f"hostname {config.hostname}", "!", "spanning-tree mode mstp", "!"]
    yield from ["no aaa root", "!"]
    if switch.access.username is not None:
        level = "privilege 15 " if switch.access.privileged else ""
        yield from [f"username {switch.access.username} {level}secret sha512 <removed>", "!"]
    yield from _vlan_stanzas(config.vlans)
    for name in sorted(config.ports, key=lambda name: not name.startswith(CHANNEL)):
        yield from [*_stanza(name, config.ports), "!"]
    yield from ["no ip routing", "!", "end"]


def _vlan_stanzas(vlans: Mapping[int, str]) -> Iterator[str]:
    """VLANs. Those that have their default names share a stanza."""
    unnamed = [v for v, name in vlans.items() if v != 1 and name == default_vlan_name(v)]
    if unnamed:
        yield from [f"vlan {cli.format_list(unnamed, pairs=False)}", "!"]
    for vlan, name in sorted(vlans.items()):
        if vlan not in (1, *unnamed):
            yield from [f"vlan {vlan}", f"   name {name}", "!"]


def _stanza(name: str, ports: Mapping[str, Port]) -> Iterator[str]:
    """One interface, without settings that have their default."""
    port = ports[name]
    yield f"interface {name}"
    if port.description:
        yield f"   description {port.description}"
    if port.shutdown:
        yield "   shutdown"
    if port.access_vlan != 1:
        yield f"   switchport access vlan {port.access_vlan}"
    if port.native_vlan != 1:
        yield f"   switchport trunk native vlan {port.native_vlan}"
    if port.allowed != cli.ALL_VLANS:
        yield f"   switchport trunk allowed vlan {cli.format_list(port.allowed, pairs=False)}"
    if port.voice_vlan is not None:
        yield f"   switchport phone vlan {port.voice_vlan}"
    if port.mode != "access":
        yield f"   switchport mode {port.mode}"
    if not port.switched:
        yield "   no switchport"
    yield from (f"   {line}" for line in channel_line(port))


def _show_vlan(switch: Switch, session: Session, args: Args) -> Lines:
    wanted = args.vlans("vlans") if "vlans" in args else frozenset(switch.running.vlans)
    lines = [
        "VLAN  Name                             Status    Ports",
        "----- -------------------------------- --------- -------------------------------",
    ]
    for vlan in sorted(wanted & switch.running.vlans.keys()):
        members = [NAMING.short(name) for name in switch.port_list if _is_in(switch, name, vlan)]
        rows = rows_of_ports(members, 27)
        lines.append(f"{vlan:<5} {switch.running.vlans[vlan]:<32} {'active':<9} {rows[0]}".rstrip())
        lines += [f"{'':49}{row}" for row in rows[1:]]
    missing = sorted(wanted - switch.running.vlans.keys())
    return [*([] if missing and len(wanted) == len(missing) else [*lines, ""])] + [
        f"VLAN {vlan} not found in current VLAN database" for vlan in missing
    ]


def _is_in(switch: Switch, name: str, vlan: int) -> bool:
    carried = switch.carried(name)
    return name not in switch.unplugged and (vlan == carried.untagged or vlan in carried.tagged)


def _switchport(switch: Switch, session: Session, args: Args) -> Lines:
    names: Sequence[str] = args.ports("ports") if "ports" in args else switch.port_list
    return [line for name in names for line in _switchport_lines(switch, name)]


def _switchport_lines(switch: Switch, name: str) -> list[str]:
    port = switch.running.ports[name]
    vlans = switch.running.vlans
    if not port.switched:
        return [f"Name: {NAMING.short(name)}", "Switchport: Disabled", ""]
    mode = "trunk" if port.mode == "trunk" else "static access"
    down = port.shutdown or name in switch.unplugged
    enabled = cli.format_list(port.allowed, "NONE", pairs=False)
    return [
        f"Name: {NAMING.short(name)}",
        "Switchport: Enabled",
        f"Administrative Mode: {mode}",
        f"Operational Mode: {'down' if down else mode}",
        "MAC Address Learning: enabled",
        "Dot1q ethertype/TPID: 0x8100 (active)",
        f"Access Mode VLAN: {port.access_vlan} ({vlans.get(port.access_vlan or 0, 'Inactive')})",
        f"Trunking Native Mode VLAN: {port.native_vlan} "
        f"({vlans.get(port.native_vlan or 0, 'Inactive')})",
        "Administrative Native VLAN tagging: disabled",
        f"Trunking VLANs Enabled: {'ALL' if port.allowed == cli.ALL_VLANS else enabled}",
        "Static Trunk Groups:",
        "Dynamic Trunk Groups:",
        "",
    ]


def _status(switch: Switch, session: Session, args: Args) -> Lines:
    names: Sequence[str] = args.ports("ports") if "ports" in args else switch.port_list
    lines = [
        "Port       Name   Status       Vlan     Duplex Speed  Type         Flags Encapsulation"
    ]
    for name in names:
        port = switch.running.ports[name]
        link = "notconnect" if name in switch.unplugged else "connected"
        vlan = "routed" if not port.switched else str(port.access_vlan)
        vlan = "trunk" if port.switched and port.mode == "trunk" else vlan
        lines.append(
            f"{NAMING.short(name):<10} {port.description[:6]:<6} "
            f"{'disabled' if port.shutdown else link:<12} {vlan:<8} full   10G    10GBASE-T"
        )
    return lines


def _version(switch: Switch, session: Session, args: Args) -> Lines:
    return [
        f"Arista {MODEL}",
        "Hardware version:    01.11",
        f"Serial number:       JPE{switch.serial}",
        f"System MAC address:  001c.73{switch.serial[:2].lower()}.{switch.serial[2:6].lower()}",
        "",
        f"Software image version: {VERSION}",
        "Architecture:           i686",
        f"Internal build version: {VERSION}-14582549.4224M",
        "",
        f"Uptime:                 {_uptime(switch.seconds_up())}",
        "Total memory:           3818208 kB",
        "Free memory:            2337532 kB",
        "",
    ]


def _show_uptime(switch: Switch, session: Session, args: Args) -> Lines:
    minutes = int(switch.seconds_up()) // 60
    users = len(switch.sessions)
    return [f" 12:00:00 up {minutes} min,  {users} users,  load average: 0.05, 0.10, 0.12"]


def _uptime(seconds: float) -> str:
    """``1 day, 2 hours and 3 minutes``."""
    minutes = int(seconds) // 60
    parts: list[str] = []
    for unit, size in (("week", 10080), ("day", 1440), ("hour", 60)):
        count, minutes = divmod(minutes, size)
        if count or parts or unit == "hour":
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return f"{', '.join(parts)} and {minutes} minute{'' if minutes == 1 else 's'}"


ANY_LEVEL: Commands = [
    ("show interfaces [<ports>] switchport", _switchport),
    ("show interfaces [<ports>] status", _status),
    ("show uptime", _show_uptime),
    ("show version", _version),
    ("show vlan [brief]", _show_vlan),
    ("show vlan [id] <vlans>", _show_vlan),
]
PRIVILEGED_ONLY: Commands = [
    ("show running-config", _running),
    ("show running-config interfaces <ports>", _running),
    ("show startup-config", _startup),
]
