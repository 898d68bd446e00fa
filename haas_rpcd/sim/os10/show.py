"""The ``show`` commands of OS10."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Session
from haas_rpcd.sim.ioslike.ports import channel_line
from haas_rpcd.sim.ioslike.show import days_and_clock
from haas_rpcd.sim.os10.state import CHANNEL, DEFAULT_VLAN, MODEL, NAMING, VERSION, Config

Switch = CliSwitch[Config]


def _running(switch: Switch, session: Session, args: Args) -> Lines:
    if "port" in args:
        if args.text("port") not in switch.running.ports:
            raise cli.RejectedError("% Error: Illegal parameter.")
        return ["!", *_stanza(args.text("port"), switch.running)]
    kind = args.word("kind") if "kind" in args else ""
    if kind:
        return [line for line in _interfaces(switch, switch.running, kind) if line]
    return _config_lines(switch, switch.running)


def _startup(switch: Switch, session: Session, args: Args) -> Lines:
    return [] if switch.startup is None else _config_lines(switch, switch.startup)


def _config_lines(switch: Switch, config: Config) -> Iterator[str]:
    yield from [f"! Version {VERSION}", "! Last configuration change at Jun  09 12:00:02 2026", "!"]
    yield from ["ip vrf default", "!", f"hostname {config.hostname}"]
    if switch.access.username is not None:
        yield f"username {switch.access.username} password **** role sysadmin"
    yield "aaa authentication login default local"
    yield from _interfaces(switch, config, "vlan")
    yield from ["!", "interface mgmt1/1/1", " no shutdown", " ip address dhcp"]
    yield from _interfaces(switch, config, CHANNEL)
    yield from _interfaces(switch, config, "ethernet")
    yield "!"


def _interfaces(switch: Switch, config: Config, kind: str) -> Iterator[str]:
    if kind == "vlan":
        for vlan, description in sorted(config.vlans.items()):
            yield from ["!", f"interface vlan{vlan}"]
            if description:
                yield f" description {description}"
            yield " no shutdown"
    for name in config.ports:
        if NAMING.split(name)[0] == kind:
            yield from ["!", *_stanza(name, config)]


def _stanza(name: str, config: Config) -> Iterator[str]:
    """One interface. Its state and its access VLAN are always shown."""
    port = config.ports[name]
    yield f"interface {name}"
    if port.description:
        yield f" description {port.description}"
    yield " shutdown" if port.shutdown else " no shutdown"
    if not port.switched:
        yield " no switchport"
    else:
        if port.mode == "trunk":
            yield " switchport mode trunk"
        if port.access_vlan is not None:
            yield f" switchport access vlan {port.access_vlan}"
        if port.allowed:
            yield f" switchport trunk allowed vlan {cli.format_list(port.allowed, pairs=False)}"
    yield from (f" {line}" for line in channel_line(port))
    yield " flowcontrol receive on"


def _show_vlan(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield "Codes: * - Default VLAN, M - Management VLAN, R - Remote Port Mirroring VLANs,"
    yield "       @ - Attached to Virtual Network"
    yield "Q: A - Access (Untagged), T - Tagged"
    yield "    NUM    Status    Description                     Q Ports"
    carried = switch.running.ports
    for vlan, description in sorted(switch.running.vlans.items()):
        access = [
            name
            for name, port in carried.items()
            if switch.is_on(name, vlan, port.switched and port.access_vlan == vlan)
        ]
        tagged = [name for name, port in carried.items() if port.switched and vlan in port.allowed]
        live = any(not carried[name].shutdown for name in (*access, *tagged))
        rows = [
            f"{q} {row}" for q, names in (("T", tagged), ("A", access)) for row in _by_kind(names)
        ]
        yield (
            f"{'*' if vlan == DEFAULT_VLAN else ' '}   {vlan:<6} "
            f"{'Active' if live else 'Inactive':<9} {description[:31]:<31} "
            f"{rows[0] if rows else ''}"
        ).rstrip()
        yield from (f"{'':53}{row}" for row in rows[1:])


def _by_kind(names: Sequence[str]) -> Iterator[str]:
    """Write ports of each kind in a row of their own."""
    channels = [name for name in names if name.startswith(CHANNEL)]
    others = [name for name in names if name not in channels]
    yield from (listed(some) for some in (others, channels) if some)


def listed(names: Sequence[str]) -> str:
    """Write a list of ports of one kind: ``Eth1/1/1-1/1/3,1/1/7,1/1/25:1``, ``Po10,20``."""
    slots: dict[str, list[int]] = {}
    for name in names:
        number = NAMING.split(name)[1]
        end = max(number.rfind("/"), number.rfind(":")) + 1
        slot, last = number[:end], number[end:]
        slots.setdefault(slot, []).append(int(last))
    parts = [
        "-".join(f"{slot}{number}" for number in part.split("-"))
        for slot, numbers in slots.items()
        for part in cli.format_list(numbers, pairs=False).split(",")
    ]
    return NAMING.kinds[NAMING.split(names[0])[0]] + ",".join(parts)


def _status(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    line = "-" * 68
    yield from [line, "Port            Description     Status   Speed    Duplex   Mode Vlan", line]
    for name in switch.port_list:
        port = switch.running.ports[name]
        up = not port.shutdown and name not in switch.unplugged
        mode = ("T" if port.mode == "trunk" else "A") if port.switched else "-"
        yield (
            f"{NAMING.short(name).replace('Eth', 'Eth '):<15} {port.description[:15]:<15} "
            f"{'up' if up else 'down':<8} 10G      full     {mode:<4} {port.access_vlan or '-'}"
        )


def _version(switch: Switch, session: Session, args: Args) -> Lines:
    days, hours, minutes, seconds = days_and_clock(switch.seconds_up())
    day = f"{days} day{'' if days == 1 else 's'} " if days else ""
    return [
        "Dell EMC Networking OS10 Enterprise",
        "Copyright (c) 1999-2020 by Dell Inc. All Rights Reserved.",
        f"OS Version: {VERSION}",
        f"Build Version: {VERSION}.190",
        "Build Time: 2020-06-19T21:48:07+0000",
        f"System Type: {MODEL}",
        "Architecture: x86_64",
        f"Up Time: {day}{hours:02}:{minutes:02}:{seconds:02}",
    ]


COMMANDS: Commands = [
    ("show interface status", _status),
    ("show running-configuration", _running),
    ("show running-configuration interface kind:ethernet|port-channel|vlan", _running),
    ("show running-configuration interface <port>", _running),
    ("show startup-configuration", _startup),
    ("show version", _version),
    ("show vlan", _show_vlan),
]
