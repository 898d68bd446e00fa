"""The ``show`` commands of ROS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Session
from haas_rpcd.sim.ioslike.ports import channel_line
from haas_rpcd.sim.ioslike.show import days_and_clock
from haas_rpcd.sim.powerconnect.state import MODEL, NAMING, VERSION, Config, Port

Switch = CliSwitch[Config]


def _running(switch: Switch, session: Session, args: Args) -> Lines:
    if "ports" in args:
        ports = switch.running.ports
        return [line for name in args.ports("ports") for line in _section(name, ports[name])]
    return _config_lines(switch, switch.running)


def _startup(switch: Switch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["Empty configuration"]
    return _config_lines(switch, switch.startup)


def _config_lines(switch: Switch, config: Config) -> Iterator[str]:
    made = [vlan for vlan in config.vlans if vlan != 1]
    if made:
        yield from ["vlan database", f"vlan {cli.format_list(made, pairs=False)}", "exit"]
    if config.voice_vlan is not None:
        yield f"voice vlan id {config.voice_vlan}"
    yield f"hostname {config.hostname}"
    if switch.access.username is not None:
        yield f"username {switch.access.username} password encrypted <removed> privilege 15"
    for vlan, name in sorted(config.vlans.items()):
        if vlan != 1 and name:
            yield from [f"interface vlan {vlan}", f" name {name}", "!"]
    for name in switch.port_list:
        if config.ports[name] != Port():
            yield from [*_section(name, config.ports[name]), "!"]
    yield from ["", "Default settings:", "Service tag: 9K0KVH1", "", f"SW version {VERSION}", ""]
    yield from ["Gigabit Ethernet Ports", "=" * 29, "no shutdown", "speed 1000", "duplex full"]
    yield from ["negotiation", "flow-control off", "mdix auto", "no back-pressure", ""]
    yield from ["interface vlan 1", "interface port-channel 1 - 32", ""]
    yield from ["spanning-tree", "spanning-tree mode RSTP"]


def _section(name: str, port: Port) -> Iterator[str]:
    """One interface, without settings that have their default."""
    yield f"interface {name}"
    if port.description:
        yield f" description {port.description}"
    if port.shutdown:
        yield " shutdown"
    if port.mode != "access":
        yield f" switchport mode {port.mode}"
    if port.access_vlan != 1:
        yield f" switchport access vlan {port.access_vlan or 'none'}"
    if port.native_vlan != 1:
        yield f" switchport trunk native vlan {port.native_vlan or 'none'}"
    if port.allowed != cli.ALL_VLANS:
        gone = cli.format_list(cli.ALL_VLANS - port.allowed, pairs=False)
        yield f" switchport trunk allowed vlan remove {gone}"
    for vlans, how in ((port.general - port.untagged, "tagged"), (port.untagged, "untagged")):
        added = vlans & port.general - ({1} if how == "untagged" else set())
        if added:
            listed = cli.format_list(added, pairs=False)
            yield f" switchport general allowed vlan add {listed} {how}"
    if 1 not in port.general:
        yield " switchport general allowed vlan remove 1"
    if port.pvid != 1:
        yield f" switchport general pvid {port.pvid}"
    yield from (f" {line}" for line in channel_line(port))
    if port.voice:
        yield " voice vlan enable"


def _show_vlan(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield from ["", "Vlan       Name                   Ports                Type     Authorization"]
    yield "---- ----------------- --------------------------- ------------ -------------"
    for vlan, name in sorted(switch.running.vlans.items()):
        ports = switch.running.ports
        on = (n for n in switch.port_list if switch.is_on(n, vlan, ports[n].is_on(vlan)))
        members = [NAMING.short(port) for port in on]
        rows = cli.wrap_list(",".join(members), 27)
        kind = "Default" if vlan == 1 else "permanent"
        shown = name or str(vlan)
        yield f"{vlan:>3} {shown:^18} {rows[0]:^27} {kind:^12}   Required    "
        yield from (f"{'':23}{row:^27}" for row in rows[1:])
    yield ""


def _switchport(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    names: Sequence[str] = args.ports("ports") if "ports" in args else switch.port_list
    for name in names:
        port = switch.running.ports[name]
        up = not port.shutdown and name not in switch.unplugged
        yield f"Name: {NAMING.short(name)}"
        yield "Switchport: enable"
        yield f"Administrative Mode: {port.mode}"
        yield f"Operational Mode: {port.mode if up else 'down'}"
        yield f"Access Mode VLAN: {port.access_vlan or 'none'}"
        yield "Access Multicast TV VLAN: none"
        yield f"Trunking Native Mode VLAN: {port.native_vlan or 'none'}"
        rows = cli.wrap_list(cli.format_list(port.allowed, pairs=False), 50)
        yield f"Trunking VLANs Enabled: {rows[0]}"
        yield from (f"{'':24}{row}" for row in rows[1:])
        yield from ["Classification rules:", ""]


def _status(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield f"{'':45}Flow Link          Back   Mdix"
    yield "Port     Type         Duplex  Speed Neg      ctrl State       Pressure Mode"
    yield "-------- ------------ ------  ----- -------- ---- ----------- -------- -------"
    for name in switch.port_list:
        if switch.running.ports[name].shutdown or name in switch.unplugged:
            rest = "  --      --     --     --  Down           --     --"
        else:
            rest = "Full    1000  Enabled  Off  Up          Disabled Off"
        yield f"{NAMING.short(name):<8} {'1G-Copper':<12} {rest}"
    yield from ["", f"{'':42}Flow    Link"]
    yield "Ch       Type    Duplex  Speed  Neg      control  State"
    yield "-------- ------- ------  -----  -------- -------  -----------"
    yield "Po1         --     --      --      --       --    Not Present"


def _version(switch: Switch, session: Session, args: Args) -> Lines:
    return [
        f"SW version    {VERSION} ( date  11-Nov-2013 time  13:58:11 )",
        "Boot version    1.0.0.16 ( date  02-Nov-2010 time  17:32:42 )",
        "HW version    00.00.02",
        "",
    ]


def _system(switch: Switch, session: Session, args: Args) -> Lines:
    days, hours, minutes, seconds = days_and_clock(switch.seconds_up())
    up = f"{days:02},{hours:02}:{minutes:02}:{seconds:02}"
    mac = ":".join(switch.serial[at : at + 2].lower() for at in (0, 2, 4))
    return [
        f"System Description:                       {MODEL}",
        f"System Up Time (days,hour:min:sec):       {up}",
        "System Contact:",
        f"System Name:                              {switch.running.hostname}",
        "System Location:",
        f"System MAC Address:                       00:1e:c9:{mac}",
        "System Object ID:                         1.3.6.1.4.1.674.10895.3031",
        "",
    ]


ANY_LEVEL: Commands = [
    ("show system", _system),
    ("show version", _version),
]
PRIVILEGED_ONLY: Commands = [
    ("show interfaces status", _status),
    ("show interfaces switchport [<ports>]", _switchport),
    ("show running-config", _running),
    ("show running-config interface <ports>", _running),
    ("show startup-config", _startup),
    ("show vlan", _show_vlan),
]
