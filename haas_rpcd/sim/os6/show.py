"""The ``show`` commands of OS6."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Session
from haas_rpcd.sim.ioslike.ports import channel_line
from haas_rpcd.sim.ioslike.show import days_and_clock, default_vlan_name
from haas_rpcd.sim.os6.state import EVERY, MODEL, NAMING, VERSION, Config, Port

Switch = CliSwitch[Config]


def _running(switch: Switch, session: Session, args: Args) -> Lines:
    if "port" not in args:
        return _config_lines(switch, switch.running)
    return [*_settings(switch.running.ports[args.text("port")]), ""]


def _startup(switch: Switch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["File does not exist."]
    return _config_lines(switch, switch.startup)


def _config_lines(switch: Switch, config: Config) -> Iterator[str]:
    yield "!Current Configuration:"
    yield f'!System Description "Dell Networking {MODEL}, {VERSION}, Linux 3.6.5"'
    yield from [f"!System Software Version {VERSION}", '!System Operational Mode "Normal"', "!"]
    yield "configure"
    made = [vlan for vlan in config.vlans if vlan != 1]
    if made:
        yield from [f"vlan {cli.format_list(made, pairs=False)}", "exit"]
    for vlan, name in sorted(config.vlans.items()):
        if vlan != 1 and name != default_vlan_name(vlan):
            yield from [f"vlan {vlan}", f'name "{name}"', "exit"]
    yield f'hostname "{config.hostname}"'
    yield from ["slot 1/0 2    ! Dell Networking N2048", "stack", "member 1 3    ! N2048", "exit"]
    yield from ["interface vlan 1", "ip address dhcp", "exit"]
    if switch.access.username is not None:
        yield f'username "{switch.access.username}" password <removed> privilege 15 encrypted'
    for name in switch.port_list:
        lines = list(_settings(config.ports[name]))
        if lines:
            yield from ["!", f"interface {NAMING.short(name)}", *lines, "exit"]
    yield "exit"


def _settings(port: Port) -> Iterator[str]:
    """Return the settings of a port that differ from their defaults."""
    if port.shutdown:
        yield "shutdown"
    if port.description:
        yield f'description "{port.description}"'
    if port.mode != "access":
        yield f"switchport mode {port.mode}"
    if port.access_vlan != 1:
        yield f"switchport access vlan {port.access_vlan}"
    yield from channel_line(port)
    if port.voice_vlan is not None:
        yield f"voice vlan {port.voice_vlan}"
    if port.pvid != 1:
        yield f"switchport general pvid {port.pvid}"
    for vlans, how in ((port.untagged - {1}, ""), (port.general - port.untagged, " tagged")):
        if vlans:
            yield f"switchport general allowed vlan add {cli.format_list(vlans)}{how}"
    if 1 not in port.general:
        yield "switchport general allowed vlan remove 1"
    if port.native_vlan != 1:
        yield f"switchport trunk native vlan {port.native_vlan}"
    if port.allowed != EVERY:
        yield f"switchport trunk allowed vlan {cli.format_list(port.allowed)}"


def _show_vlan(switch: Switch, session: Session, args: Args) -> Lines:
    vlans = switch.running.vlans
    wanted = [args.number("vlan")] if "vlan" in args else sorted(vlans)
    if not vlans.keys() >= set(wanted):
        raise cli.RejectedError("", "ERROR: This VLAN does not exist.", "")
    lines = [
        "VLAN   Name                             Ports          Type",
        "-----  ---------------                  -------------  --------------",
    ]
    for vlan in wanted:
        ports = switch.running.ports
        on = (n for n in switch.port_list if switch.is_on(n, vlan, ports[n].is_on(vlan)))
        members = [NAMING.short(name) for name in on]
        rows = cli.wrap_list(",".join(members), 13)
        kind = "Default" if vlan == 1 else "Static"
        lines.append(f"{vlan:<6} {vlans[vlan]:<32} {rows[0]:<14} {kind}")
        lines += [f"{'':40}{row}" for row in rows[1:]]
    return [*lines, ""]


def _switchport(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    names: Sequence[str] = [args.text("port")] if "port" in args else switch.port_list
    for name in names:
        port = switch.running.ports[name]
        tagged = port.general - port.untagged
        listed = "All" if port.allowed == EVERY else cli.format_list(port.allowed, "None")
        yield from [f"Port: {NAMING.short(name)}"]
        yield f"VLAN Membership Mode: {port.mode.capitalize()} Mode"
        yield f"Access Mode VLAN: {_named(switch, port.access_vlan or 1)}"
        yield f"General Mode PVID: {_named(switch, port.pvid)}"
        yield "General Mode Ingress Filtering: Enabled"
        yield "General Mode Acceptable Frame Type: Admit All"
        yield "General Mode Dynamically Added VLANs:"
        yield f"General Mode Untagged VLANs: {cli.format_list(port.untagged, '')}"
        yield f"General Mode Tagged VLANs: {cli.format_list(tagged, '')}"
        yield "General Mode Forbidden VLANs:"
        yield f"Trunking Mode Native VLAN: {_named(switch, port.native_vlan or 1)}"
        yield "Trunking Mode Native VLAN Tagging: Disabled"
        yield f"Trunking Mode VLANs Enabled: {listed}"
        yield ""


def _named(switch: Switch, vlan: int) -> str:
    return f"{vlan} ({switch.running.vlans.get(vlan, 'Inactive')})"


def _status(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield "Port       Description                Duplex  Speed    Neg   Link   Flow Control"
    yield f"{'':61}State  Status"
    yield "---------  -------------------------  ------  -------  ----  ------ ------------"
    for name in switch.port_list:
        port = switch.running.ports[name]
        down = port.shutdown or name in switch.unplugged
        rest = "N/A     Unknown  Auto  Down   Inactive" if down else ""
        yield f"{NAMING.short(name):<10} {port.description[:25]:<26} " + (
            rest or "Full    1000     Auto  Up     Active"
        )
    yield from ["", "Flow Control:Enabled", ""]


def _version(switch: Switch, session: Session, args: Args) -> Lines:
    return [
        "Machine Description............................ Dell Networking Switch",
        f"System Model ID................................ {MODEL}",
        f"Machine Type................................... Dell Networking {MODEL}",
        f"Serial Number.................................. CN0D4T5D28298{switch.serial}A00",
        "Manufacturer................................... 0xbc00",
        "Burned In MAC Address.......................... F8B1.5655.3D1C",
        "",
        "unit active      backup      current-active next-active",
        "---- ----------- ----------- -------------- --------------",
        f"1    {VERSION}    6.3.2.4     {VERSION}       {VERSION}",
        "",
    ]


def _system(switch: Switch, session: Session, args: Args) -> Lines:
    days, hours, minutes, seconds = days_and_clock(switch.seconds_up())
    up = f"{days} days, {hours:02}h:{minutes:02}m:{seconds:02}s"
    return [
        f"System Description............................. {MODEL}, {VERSION}, Linux 3.6.5",
        f"System Up Time................................. {up}",
        "System Contact.................................",
        f"System Name.................................... {switch.running.hostname}",
        "System Object ID............................... 1.3.6.1.4.1.674.10895.3063",
        f"System Model ID................................ {MODEL}",
        "",
    ]


ANY_LEVEL: Commands = [
    ("show interfaces status", _status),
    ("show interfaces switchport [<port>]", _switchport),
    ("show system", _system),
    ("show version", _version),
    ("show vlan [id <vlan>]", _show_vlan),
]
PRIVILEGED_ONLY: Commands = [
    ("show running-config [interface <port>]", _running),
    ("show startup-config", _startup),
]
