"""The ``show`` commands of OS9."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, Commands, Lines, Session
from haas_rpcd.sim.os9 import modes
from haas_rpcd.sim.os9.state import (
    CHANNEL,
    DEFAULT_VLAN,
    MODEL,
    NAMING,
    VERSION,
    Config,
    Os9,
    Port,
    Vlan,
)


def _running(switch: Os9, session: Session, args: Args) -> Lines:
    if "port" in args:
        name = args.text("port")
        there(switch, [name])
        return ["!", *_stanza(name, switch.running)]
    return ["Current Configuration ...", *config_lines(switch, switch.running)]


def config_lines(switch: Os9, config: Config) -> Iterator[str]:
    """Return the lines of a configuration."""
    yield from [f"! Version {VERSION}", "!", f"hostname {config.hostname}", "!"]
    if switch.access.username is not None:
        yield from [f"username {switch.access.username} password 7 387a7f2df5969da4", "!"]
    for name in switch.port_list:
        yield from [*_stanza(name, config), "!"]
    for name in config.channels():
        yield from [*_stanza(name, config), "!"]
    yield from ["interface ManagementEthernet 0/0", " no ip address", " shutdown", "!"]
    for number, vlan in sorted(config.vlans.items()):
        yield from [f"interface Vlan {number}", *_vlan_lines(switch, number, vlan), "!"]
    yield "end"


def there(switch: Os9, names: Iterable[str]) -> None:
    """Raise `RejectedError` if one of some ports is a channel that nobody has made."""
    if any(name not in switch.running.ports for name in names):
        raise cli.RejectedError("% Error: No such interface.")


def _stanza(name: str, config: Config) -> Iterator[str]:
    port: Port = config.ports[name]
    yield f"interface {name}"
    if port.description:
        yield f" description {port.description}"
    yield f" ip address {port.address}" if port.address else " no ip address"
    if port.hybrid:
        yield " portmode hybrid"
    if port.switched:
        yield " switchport"
    if name.startswith(CHANNEL):
        static = [one for one in config.members(name) if _is_static(config.ports[one])]
        yield from (f" channel-member {part}" for part in listed(static))
    if port.channel is not None and not _is_static(port):
        number, mode = port.channel
        yield from ["!", " port-channel-protocol LACP", f"  port-channel {number} mode {mode}"]
    yield " shutdown" if port.shutdown else " no shutdown"


def _is_static(port: Port) -> bool:
    return port.channel is not None and port.channel[1] == "on"


def _vlan_lines(switch: Os9, number: int, vlan: Vlan) -> Iterator[str]:
    if vlan.description:
        yield f" description {vlan.description}"
    if vlan.name:
        yield f" name {vlan.name}"
    if number == DEFAULT_VLAN:
        home = [n for n in _apart(switch) if switch.running.carried(n).untagged == number]
        yield from (f"!untagged {part}" for part in listed(home))
        return
    yield " no ip address"
    yield from (f" tagged {part}" for part in listed(vlan.tagged))
    yield from (f" untagged {part}" for part in listed(vlan.untagged))
    yield " shutdown"


def listed(ports: Iterable[str], short: bool = False) -> Iterator[str]:
    """Write a list of ports for each slot: ``TenGigabitEthernet 0/1-4,9``, ``Port-channel 1-5``."""
    slots: dict[tuple[str, str], list[int]] = {}
    for port in ports:
        kind, _, number = port.partition(" ")
        slot, slash, number = number.rpartition("/")
        slots.setdefault((kind, slot + slash), []).append(int(number))
    for (kind, slot), numbers in sorted(slots.items()):
        shown = NAMING.kinds[f"{kind} "].strip() if short else kind
        yield f"{shown} {slot}{cli.format_list(numbers, pairs=False)}"


def _apart(switch: Os9) -> list[str]:
    """Return the ports that are in no channel, and the channels."""
    ports = switch.running.ports
    return [*(n for n in switch.port_list if ports[n].channel is None), *switch.running.channels()]


def _in_table(switch: Os9, names: Iterable[str]) -> Iterator[str]:
    """Write ports as ``show vlan`` does: a channel with its members, ``Po25(Te 0/1-2)``."""
    channels = [name for name in names if name.startswith(CHANNEL)]
    yield from listed((name for name in names if name not in channels), short=True)
    for name in channels:
        inside = ",".join(listed(switch.running.members(name), short=True))
        yield f"{NAMING.short(name).replace(' ', '')}({inside})"


def _show_vlan(switch: Os9, session: Session, args: Args) -> Lines:
    lines = [
        "",
        "Codes: * - Default VLAN, G - GVRP VLANs, R - Remote Port Mirroring VLANs, P - Primary, "
        "C - Community, I - Isolated",
        "       O - Openflow",
        "Q: U - Untagged, T - Tagged",
        "   x - Dot1x untagged, X - Dot1x tagged",
        "",
        "    NUM    Status    Description                     Q Ports",
    ]
    for number in sorted(switch.running.vlans):
        if "vlan" in args and number != args.number("vlan"):
            continue
        carried = {name: switch.carried(name) for name in _apart(switch)}
        tagged = [name for name, now in carried.items() if number in now.tagged]
        untagged = [name for name, now in carried.items() if now.untagged == number]
        rows = [f"T {part}" for part in _in_table(switch, tagged)]
        rows += [f"U {part}" for part in _in_table(switch, untagged)]
        star = "*" if number == DEFAULT_VLAN else " "
        status = "Active" if rows else "Inactive"
        text = switch.running.vlans[number].description
        lines.append(
            f"{star}   {number:<6} {status:<9} {text:<31} {rows[0] if rows else ''}".rstrip()
        )
        lines += [f"{'':53}{row}" for row in rows[1:]]
    return lines


def _status(switch: Os9, session: Session, args: Args) -> Lines:
    lines = ["Port                 Description  Status Speed        Duplex Vlan"]
    for name in switch.port_list:
        port, now = switch.running.ports[name], switch.carried(name)
        up = not port.shutdown and name not in switch.unplugged
        carried = sorted(now.tagged | ({now.untagged} if now.untagged else set()))
        lines.append(
            f"{NAMING.short(name):<20} {port.description[:12]:<12} {'Up' if up else 'Down':<6} "
            f"{'10000 Mbit' if up else 'Auto':<12} {'Full' if up else 'Auto':<6} "
            f"{cli.format_list(carried, '--', pairs=False)}"
        )
    return lines


def _version(switch: Os9, session: Session, args: Args) -> Lines:
    return [
        "Dell Real Time Operating System Software",
        "Dell Operating System Version:  2.0",
        f"Dell Application Software Version:  {VERSION}",
        "Copyright (c) 1999-2018 by Dell Inc. All Rights Reserved.",
        f"Dell Networking OS uptime is {_uptime(switch.seconds_up())}",
        "",
        'System image file is "system://A"',
        "",
        f"System Type: {MODEL}",
        "Control Processor: Freescale QorIQ P2020 with 2 Gbytes (2147483648 bytes) of memory,"
        " core(s) 1.",
        "",
        f" {len(switch.port_list)} Ten GigabitEthernet/IEEE 802.3 interface(s)",
    ]


def _uptime(seconds: float) -> str:
    """``1 week(s), 2 day(s), 9 hour(s), 5 minute(s)``."""
    minutes = int(seconds) // 60
    parts: list[str] = []
    for unit, size in (("week", 10080), ("day", 1440), ("hour", 60)):
        count, minutes = divmod(minutes, size)
        if count or parts:
            parts.append(f"{count} {unit}(s)")
    return ", ".join([*parts, f"{minutes} minute(s)"])


def _show_config(switch: Os9, session: Session, args: Args) -> Lines:
    if session.mode is modes.VLAN:
        number = session.editing
        vlan = switch.running.vlans.get(number, Vlan())
        return ["!", f"interface Vlan {number}", *_vlan_lines(switch, number, vlan)]
    return [line for name in session.selection for line in _stanza(name, switch.running)]


def _users(switch: Os9, session: Session, args: Args) -> Iterator[str]:
    yield "Authorization Mode: role or privilege"
    yield "     Line        User      Role        Privilege  Host(s)      Location"
    for other in switch.sessions:
        if isinstance(other, Session):
            mark = "*" if other is session else " "
            line = f"{mark}{other.line + 2:>3} vty {other.line:<6}"
            yield f"  {line} {other.user:<9} sysadmin    15         idle         {other.peer}"


ANY_LEVEL: Commands = [
    ("show users", _users),
    ("show version", _version),
    ("show vlan", _show_vlan),
    ("show vlan id <vlan>", _show_vlan),
    ("show interfaces status", _status),
]
PRIVILEGED_ONLY: Commands = [
    ("show running-config", _running),
    ("show running-config interface <port>", _running),
]
EDITED: Commands = [("show config", _show_config)]
"""Shows what is being configured."""
