"""The ``show`` commands of NX-OS."""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Session
from haas_rpcd.sim.ioslike.channels import there
from haas_rpcd.sim.ioslike.ports import channel_line
from haas_rpcd.sim.ioslike.show import days_and_clock, default_vlan_name, rows_of_ports
from haas_rpcd.sim.nxos.state import CHANNEL, MODEL, NAMING, VERSION, Config, Port

Switch = CliSwitch[Config]

MANAGEMENT = ("", "interface mgmt0", "  no shutdown", "  vrf member management")


def _head(command: str) -> list[str]:
    return [
        "",
        f"!Command: {command}",
        "!Running configuration last done at: Tue Jun  9 11:58:40 2026",
        "!Time: Tue Jun  9 12:00:02 2026",
        "",
        f"version {VERSION} Bios:version 07.69 ",
    ]


def _running(switch: Switch, session: Session, args: Args) -> Lines:
    everything = "all" in args
    if "ports" in args or "interfaces" in args:
        names = args.ports("ports") if "ports" in args else list(switch.running.ports)
        there(switch, names, " " * 40 + "^", "Invalid range at '^' marker.")
        what = f" {','.join(names)}" if "ports" in args else ""
        lines = _head(f"show running-config interface{what}{' all' if everything else ''}")
        for name in names:
            lines += ["", *_stanza(name, switch.running, everything=everything)]
        return [*lines, *([] if "ports" in args else MANAGEMENT), ""]
    return [*_head("show running-config"), *_config_lines(switch, switch.running)]


def _startup(switch: Switch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["No startup configuration"]
    return [*_head("show startup-config"), *_config_lines(switch, switch.startup)]


def _config_lines(switch: Switch, config: Config) -> Iterator[str]:
    yield f"hostname {config.hostname}"
    yield from ["vdc " + config.hostname + " id 1", "  limit-resource vlan minimum 16 maximum 4094"]
    yield ""
    if switch.access.username is not None:
        yield f"username {switch.access.username} password 5 <removed>  role network-admin"
    if config.switched:
        yield "system default switchport"
    yield f"vlan {cli.format_list(config.vlans, pairs=False)}"
    for vlan, name in sorted(config.vlans.items()):
        if vlan != 1 and name != default_vlan_name(vlan):
            yield from [f"vlan {vlan}", f"  name {name}"]
    for name in sorted(config.ports, key=lambda name: not name.startswith(CHANNEL)):
        yield from ["", *_stanza(name, config)]
    yield from [*MANAGEMENT, "line console", "line vty", ""]


def _stanza(name: str, config: Config, *, everything: bool = False) -> Iterator[str]:
    """One interface: the settings that differ from their defaults, or all settings."""
    port = config.ports[name]
    fresh = Port(switched=port.switched, shutdown=not port.switched)
    yield f"interface {name}"
    if port.description or everything:
        yield f"  description {port.description}" if port.description else "  no description"
    if everything or port.switched != config.switched:
        yield f"  {'' if port.switched else 'no '}switchport"
    if port.switched:
        if everything or port.mode != "access":
            yield f"  switchport mode {port.mode}"
        if everything:
            yield from ["  no switchport monitor", "  no switchport dot1q ethertype"]
        if everything or port.access_vlan != 1:
            yield f"  switchport access vlan {port.access_vlan}"
        if port.voice_vlan is not None:
            yield f"  switchport voice vlan {port.voice_vlan}"
        if everything or port.native_vlan != 1:
            yield f"  switchport trunk native vlan {port.native_vlan}"
        if everything or port.allowed != fresh.allowed:
            first, *more = cli.wrap_list(cli.format_list(port.allowed, pairs=False), 60)
            yield f"  switchport trunk allowed vlan {first}"
            yield from (f"  switchport trunk allowed vlan add {row}" for row in more)
    yield from (f"  {line}" for line in channel_line(port))
    if everything or port.shutdown != fresh.shutdown:
        yield f"  {'' if port.shutdown else 'no '}shutdown"


def _show_vlan(switch: Switch, session: Session, args: Args) -> Lines:
    lines = [
        "",
        "VLAN Name                             Status    Ports",
        "---- -------------------------------- --------- -------------------------------",
    ]
    for vlan, name in sorted(switch.running.vlans.items()):
        members = [
            NAMING.short(port)
            for port in switch.port_list
            if vlan in (carried := switch.carried(port)).tagged or vlan == carried.untagged
        ]
        rows = rows_of_ports(members, 27)
        lines.append(f"{vlan:<4} {name:<32} {'active':<9} {rows[0]}".rstrip())
        lines += [f"{'':48}{row}" for row in rows[1:]]
    return [*lines, ""]


def _status(switch: Switch, session: Session, args: Args) -> Lines:
    line = "-" * 80
    lines = [
        line,
        "Port          Name               Status    Vlan      Duplex  Speed   Type",
        line,
    ]
    for name in switch.port_list:
        port = switch.running.ports[name]
        link = "notconnec" if name in switch.unplugged else "connected"
        vlan = "trunk" if port.mode == "trunk" else str(port.access_vlan)
        lines.append(
            f"{NAMING.short(name):<13} {port.description[:18] or '--':<18} "
            f"{'disabled' if port.shutdown else link:<9} "
            f"{vlan if port.switched else 'routed':<9} full    10G     10Gbase-SR"
        )
    return lines


def _users(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield "NAME     LINE         TIME         IDLE          PID COMMENT"
    for other in switch.sessions:
        if isinstance(other, Session):
            mark = "*" if other is session else ""
            pid, place = 8000 + other.number, f"({other.peer}) {mark}"
            yield f"{other.user:<8} pts/{other.line:<8} Jun  9 12:00   .         {pid:>5} {place}"


def _version(switch: Switch, session: Session, args: Args) -> Lines:
    days, hours, minutes, seconds = days_and_clock(switch.seconds_up())
    return [
        "Cisco Nexus Operating System (NX-OS) Software",
        "TAC support: http://www.cisco.com/tac",
        "Copyright (c) 2002-2021, Cisco Systems, Inc. All rights reserved.",
        "",
        "Software",
        "  BIOS: version 07.69",
        f"  NXOS: version {VERSION}",
        "  BIOS compile time:  04/08/2021",
        "",
        "Hardware",
        f"  cisco {MODEL} chassis ",
        "  Intel(R) Xeon(R) CPU  @ 1.80GHz with 24571632 kB of memory.",
        f"  Processor Board ID FDO{switch.serial}",
        "",
        f"  Device name: {switch.running.hostname}",
        f"Kernel uptime is {days} day(s), {hours} hour(s), {minutes} minute(s), "
        f"{seconds} second(s)",
        "",
        "Last reset at 12345 usecs after Tue Jun  9 11:50:00 2026",
        "  Reason: Reset Requested by CLI command reload",
        "",
    ]


COMMANDS: Commands = [
    ("show interface status", _status),
    ("show running-config", _running),
    ("show running-config interfaces:interface [<ports>] [all:all]", _running),
    ("show startup-config", _startup),
    ("show users", _users),
    ("show version", _version),
    ("show vlan [brief]", _show_vlan),
]
