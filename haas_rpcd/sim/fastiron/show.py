"""The ``show`` commands of FastIron."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Session
from haas_rpcd.sim.fastiron.state import DEFAULT_VLAN, MODEL, Config, listed

Switch = CliSwitch[Config]


def _running(switch: Switch, session: Session, args: Args) -> Lines:
    return ["Current configuration:", "!", *_config_lines(switch, switch.running)]


def _running_vlans(switch: Switch, session: Session, args: Args) -> Lines:
    return [*_vlan_lines(switch, switch.running), ""]


def _config_lines(switch: Switch, config: Config) -> Iterator[str]:
    yield from [f"ver {switch.running.release}", "!", "stack unit 1"]
    yield from ["  module 1 icx7150-24-port-management-module", "!", "!"]
    for number, name in sorted({port.channel for port in config.ports.values() if port.channel}):
        members = [at for at in switch.port_list if config.ports[at].channel == (number, name)]
        yield from [f"lag {name} dynamic id {number}", f" ports {listed(members)} ", "!"]
    yield from _vlan_lines(switch, config)
    yield from ["!", "!", f"hostname {config.hostname}", "!"]
    if switch.access.username is not None:
        yield f"username {switch.access.username} password ....."
    for name in switch.port_list:
        port = config.ports[name]
        lines = [f" port-name {port.name}"] if port.name else []
        if port.dual is not None:
            lines.append(f" dual-mode  {port.dual}" if port.dual != DEFAULT_VLAN else " dual-mode")
        lines += [" route-only"] if port.routes else []
        lines += [f" voice-vlan {port.voice}"] if port.voice is not None else []
        lines += [" disable"] if port.disabled else []
        if lines:
            yield from [f"interface {name}", *lines, "!"]
    yield from ["!", "end"]


def _vlan_lines(switch: Switch, config: Config) -> Iterator[str]:
    for number, vlan in sorted(config.vlans.items()):
        yield f"vlan {number}" + (f" name {vlan.name}" if vlan.name else "") + " by port"
        for how, ports in (
            ("no untagged", vlan.taken_off),
            ("tagged", vlan.tagged),
            ("untagged", vlan.untagged),
        ):
            members = [name for name in switch.port_list if name in ports]
            if members:
                yield f" {how} {listed(members)} "
        yield "!"


def _brief(switch: Switch, session: Session, args: Args) -> Lines:
    lines = ["", "Port       Link    State   Dupl Speed Trunk Tag Pvid Pri MAC             Name"]
    for at, name in enumerate(switch.port_list):
        port = switch.running.ports[name]
        up = name not in switch.unplugged and not port.disabled
        link = "Disable" if port.disabled else ("Up" if up else "Down")
        state = "Forward Full 1G  " if up else "None    None None"
        tag = "Yes" if switch.running.tagged_on(name) else "No"
        pvid = switch.running.untagged_on(name) or "N/A"
        lines.append(
            f"{name.partition(' ')[2]:<10} {link:<7} {state}  None  {tag:<3} {pvid:<4} 0   "
            f"d4c1.9e8f.{at:04x}  {port.name}".rstrip()
        )
    return [*lines, "mgmt1      Down    None    None None  None  No  None 0   d4c1.9e8f.1108"]


def _show_vlan(switch: Switch, session: Session, args: Args) -> Lines:
    lines = [
        f"Total PORT-VLAN entries: {len(switch.running.vlans)}",
        "Maximum PORT-VLAN entries: 1024",
        "",
        "Legend: [Stk=Stack-Id, S=Slot]",
        "",
    ]
    config = switch.running
    for number, vlan in sorted(config.vlans.items()):
        lines.append(f"PORT-VLAN {number}, Name {vlan.name or '[None]'}, Priority level0, Off")
        untagged = [
            name
            for name in switch.port_list
            if switch.is_on(name, number, config.untagged_on(name) == number)
        ]
        lines += _members(" Untagged", untagged)
        lines += _members("   Tagged", [name for name in switch.port_list if name in vlan.tagged])
        lines += [" Mac-Vlan Ports: None", "     Monitoring: Disabled"]
    return lines


def _members(title: str, ports: Iterable[str]) -> list[str]:
    """Write rows of up to twelve ports of a module: ``Untagged Ports: (U1/M1)   4   5``."""
    modules: dict[str, list[str]] = {}
    for name in ports:
        unit, module, number = name.rpartition(" ")[2].split("/")
        modules.setdefault(f"(U{unit}/M{module})", []).append(f"{number:>4}")
    rows = [
        f"{title} Ports: {module}{''.join(numbers[at : at + 12])}"
        for module, numbers in modules.items()
        for at in range(0, len(numbers), 12)
    ]
    return rows or [f"{title} Ports: None"]


def _version(switch: Switch, session: Session, args: Args) -> Lines:
    minutes, seconds = divmod(int(switch.seconds_up()), 60)
    return [
        "  Copyright (c) Ruckus Networks, Inc. All rights reserved.",
        "    UNIT 1: compiled on Feb 19 2019 at 13:48:49 labeled as SPS08095",
        "      (28575972 bytes) from Primary SPS08095.bin (UFI)",
        f"        SW: Version {switch.running.release}T211",
        "",
        f"  HW: Stackable {MODEL}",
        "=" * 74,
        f"UNIT 1: SL 1: {MODEL} {len(switch.port_list)}-port Management Module",
        f"      Serial  #:FEE{switch.serial}",
        f"STACKID 1  system uptime is {minutes} minute(s) {seconds} second(s)",
        "The system : started=cold start",
        "My stack unit ID = 1, bootup role = active",
    ]


ANY_LEVEL: Commands = [
    ("show version", _version),
    ("show vlan", _show_vlan),
    ("show interfaces brief", _brief),
]
PRIVILEGED_ONLY: Commands = [
    ("show running-config", _running),
    ("show running-config vlan", _running_vlans),
]
