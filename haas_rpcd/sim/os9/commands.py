"""The commands of OS9, mode by mode."""

from __future__ import annotations

import re
from collections.abc import Mapping

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import (
    Args,
    CliSwitch,
    Commands,
    Line,
    Lines,
    Mode,
    RejectedError,
    Session,
)
from haas_rpcd.sim.cli.portname import PortNames
from haas_rpcd.sim.ioslike import execute, ports
from haas_rpcd.sim.ioslike.byvlan import full_names
from haas_rpcd.sim.ioslike.execute import LEAVING
from haas_rpcd.sim.os9 import cabling, channels, modes, show
from haas_rpcd.sim.os9.state import DEFAULT_VLAN, NAMING, Os9, Port, Vlan


class Members:
    """A list of ports: ``TenGigabitEthernet 0/1-4,9`` or ``te 0/1 - 4 , te 0/9``."""

    help = "Interface list"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read the rest of the line."""
        start = line.column(index)
        ports: dict[str, None] = {}
        kind = slot = ""
        for part in re.split(r"\s*,\s*", line.text[start:].strip()):
            found = re.fullmatch(
                r"([A-Za-z-]*?)\s*((?:\d+/)*)(\d+)(?:\s*-\s*(?:\d+/)*(\d+))?", part.strip()
            )
            if found is None or not (found[1] or kind):
                raise cli.InvalidError(start, index)
            kind, slot = found[1] or kind, found[2] or slot
            first, last = int(found[3]), int(found[4] or found[3])
            if last < first:
                raise cli.InvalidError(start, index)
            spelled = [f"{kind} {slot}{number}" for number in range(first, last + 1)]
            try:
                ports.update(full_names(names, spelled))
            except ValueError:
                raise cli.InvalidError(start, index) from None
        return tuple(ports), len(line.words)


ARGUMENTS: Mapping[str, cli.Argument] = {
    **cli.ARGUMENTS,
    "members": Members(),
    "number": cli.Number(0, 512),
}


# --- in user and privileged mode


def _configure(switch: Os9, session: Session, args: Args) -> Lines:
    if switch.locked_by is not None:
        raise RejectedError(
            f'% Error: User "{switch.locked_by}" on line vty9 is in exclusive configuration mode.'
        )
    session.enter(modes.CONFIG)
    return []


def _copy(switch: Os9, session: Session, args: Args) -> Lines:
    def done() -> Lines:
        if not switch.save():
            return switch.save_error
        size = len(list(show.config_lines(switch, switch.running))) * 20
        return ["!", f"{size} bytes successfully copied"]

    def answered(text: str) -> Lines:
        return done() if text.strip().lower() == "yes" else []

    if switch.startup is None:
        return done()
    session.ask("Proceed to copy the file [confirm yes/no]: ", answered)
    return ["File with same name already exist."]


def _write(switch: Os9, session: Session, args: Args) -> Lines:
    return ["!"] if switch.save() else switch.save_error


def _reload(switch: Os9, session: Session, args: Args) -> Lines:
    def confirmed(text: str) -> Lines:
        if text.strip().lower() == "yes":
            switch.reload()
        return []

    def save_first(text: str) -> Lines:
        printed = _write(switch, session, args) if text.strip().lower() == "yes" else []
        session.ask("Proceed with reload [confirm yes/no]: ", confirmed)
        return printed

    if switch.modified:
        question = "System configuration has been modified. Save? [yes/no]: "
        session.ask(question, save_first)
    else:
        session.ask("Proceed with reload [confirm yes/no]: ", confirmed)
    return []


ANY_LEVEL: Commands = [
    ("enable", CliSwitch.do_enable),
    ("disable", CliSwitch.do_disable),
    ("exit", CliSwitch.do_quit),
    ("quit", CliSwitch.do_quit),
    ("terminal length <number>", CliSwitch.do_length),
    *show.ANY_LEVEL,
    *cabling.COMMANDS,
]
PRIVILEGED: Commands = [
    *ANY_LEVEL,
    ("configure [terminal]", _configure),
    ("copy running-config startup-config", _copy),
    ("reload", _reload),
    ("write [memory]", _write),
    *show.PRIVILEGED_ONLY,
]


# --- configuration


def _interface(switch: Os9, session: Session, args: Args) -> Lines:
    """``interface <port>``: makes a channel that is not there yet."""
    name = args.text("port")
    if switch.names.is_channel(name) and name not in switch.running.ports:
        switch.running.ports[name] = Port()
        switch.touch(name)
    session.enter(modes.INTERFACE, NAMING.short(name).lower().replace(" ", "-"), ports=[name])
    return []


def _range(switch: Os9, session: Session, args: Args) -> Lines:
    names = args.ports("members")
    show.there(switch, names)
    label = ",".join(text.lower().replace(" ", "-") for text in show.listed(names, short=True))
    session.enter(modes.INTERFACE, f"range-{label}", ports=names)
    return []


def _interface_vlan(switch: Os9, session: Session, args: Args) -> Lines:
    number = args.number("vlan")
    if not args.no:
        switch.running.vlans.setdefault(number, Vlan())
        session.enter(modes.VLAN, str(number), editing=number)
        return []
    if number == DEFAULT_VLAN:
        raise RejectedError("% Error: Cannot delete the default VLAN.")
    if number not in switch.running.vlans:
        raise RejectedError("% Error: No such interface.")
    del switch.running.vlans[number]
    switch.touch()
    return []


def _address(switch: Os9, name: str, port: Port, args: Args) -> None:
    channels.alone(name, port)
    if not args.no and port.switched:
        raise RejectedError(f"% Error: Port is in Layer-2 mode {NAMING.short(name)}.")
    port.address = "" if args.no else args.text("line")


def _switchport(switch: Os9, name: str, port: Port, args: Args) -> None:
    short = NAMING.short(name)
    channels.alone(name, port)
    if args.no and switch.running.on_a_vlan(name):
        raise RejectedError(f"% Error: {short} Port is part of a non-default VLAN.")
    if not args.no and port.address:
        raise RejectedError(f"% Error: Port is in Layer-3 mode {short}.")
    port.switched = not args.no


def _portmode(switch: Os9, name: str, port: Port, args: Args) -> None:
    channels.alone(name, port)
    if port.switched:
        raise RejectedError(f"% Error: Port is in Layer-2 mode {NAMING.short(name)}.")
    port.hybrid = not args.no


def _vlan_name(switch: Os9, session: Session, args: Args) -> Lines:
    _edited(switch, session).name = "" if args.no else args.text("word")
    return []


def _vlan_description(switch: Os9, session: Session, args: Args) -> Lines:
    _edited(switch, session).description = "" if args.no else args.text("line")
    return []


def _edited(switch: Os9, session: Session) -> Vlan:
    return switch.running.vlans.setdefault(session.editing, Vlan())


def _members(switch: Os9, session: Session, args: Args) -> Lines:
    """``[no] tagged|untagged …``: one port after the other, until one is refused."""
    how = args.word("how")
    show.there(switch, args.ports("members"))
    for name in args.ports("members"):
        if session.editing == DEFAULT_VLAN:
            raise RejectedError("% Error: Default VLAN cannot be configured.")
        vlan = _edited(switch, session)
        if args.no:
            _leave(vlan, how, name)
        else:
            _join(switch, vlan, how, name)
        switch.touch(name)
    return []


def _leave(vlan: Vlan, how: str, name: str) -> None:
    if name not in vlan.members(how):
        raise RejectedError(f"% Error: {NAMING.short(name)} is not a {how} member of this Vlan.")
    vlan.remove(how, name)


def _join(switch: Os9, vlan: Vlan, how: str, name: str) -> None:
    port, short = switch.running.ports[name], NAMING.short(name)
    others = [other for other in switch.running.vlans.values() if other is not vlan]
    if not port.switched:
        raise RejectedError(f"% Error: {short} Port is not in Layer-2 mode.")
    other_way = "untagged" if how == "tagged" else "tagged"
    if how == "untagged" and any(name in other.untagged for other in others):
        raise RejectedError(f"% Error: {short} Port is untagged in another Vlan.")
    elsewhere = any(name in other.members(other_way) for other in others)
    if name in vlan.members(other_way) or (elsewhere and not port.hybrid):
        raise RejectedError(f"% Error: {short} Port is {other_way} in another Vlan.")
    vlan.add(how, name)


GLOBAL: Commands = [
    ("hostname <word>", execute.hostname()),
    ("interface <port>", _interface),
    *channels.GLOBAL,
    ("interface range <members>", _range),
    ("[no] interface vlan <vlan>", _interface_vlan),
]
IN_INTERFACE: Commands = [
    *ports.commands(
        [
            ("description <line>", ports.description),
            ("no description [<line>]", ports.description),
            ("ip address <line>", _address),
            ("no ip address [<line>]", _address),
            ("[no] portmode hybrid", _portmode),
            ("[no] shutdown", ports.shutdown),
            ("[no] switchport", _switchport),
        ]
    ),
    *channels.IN_INTERFACE,
    *show.EDITED,
]
IN_VLAN: Commands = [
    ("[no] how:tagged|untagged <members>", _members),
    ("description <line>", _vlan_description),
    ("no description [<line>]", _vlan_description),
    ("name <word>", _vlan_name),
    ("no name [<word>]", _vlan_name),
    ("no ip address", CliSwitch.do_nothing),
    ("[no] shutdown", CliSwitch.do_nothing),  # for a VLAN it only concerns routing
    *show.EDITED,
]

TABLES: Mapping[Mode, Commands] = {
    modes.USER: ANY_LEVEL,
    modes.PRIVILEGED: PRIVILEGED,
    modes.CONFIG: [*LEAVING, *GLOBAL],
    modes.INTERFACE: [*LEAVING, *IN_INTERFACE],
    modes.LACP: [*LEAVING, *channels.IN_LACP],
    modes.VLAN: [*LEAVING, *IN_VLAN],
}
