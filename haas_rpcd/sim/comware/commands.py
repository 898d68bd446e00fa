"""The commands of a Comware switch, view by view; those of ports are in `ports`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Mode, RejectedError, Session
from haas_rpcd.sim.comware import cabling, modes, ports, show
from haas_rpcd.sim.comware.state import DEFAULT_VLAN, Config, Port

Switch = CliSwitch[Config]

ARGUMENTS: Mapping[str, cli.Argument] = {**cli.ARGUMENTS, "list": ports.VlanList()}


# --- in every view


def _is_yes(text: str) -> bool:
    return text.strip().lower() in ("y", "yes")


def _save_now(switch: Switch) -> list[str]:
    done = switch.save()
    release = switch.running.release
    return [release.saving, *(release.saved if done else switch.save_error)]


def _save(switch: Switch, session: Session, args: Args) -> Lines:
    if "how" in args:  # force
        return _save_now(switch)

    def confirmed(text: str) -> Lines:
        if not _is_yes(text):
            return []
        session.ask(
            "Please input the file name(*.cfg)[flash:/startup.cfg]\n"
            "(To leave the existing filename unchanged, press the enter key):",
            lambda name: _save_now(switch),
        )
        return []

    question = "The current configuration will be written to the device. Are you sure? [Y/N]:"
    session.ask(question, confirmed)
    return []


def _display_current(switch: Switch, session: Session, args: Args) -> Lines:
    return show.configuration(switch.running)


def _display_saved(switch: Switch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["The config file does not exist!"]
    return show.configuration(switch.startup)


def _display_current_interface(switch: Switch, session: Session, args: Args) -> Lines:
    names = [args.text("port")] if "port" in args else show.in_order(switch.running)
    if names[0] not in switch.running.ports:
        raise RejectedError(" % Wrong parameter found at '^' position.")
    lines = [] if "port" in args else ["#", "interface NULL0"]
    for name in names:
        lines += ["#", *show.interface(name, switch.running.ports[name])]
    return [*lines, "#", "return"]


def _display_this(switch: Switch, session: Session, args: Args) -> Lines:
    running = switch.running
    if session.mode is modes.VLAN:
        stanza = [f"vlan {session.label}", *show.vlan_name(running.vlans[int(session.label)])]
    elif session.selection:
        stanza = list(show.interface(session.selection[0], running.ports[session.selection[0]]))
    else:
        stanza = [f" sysname {running.hostname}"]
    return ["#", *stanza, "#", "return"]


def _display_interface_brief(switch: Switch, session: Session, args: Args) -> Lines:
    return show.brief(switch.running, switch.unplugged)


def _display_version(switch: Switch, session: Session, args: Args) -> Lines:
    return show.version(switch.running.release, switch.seconds_up())


def _display_manuinfo(switch: Switch, session: Session, args: Args) -> Lines:
    return show.manuinfo(switch.running.release, switch.serial)


def _display_vlan(switch: Switch, session: Session, args: Args) -> Lines:
    return show.vlans(switch.running)


def _display_vlan_all(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    return show.vlan_details(switch.running, switch.is_on)


# --- in user view


def _screen_length_disable(switch: Switch, session: Session, args: Args) -> Lines:
    session.length = switch.pager.length if args.no else 0
    return [] if args.no else switch.running.release.paging_disabled


def _terminal_monitor(switch: Switch, session: Session, args: Args) -> Lines:
    session.monitors = not args.no
    return [switch.running.release.log_display[session.monitors]]


def _reboot(switch: Switch, session: Session, args: Args) -> Lines:
    if "how" in args:  # force
        switch.reload()
        return []

    def continued(text: str) -> Lines:
        if _is_yes(text):
            switch.reload()
        return []

    def ask_to_continue() -> None:
        session.ask("This command will reboot the device. Continue? [Y/N]:", continued)

    def save_first(text: str) -> Lines:
        printed = _save_now(switch) if _is_yes(text) else []
        ask_to_continue()
        return printed

    if switch.modified:
        session.ask(
            "Current configuration may be lost, save current configuration? [Y/N]:", save_first
        )
    else:
        ask_to_continue()
    return [
        "Start to check configuration with next startup configuration file, please wait."
        "........DONE!"
    ]


def _system_view(switch: Switch, session: Session, args: Args) -> Lines:
    session.enter(modes.SYSTEM)
    return ["System View: return to User View with Ctrl+Z."]


# --- in system view and the views below it


def _sysname(switch: Switch, session: Session, args: Args) -> Lines:
    switch.running.hostname = "HPE" if args.no else args.text("word")
    return []


def _interface(switch: Switch, session: Session, args: Args) -> Lines:
    """``interface <port>``: makes an aggregate interface that is not there yet."""
    name = args.text("port")
    if switch.names.is_channel(name):
        switch.running.ports.setdefault(name, Port())
    session.enter(modes.INTERFACE, name, ports=[name])
    return []


def _undo_interface(switch: Switch, session: Session, args: Args) -> Lines:
    """Delete an aggregate interface: its members leave, and keep what they inherited."""
    name = args.text("port")
    if not switch.names.is_channel(name) or name not in switch.running.ports:
        raise RejectedError(" % Wrong parameter found at '^' position.")
    for member in switch.running.members(name):
        member.channel = None
    del switch.running.ports[name]
    switch.touch()
    return []


def _interface_range(switch: Switch, session: Session, args: Args) -> Lines:
    session.enter(modes.RANGE, ports=args.ports("ports"))
    return []


def _vlan(switch: Switch, session: Session, args: Args) -> Lines:
    vlan = args.number("vlan")
    switch.touch()
    if not args.no:
        switch.running.vlans.setdefault(vlan, "")
        session.enter(modes.VLAN, str(vlan))
        return []
    if vlan == DEFAULT_VLAN:
        raise RejectedError("VLAN 1 cannot be deleted.")
    if vlan not in switch.running.vlans:
        raise RejectedError("The VLAN does not exist.")
    switch.running.delete_vlan(vlan)
    return []


def _vlan_name(switch: Switch, session: Session, args: Args) -> Lines:
    switch.running.vlans[int(session.label)] = "" if args.no else args.text("word")
    return []


# --- the sessions


def _display_users(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    others = [other for other in switch.sessions if isinstance(other, Session)]
    yield "  Idx  Line     Idle       Time              Pid     Type"
    for other in others:
        mark = "+" if other is session else " "
        line = f"{mark} {other.line + 10:<4} VTY {other.line:<4}"
        yield f"{line} 00:00:00   Jun 09 12:00:00   {300 + other.number}     TEL"
    yield "Following are more details."
    for other in others:
        yield f"VTY {other.line:<3} :"
        yield f"        User name: {other.user}"
        yield f"        Location: {other.peer}"
    yield " +    : Current operation user."
    yield " F    : Current operation user works in async mode."


def _free_line(switch: Switch, session: Session, args: Args) -> Lines:
    line = args.number("number")

    def confirmed(text: str) -> Lines:
        if _is_yes(text):
            for other in list(switch.sessions):
                if isinstance(other, Session) and other.line == line:
                    other.clear()
        return []

    session.ask(f"Are you sure to free line vty{line}? [Y/N]:", confirmed)
    return []


# --- the tables

_EVERYWHERE: Commands = [
    ("display current-configuration", _display_current),
    ("display current-configuration interface [<port>]", _display_current_interface),
    ("display interface brief", _display_interface_brief),
    ("display saved-configuration", _display_saved),
    ("display this", _display_this),
    ("display device manuinfo", _display_manuinfo),
    ("display users", _display_users),
    ("display version", _display_version),
    ("display vlan", _display_vlan),
    ("display vlan all", _display_vlan_all),
    *cabling.COMMANDS,
    ("quit", CliSwitch.do_exit),
    ("save [how:force]", _save),
]
_CONFIGURATION: Commands = [*_EVERYWHERE, ("return", CliSwitch.do_end)]
_PORTS: Commands = [*_CONFIGURATION, *ports.COMMANDS]

TABLES: Mapping[Mode, Commands] = {
    modes.USER: [
        *_EVERYWHERE,
        ("free line VTY <number>", _free_line),
        ("reboot [how:force]", _reboot),
        ("[undo] screen-length disable", _screen_length_disable),
        ("system-view", _system_view),
        ("[undo] terminal monitor", _terminal_monitor),
    ],
    modes.SYSTEM: [
        *_CONFIGURATION,
        ("interface <port>", _interface),
        ("undo interface <port>", _undo_interface),
        ("interface range <ports>", _interface_range),
        ("sysname <word>", _sysname),
        ("undo sysname", _sysname),
        ("[undo] vlan <vlan>", _vlan),
    ],
    modes.INTERFACE: _PORTS,
    modes.RANGE: _PORTS,
    modes.VLAN: [*_CONFIGURATION, ("name <word>", _vlan_name), ("undo name", _vlan_name)],
}

RESERVED: Mapping[Mode, Mapping[str, str]] = {
    modes.SYSTEM: {"": "info-center ip irf domain dot1x line local-user loopback snmp-agent stp"},
    modes.INTERFACE: {"": "speed dot1x duplex port-isolate port-security poe qos storm-constrain"},
    modes.USER: {"": "debugging delete dir ping reset startup super telnet tracert"},
}
"""Further keywords, known only so that abbreviations are ambiguous as on the device."""
