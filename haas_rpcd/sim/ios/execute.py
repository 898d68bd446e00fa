"""Commands at the ``>`` and ``#`` prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from haas_rpcd.sim.ios import show
from haas_rpcd.sim.ios.grammar import Args
from haas_rpcd.sim.ios.modes import Mode

if TYPE_CHECKING:
    from haas_rpcd.sim.ios.session import Session

_Handler = Callable[["Session", Args], Iterable[str] | None]

ENABLE_TRIES = 3


# --- coming and going


def _enable(session: Session, args: Args) -> list[str]:
    if session.mode is not Mode.USER:
        return []
    secret = session.switch.access.enable
    if secret is None:
        return ["% No password set"]  # what a VTY answers; only the console gets through
    if not secret:
        session.mode = Mode.PRIVILEGED
        return []

    def ask(tries: int) -> None:
        def answered(text: str) -> list[str]:
            if text == secret:
                session.mode = Mode.PRIVILEGED
                return []
            session.switch.counters.failed_logins += 1
            if tries == 1:
                return ["% Bad secrets", ""]
            ask(tries - 1)
            return []

        session.ask("Password: ", answered, mode="enable", echo=False)

    ask(ENABLE_TRIES)
    return []


def _disable(session: Session, args: Args) -> None:
    session.mode = Mode.USER


def _exit(session: Session, args: Args) -> None:
    session.hang_up()


def _configure(session: Session, args: Args) -> list[str]:
    session.mode = Mode.CONFIG
    return ["Enter configuration commands, one per line.  End with CNTL/Z."]


def _configure_from(session: Session, args: Args) -> None:
    def answered(text: str) -> list[str]:
        if text.strip().lower() not in ("", "t", "terminal"):
            return ['?Must be "terminal", "memory" or "network"']
        return _configure(session, args)

    session.ask("Configuring from terminal, memory, or network [terminal]? ", answered)


# --- the terminal


def _length(session: Session, args: Args) -> None:
    session.length = args.number("columns")


def _width(session: Session, args: Args) -> None:
    session.editor.width = args.number("columns")


def _monitor(session: Session, args: Args) -> None:
    session.monitors = True


def _no_monitor(session: Session, args: Args) -> None:
    session.monitors = False


# --- saving


def _write(session: Session, args: Args) -> list[str]:
    return session.switch.save()


def _copy(session: Session, args: Args) -> None:
    def answered(text: str) -> list[str]:
        if text.strip() in ("", "startup-config"):
            return session.switch.save()
        # Another name makes another file in NVRAM, and the next boot knows nothing of it.
        return ["Building configuration...", "[OK]"]

    session.ask("Destination filename [startup-config]? ", answered)


def _reload(session: Session, args: Args) -> None:
    switch = session.switch

    def confirm() -> None:
        session.ask("Proceed with reload? [confirm]", confirmed, key=True)

    def confirmed(key: str) -> list[str]:
        if key in "\r\ny":
            switch.reload()
        return []

    def save_first(text: str) -> list[str]:
        answer = text.strip().lower()
        if answer and "yes".startswith(answer):
            printed = switch.save()
            confirm()
            return printed
        if answer and "no".startswith(answer):
            confirm()
            return []
        ask_save()
        return ["% Please answer 'yes' or 'no'."]

    def ask_save() -> None:
        session.ask("System configuration has been modified. Save? [yes/no]: ", save_first)

    if switch.modified:
        ask_save()
    else:
        confirm()


# --- show


def _running(session: Session, args: Args) -> list[str]:
    switch = session.switch
    if "port" in args:
        name = args.text("port")
        lines = ["!", *show.interface_lines(switch.running, switch.chassis, name), "end", ""]
    else:
        lines = switch.running_config()
    size = sum(len(line) + 1 for line in lines)
    return ["Building configuration...", "", f"Current configuration : {size} bytes", *lines]


def _startup(session: Session, args: Args) -> list[str]:
    startup = session.switch.startup
    if startup is None:
        return ["startup-config is not present"]
    lines = show.running_config(startup, session.switch.chassis)
    size = sum(len(line) + 1 for line in lines)
    return [f"Using {size} out of 524288 bytes", *lines]


def _vlan(session: Session, args: Args) -> list[str]:
    running, chassis = session.switch.running, session.switch.chassis
    return [
        *show.vlan_table(running, chassis, running.vlans),
        *show.vlan_details(running.vlans),
        "",
    ]


def _vlan_brief(session: Session, args: Args) -> list[str]:
    running = session.switch.running
    return show.vlan_table(running, session.switch.chassis, running.vlans)


def _vlan_id(session: Session, args: Args) -> list[str]:
    vlan, running = args.number("vlan"), session.switch.running
    if vlan not in running.vlans:
        return [f"VLAN id {vlan} not found in current VLAN database"]
    return [
        *show.vlan_table(running, session.switch.chassis, [vlan]),
        *show.vlan_details([vlan]),
        "",
    ]


def _chosen(session: Session, args: Args) -> Iterable[str]:
    return [args.text("port")] if "port" in args else session.switch.names.all


def _switchport(session: Session, args: Args) -> list[str]:
    running, chassis = session.switch.running, session.switch.chassis
    return [
        line for name in _chosen(session, args) for line in show.switchport(running, chassis, name)
    ]


def _status(session: Session, args: Args) -> list[str]:
    switch = session.switch
    return show.status_table(switch.running, switch.chassis, _chosen(session, args))


def _trunk(session: Session, args: Args) -> list[str]:
    switch = session.switch
    return show.trunk_tables(switch.running, switch.chassis, _chosen(session, args))


def _version(session: Session, args: Args) -> list[str]:
    switch = session.switch
    return show.version(switch.running, switch.chassis, switch.uptime())


def _clock(session: Session, args: Args) -> list[str]:
    # The star says that the clock was never set.
    return [f"*{session.switch.now():%H:%M:%S.%f}"[:-3] + f" UTC {session.switch.date()}"]


def _users(session: Session, args: Args) -> list[str]:
    lines = ["    Line       User       Host(s)              Idle       Location"]
    for other in session.switch.sessions:
        mark = "*" if other is session else " "
        lines.append(
            f"{mark}{other.line + 1:>3} vty {other.line:<6} {other.user:<10} "
            f"{'idle':<20} 00:00:00   {other.peer}"
        )
    header = "  Interface    User               Mode         Idle     Peer Address"
    return [*lines, "", header, ""]


ANY_LEVEL: list[tuple[str, _Handler]] = [
    ("enable", _enable),
    ("disable", _disable),
    ("exit", _exit),
    ("logout", _exit),
    ("quit", _exit),
    ("terminal length <columns>", _length),
    ("terminal width <columns>", _width),
    ("terminal monitor", _monitor),
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
]
"""Commands of user and privileged mode."""

PRIVILEGED: list[tuple[str, _Handler]] = [
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
"""Further keywords, known only so that abbreviations clash as on the device."""

RESERVED_PRIVILEGED = (
    "archive beep cd clock cns debug delete diagnostic dir dot1x erase event format fsck "
    "install license macro mkdir monitor more no pwd redundancy release rename renew rmdir rsh "
    "send setup start-chat tarp tclsh test undebug verify vmps which-route"
)
