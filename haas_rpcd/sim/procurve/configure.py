"""The commands of ProVision's configuration contexts."""

from __future__ import annotations

import re

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, RejectedError, Session
from haas_rpcd.sim.cli.portname import PortNames
from haas_rpcd.sim.procurve import modes, show
from haas_rpcd.sim.procurve.commands import ALL_MANAGER_CONTEXTS, Switch
from haas_rpcd.sim.procurve.state import DEFAULT_VLAN


class PortList:
    """``1-4,7``: one word."""

    help = "[ethernet] PORT-LIST"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read the list. Unknown ports have a refusal of their own."""
        ports: dict[str, None] = {}
        text = line.words[index].text
        for part in text.split(","):
            first, dash, last = part.partition("-")
            if first not in names.all or (dash and last not in names.all):
                raise RejectedError(f"Module not present for port or invalid port: {part}")
            at, end = names.all.index(first), names.all.index(last or first)
            if end < at:
                raise cli.InvalidError(line.words[index].at, index)
            ports.update(dict.fromkeys(names.all[at : end + 1]))
        return tuple(ports), index + 1


def _unquoted(args: Args) -> str:
    return args.text("word").strip('"')


def _hostname(switch: Switch, session: Session, args: Args) -> Lines:
    switch.running.hostname = _unquoted(args)
    return []


def _max_vlans(switch: Switch, session: Session, args: Args) -> Lines:
    switch.running.max_vlans = args.number("number")
    return ["Command will take effect after saving configuration and reboot."]


# --- VLANs


def _vlan_number(session: Session, args: Args) -> int:
    """Return the VLAN named in the command, or the one whose context this is."""
    return args.number("vlan") if "vlan" in args else int(session.label)


def _vlan(switch: Switch, session: Session, args: Args) -> Lines:
    number = args.number("vlan")
    switch.running.ensure_vlan(number)
    session.enter(modes.VLAN, str(number))
    return []


def _no_vlan(switch: Switch, session: Session, args: Args) -> Lines:
    config, number = switch.running, args.number("vlan")
    if number not in config.vlans:
        raise RejectedError(f"VLAN {number} not found.")
    if number == DEFAULT_VLAN:
        raise RejectedError("The default VLAN cannot be deleted.")

    def delete() -> None:
        config.delete_vlan(number)
        switch.touch()

    def answered(key: str) -> Lines:
        if key.lower() == "y":
            delete()
        elif key.lower() != "n":
            ask()
        return []

    def ask() -> None:
        session.ask("[y/n] ", answered, key=True, shows_key=True)

    ports = config.vlans[number].untagged
    if not ports:
        delete()
        return []
    ask()
    return [
        "The following ports will be moved to the default VLAN:",
        show.port_list(ports),
        "Do you want to continue?",
    ]


def _vlan_name(switch: Switch, session: Session, args: Args) -> Lines:
    switch.running.ensure_vlan(_vlan_number(session, args)).name = _unquoted(args)
    return []


def _add_ports(switch: Switch, session: Session, args: Args) -> Lines:
    config, number = switch.running, _vlan_number(session, args)
    config.ensure_vlan(number)
    add = config.add_tagged if args.word("how") == "tagged" else config.add_untagged
    add(number, args.ports("ports"))
    switch.touch()
    return []


def _remove_ports(switch: Switch, session: Session, args: Args) -> Lines:
    config, number = switch.running, _vlan_number(session, args)
    vlan, ports = config.ensure_vlan(number), frozenset(args.ports("ports"))
    before = (vlan.tagged, vlan.untagged)
    if args.word("how") == "tagged":
        vlan.tagged -= ports
    else:
        vlan.untagged -= ports
    orphans = config.orphans()
    if orphans and (number == DEFAULT_VLAN or config.refuses_orphans):
        vlan.tagged, vlan.untagged = before
        return [f"Port {orphans[0]} must be a member of at least one VLAN."]
    config.rescue_orphans()
    switch.touch()
    return []


# --- ports


def _interface(switch: Switch, session: Session, args: Args) -> Lines:
    ports = args.ports("ports")
    session.enter(modes.PORT, show.port_list(ports), ports=ports)
    return []


def _ports(session: Session, args: Args) -> tuple[str, ...]:
    """Return the ports named in the command, or those whose context this is."""
    return args.ports("ports") if "ports" in args else session.selection


def _enable_ports(switch: Switch, session: Session, args: Args) -> Lines:
    for name in _ports(session, args):
        switch.running.ports[name].shutdown = args.word("how") == "disable"
        switch.touch(name)
    return []


def _port_name(switch: Switch, session: Session, args: Args) -> Lines:
    for name in _ports(session, args):
        switch.running.ports[name].name = "" if args.no else _unquoted(args)
    return []


def _trunk(switch: Switch, session: Session, args: Args) -> Lines:
    """``trunk <ports> trk<number> lacp|trunk``: a link aggregation, which HP calls a trunk."""
    for name in args.ports("ports"):
        number = int(re.sub(r"\D", "", args.text("word")) or 0) if not args.no else 0
        switch.running.ports[name].channel = None if args.no else (number, args.word("kind"))
    return []


_LEAVING: Commands = [("end", CliSwitch.do_end), ("exit", CliSwitch.do_exit)]

CONFIG: Commands = [
    *_LEAVING,
    *ALL_MANAGER_CONTEXTS,
    ("hostname <word>", _hostname),
    ("interface <ports>", _interface),
    ("interface <ports> how:disable|enable", _enable_ports),
    ("interface <ports> name <word>", _port_name),
    ("max-vlans <number>", _max_vlans),
    ("trunk <ports> <word> kind:lacp|trunk", _trunk),
    ("no trunk <ports>", _trunk),
    ("vlan <vlan>", _vlan),
    ("no vlan <vlan>", _no_vlan),
    ("vlan <vlan> name <word>", _vlan_name),
    ("vlan <vlan> how:tagged|untagged <ports>", _add_ports),
    ("no vlan <vlan> how:tagged|untagged <ports>", _remove_ports),
]

VLAN: Commands = [
    *_LEAVING,
    ("name <word>", _vlan_name),
    ("how:tagged|untagged <ports>", _add_ports),
    ("no how:tagged|untagged <ports>", _remove_ports),
    ("no ip address", CliSwitch.do_nothing),
]

PORT: Commands = [
    *_LEAVING,
    ("how:disable|enable", _enable_ports),
    ("name <word>", _port_name),
    ("no name", _port_name),
]
