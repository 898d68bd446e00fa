"""Commands at the ``>`` and ``#`` prompts."""

from __future__ import annotations

from collections.abc import Iterable

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Handler, Session
from haas_rpcd.sim.ios import cabling, configuration, modes, show
from haas_rpcd.sim.ios.catalyst import Catalyst
from haas_rpcd.sim.ios.state import INVALID
from haas_rpcd.sim.ioslike import execute

# --- configuration


def _configure(switch: Catalyst, session: Session, args: Args) -> list[str]:
    session.enter(modes.CONFIG)
    return ["Enter configuration commands, one per line.  End with CNTL/Z."]


def _configure_from(switch: Catalyst, session: Session, args: Args) -> None:
    def answered(text: str) -> list[str]:
        if text.strip().lower() not in ("", "t", "terminal"):
            return ['?Must be "terminal", "memory" or "network"']
        return _configure(switch, session, args)

    session.ask("Configuring from terminal, memory, or network [terminal]? ", answered)


# --- the terminal


def _no_monitor(switch: Catalyst, session: Session, args: Args) -> None:
    session.monitors = False


# --- saving


def _write(switch: Catalyst, session: Session, args: Args) -> list[str]:
    return switch.write_memory()


def _copy(switch: Catalyst, session: Session, args: Args) -> None:
    def answered(text: str) -> list[str]:
        if text.strip() in ("", "startup-config"):
            return switch.write_memory()
        # Another name writes another file to NVRAM, which the next boot does not read.
        return ["Building configuration...", "[OK]"]

    session.ask("Destination filename [startup-config]? ", answered)


_reload = execute.reload(
    lambda switch: switch.write_memory(),
    "System configuration has been modified. Save? [yes/no]: ",
    retry=["% Please answer 'yes' or 'no'."],
)


# --- show


def _running(switch: Catalyst, session: Session, args: Args) -> list[str]:
    if "port" in args:
        name = args.text("port")
        if name not in switch.running.ports:
            return INVALID
        lines = [
            "!",
            *configuration.interface_lines(switch.running, switch.chassis, name),
            "end",
            "",
        ]
    else:
        lines = switch.running_config()
    size = sum(len(line) + 1 for line in lines)
    return ["Building configuration...", "", f"Current configuration : {size} bytes", *lines]


def _startup(switch: Catalyst, session: Session, args: Args) -> list[str]:
    startup = switch.startup
    if startup is None:
        return ["startup-config is not present"]
    lines = configuration.running_config(startup, switch.chassis)
    size = sum(len(line) + 1 for line in lines)
    return [f"Using {size} out of 524288 bytes", *lines]


def _vlan(switch: Catalyst, session: Session, args: Args) -> list[str]:
    running, chassis = switch.running, switch.chassis
    return [
        *show.vlan_table(running, chassis, running.vlans),
        *show.vlan_details(running.vlans),
        "",
    ]


def _vlan_brief(switch: Catalyst, session: Session, args: Args) -> list[str]:
    running = switch.running
    return show.vlan_table(running, switch.chassis, running.vlans)


def _vlan_id(switch: Catalyst, session: Session, args: Args) -> list[str]:
    vlan, running = args.number("vlan"), switch.running
    if vlan not in running.vlans:
        return [f"VLAN id {vlan} not found in current VLAN database"]
    return [
        *show.vlan_table(running, switch.chassis, [vlan]),
        *show.vlan_details([vlan]),
        "",
    ]


def _chosen(switch: Catalyst, session: Session, args: Args) -> Iterable[str]:
    if "port" not in args:
        return switch.names.all
    return [args.text("port")] if args.text("port") in switch.running.ports else []


def _switchport(switch: Catalyst, session: Session, args: Args) -> list[str]:
    running, chassis = switch.running, switch.chassis
    return [
        line
        for name in _chosen(switch, session, args)
        for line in show.switchport(running, chassis, name)
    ]


def _status(switch: Catalyst, session: Session, args: Args) -> list[str]:
    return show.status_table(switch.running, switch.chassis, _chosen(switch, session, args))


def _trunk(switch: Catalyst, session: Session, args: Args) -> list[str]:
    return show.trunk_tables(switch.running, switch.chassis, _chosen(switch, session, args))


def _version(switch: Catalyst, session: Session, args: Args) -> list[str]:
    return show.version(switch.running, switch.chassis, switch.uptime())


def _clock(switch: Catalyst, session: Session, args: Args) -> list[str]:
    # The star means that the clock was never set.
    return [f"*{switch.now():%H:%M:%S.%f}"[:-3] + f" UTC {switch.date()}"]


def _users(switch: Catalyst, session: Session, args: Args) -> list[str]:
    lines = ["    Line       User       Host(s)              Idle       Location"]
    for other in switch.sessions:
        if not isinstance(other, Session):
            continue
        mark = "*" if other is session else " "
        lines.append(
            f"{mark}{other.line + 1:>3} vty {other.line:<6} {other.user:<10} "
            f"{'idle':<20} 00:00:00   {other.peer}"
        )
    header = "  Interface    User               Mode         Idle     Peer Address"
    return [*lines, "", header, ""]


def _clear_line(first: int) -> Handler:
    """Make ``clear line [vty] <number>``: end a session, after a question.

    ``first``: the number of the first VTY.
    """

    def run(switch: Catalyst, session: Session, args: Args) -> None:
        def confirmed(key: str) -> list[str]:
            if key not in "\r\ny":
                return []
            for other in list(switch.sessions):
                if other.line == args.number("number") - first:
                    other.clear()
            return [" [OK]"]

        session.ask("[confirm]", confirmed, key=True)

    return run


ANY_LEVEL: Commands = [
    *execute.ANY_LEVEL,
    ("terminal length <number>", CliSwitch.do_length),
    ("terminal width <number>", CliSwitch.do_width),
    ("terminal monitor", execute.monitor),
    ("terminal no monitor", _no_monitor),
    ("show clock", _clock),
    ("show interfaces switchport", _switchport),
    ("show interfaces <port> switchport", _switchport),
    ("show interfaces status", _status),
    ("show interfaces <port> status", _status),
    ("show interfaces trunk", _trunk),
    ("show interfaces <port> trunk", _trunk),
    ("show users", _users),
    ("show version", _version),
    ("show vlan", _vlan),
    ("show vlan brief", _vlan_brief),
    ("show vlan id <vlan>", _vlan_id),
    *cabling.COMMANDS,
]
"""Commands of user and privileged mode."""

PRIVILEGED: Commands = [
    ("clear line <number>", _clear_line(1)),
    ("clear line vty <number>", _clear_line(0)),
    ("configure", _configure_from),
    ("configure terminal", _configure),
    ("copy running-config startup-config", _copy),
    ("reload", _reload),
    ("show running-config", _running),
    ("show running-config interface <port>", _running),
    ("show startup-config", _startup),
    ("write", _write),
    ("write memory", _write),
]
"""Commands of privileged mode only."""

RESERVED_USER = {
    "": "access-enable access-profile clear connect crypto help lock login mrinfo mstat mtrace "
    "name-connection pad ping ppp resume rlogin set ssh systat tclquit telnet traceroute tunnel "
    "where x28 x3",
    "show": "aaa arp auto boot bootflash cdp cef cluster controllers crypto dot1x dtp eap env "
    "environment errdisable etherchannel flash: flowcontrol fm history hosts idprom inventory ip "
    "ipc ipv6 lacp lldp location logging mac macro mls monitor mvr ntp pagp parser power "
    "privilege processes protocols radius rmon sdm sessions snmp spanning-tree ssh ssl "
    "stacks storm-control switch system tacacs tcp tech-support template terminal time-range "
    "traffic-shape udld vmps vtp",
    "show interfaces": "accounting capabilities counters debounce description etherchannel "
    "fair-queue flowcontrol irb mac-accounting mtu precedence private-vlan pruning random-detect "
    "rate-limit stats summary transceiver",
    "show vlan": "access-log access-map dot1q filter group internal mtu name private-vlan "
    "remote-span summary",
    "terminal": "autohop data-character-bits databits default domain-lookup download editing "
    "escape-character exec-character-bits flowcontrol full-help help history international ip "
    "keymap-type notify padding parity rxspeed special-character-bits speed start-character "
    "stop-character stopbits telnet terminal-type transport txspeed",
}
"""Further keywords, so that abbreviations are ambiguous as on the device."""

RESERVED_PRIVILEGED = (
    "archive beep cd clock cns debug delete diagnostic dir dot1x erase event format fsck "
    "install license macro mkdir monitor more no pwd redundancy release rename renew rmdir rsh "
    "send setup start-chat tarp tclsh test undebug verify vmps which-route"
)
