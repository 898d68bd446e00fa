"""The commands of FastIron, mode by mode."""

from __future__ import annotations

from collections.abc import Mapping

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Mode, RejectedError, Session
from haas_rpcd.sim.fastiron import cabling, modes, show
from haas_rpcd.sim.fastiron.ports import PortList, members
from haas_rpcd.sim.fastiron.state import DEFAULT_VLAN, Config, Port, Vlan
from haas_rpcd.sim.ioslike import execute, ports
from haas_rpcd.sim.ioslike.execute import LEAVING

Switch = CliSwitch[Config]

ARGUMENTS: Mapping[str, cli.Argument] = {**cli.ARGUMENTS, "list": PortList()}


# --- in user and privileged mode


def _enable(switch: Switch, session: Session, args: Args) -> Lines:
    return switch.do_enable(session, args)


def _pages(switch: Switch, session: Session, args: Args) -> Lines:
    session.length = switch.pager.length if args.no else 0
    return [] if args.no else ["Disable page display mode"]


def _reload(switch: Switch, session: Session, args: Args) -> Lines:
    def confirmed(key: str) -> Lines:
        if key.lower() == "y":
            switch.reload()
        return []

    session.ask("Are you sure? (enter 'y' or 'n'): ", confirmed, key=True, shows_key=True)
    return []


_write = execute.save("Flash Memory Write (8192 bytes per dot) ", ".", "Write startup-config done.")

ANY_LEVEL: Commands = [
    ("enable", _enable),
    ("exit", CliSwitch.do_quit),
    ("logout", CliSwitch.do_quit),
    *show.ANY_LEVEL,
    *cabling.COMMANDS,
]
PRIVILEGED: Commands = [
    *ANY_LEVEL,
    ("configure [terminal]", execute.enter(modes.CONFIG)),
    ("disable", CliSwitch.do_disable),
    ("reload", _reload),
    ("[no] skip-page-display", _pages),
    ("write memory", _write),
    *show.PRIVILEGED_ONLY,
]


# --- configuration


def _interface(switch: Switch, session: Session, args: Args) -> Lines:
    names = args.ports("list")
    numbers = [name.partition(" ")[2] for name in names]
    label = f"if-e1000-{numbers[0]}" if len(names) == 1 else f"mif-{numbers[0]}-{numbers[-1]}"
    session.enter(modes.INTERFACE, label, ports=names)
    return []


def _vlan(switch: Switch, session: Session, args: Args) -> Lines:
    number = args.number("vlan")
    vlans = switch.running.vlans
    if not args.no:
        vlan = vlans.setdefault(number, Vlan())
        vlan.name = args.text("word") if "word" in args else vlan.name
        session.enter(modes.VLAN, str(number), editing=number)
        return []
    if number == DEFAULT_VLAN:
        raise RejectedError(f"Error - VLAN {number} is the default vlan")
    if number not in vlans:
        raise RejectedError(f"Error - VLAN {number} is not configured")
    del vlans[number]
    for name, port in switch.running.ports.items():
        port.dual = None if port.dual == number else port.dual
        switch.running.came_home(name)
    switch.touch()
    return []


def _enabled(switch: Switch, name: str, port: Port, args: Args) -> None:
    port.disabled = args.word("how") == "disable"


def _port_name(switch: Switch, name: str, port: Port, args: Args) -> None:
    port.name = "" if args.no else args.text("line")


def _voice_vlan(switch: Switch, name: str, port: Port, args: Args) -> None:
    port.voice = None if args.no else args.number("vlan")


def _dual_mode(switch: Switch, name: str, port: Port, args: Args) -> None:
    vlan = args.number("vlan") if "vlan" in args else DEFAULT_VLAN
    number = name.partition(" ")[2]
    if args.no:
        if port.dual != vlan:
            raise RejectedError(f"Error - port {number} is not in dual-mode of VLAN {vlan}")
        port.dual = None
        return
    tagged = switch.running.tagged_on(name)
    if not tagged or (vlan != DEFAULT_VLAN and vlan not in tagged):
        raise RejectedError(f"Error - port {number} is not tagged in VLAN {vlan}")
    if port.dual not in (None, vlan):
        raise RejectedError(f"Error - port {number} is in dual-mode already")
    port.dual = vlan


def _route_only(switch: Switch, name: str, port: Port, args: Args) -> None:
    port.routes = not args.no


def _lag(switch: Switch, session: Session, args: Args) -> Lines:
    name = args.text("word")
    session.enter(modes.LAG, name, editing=(args.number("number"), name))
    return []


def _lag_ports(switch: Switch, session: Session, args: Args) -> Lines:
    for name in args.ports("list"):
        switch.running.ports[name].channel = None if args.no else session.editing
    return []


GLOBAL: Commands = [
    ("lag <word> dynamic id <number>", _lag),
    ("hostname <word>", execute.hostname()),
    ("interface <list>", _interface),
    ("vlan <vlan> [name <word>] [by port]", _vlan),
    ("no vlan <vlan>", _vlan),
    ("write memory", _write),
]
IN_INTERFACE: Commands = ports.commands(
    [
        ("how:enable|disable", _enabled),
        ("port-name <line>", _port_name),
        ("no port-name [<line>]", _port_name),
        ("[no] route-only", _route_only),
        ("voice-vlan <vlan>", _voice_vlan),
        ("no voice-vlan [<vlan>]", _voice_vlan),
    ]
)
DUAL_MODE: Commands = ports.commands(
    [("dual-mode [<vlan>]", _dual_mode), ("no dual-mode [<vlan>]", _dual_mode)]
)
IN_VLAN: Commands = [
    ("[no] how:tagged|untagged <list>", members),
    ("[no] spanning-tree", CliSwitch.do_nothing),
]


def tables(implicit: bool) -> Mapping[Mode, Commands]:
    """Return the commands of every mode; for ``implicit`` see `is_implicit`."""
    return {
        modes.USER: ANY_LEVEL,
        modes.PRIVILEGED: PRIVILEGED,
        modes.CONFIG: [*LEAVING, *GLOBAL],
        modes.INTERFACE: [*LEAVING, *IN_INTERFACE, *(() if implicit else DUAL_MODE)],
        modes.LAG: [*LEAVING, ("[no] ports <list>", _lag_ports)],
        modes.VLAN: [*LEAVING, *IN_VLAN],
    }
