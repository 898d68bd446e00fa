"""The commands of OS10, mode by mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Mode, Session
from haas_rpcd.sim.ioslike import execute, ports
from haas_rpcd.sim.ioslike.execute import LEAVING
from haas_rpcd.sim.os10 import cabling, modes, show
from haas_rpcd.sim.os10.state import CHANNEL, DEFAULT_VLAN, NAMING, Config, Port

Switch = CliSwitch[Config]

ARGUMENTS: Mapping[str, cli.Argument] = {**cli.ARGUMENTS, "number": cli.Number(0, 4294967295)}


# --- in exec mode


_save = execute.save()


def _reload(switch: Switch, session: Session, args: Args) -> Lines:
    def confirm() -> None:
        session.ask("Proceed to reboot the system? [confirm yes/no]:", confirmed)

    def confirmed(text: str) -> Lines:
        if execute.is_yes(text):
            switch.reload()
        return []

    def save_first(text: str) -> Lines:
        yes = execute.is_yes(text)
        session.print(
            ["Saving system configuration", *(_save(switch, session, args) or ())]
            if yes
            else ["Continuing without saving system configuration"]
        )
        confirm()
        return []

    if switch.modified:
        session.ask("System configuration has been modified. Save? [yes/no]:", save_first)
    else:
        confirm()
    return []


IN_EXEC: Commands = [
    *show.COMMANDS,
    *cabling.COMMANDS,
    ("configure [terminal]", execute.enter(modes.CONFIG)),
    ("copy running-configuration startup-configuration", _save),
    ("exit", CliSwitch.do_quit),
    ("reload", _reload),
    ("terminal length <number>", CliSwitch.do_length),
    ("terminal width <number>", CliSwitch.do_width),
    ("write [memory]", _save),
]


# --- configuration


def _interface(switch: Switch, session: Session, args: Args) -> Lines:
    """``interface <port>``: makes a port channel that is not there yet, in its factory state."""
    name = args.text("port")
    label = NAMING.short(name).lower()
    if switch.names.is_channel(name):
        switch.running.ports.setdefault(name, Port())
        switch.touch()
        label = label.replace("po", "po-")
    session.enter(modes.PORT, label, ports=(name,))
    return []


def _no_interface(switch: Switch, session: Session, args: Args) -> Lines:
    """``no interface <port channel>``: its members are as new ones, but stay open or shut.

    "The interfaces restore and are ready for configuration" (User Guide 10.5.0, "Modes" of LAGs).
    """
    name = args.text("port")
    if not switch.names.is_channel(name) or name not in switch.running.ports:
        raise cli.RejectedError("% Error: Illegal parameter.")
    for member in switch.running.members(name):
        _restore(member)
    del switch.running.ports[name]
    switch.touch()
    return []


def _restore(port: Port) -> None:
    """Make a member a port in the default VLAN."""
    port.channel, port.switched, port.mode, port.access_vlan = None, True, "access", DEFAULT_VLAN


def _range(switch: Switch, session: Session, args: Args) -> Lines:
    names = args.ports("ports")
    session.enter(modes.PORTS, show.listed(names).lower(), ports=names)
    return []


def _vlan(switch: Switch, session: Session, args: Args) -> Lines:
    vlan = args.number("vlan")
    switch.touch()
    if not args.no:
        switch.running.vlans.setdefault(vlan, "")
        session.enter(modes.VLAN, str(vlan), editing=vlan)
        return []
    if vlan == DEFAULT_VLAN:
        raise cli.RejectedError("% Error: Default VLAN cannot be deleted.")
    switch.running.vlans.pop(vlan, None)
    for port in switch.running.ports.values():
        port.allowed -= {vlan}
        if port.access_vlan == vlan:
            port.access_vlan = DEFAULT_VLAN
    return []


def _vlan_description(switch: Switch, session: Session, args: Args) -> Lines:
    switch.running.vlans[session.editing] = "" if args.no else args.text("line").strip('"')
    return []


def _no_switchport(switch: Switch, name: str, port: Port, args: Args) -> None:
    port.switched, port.mode, port.access_vlan, port.allowed = False, "access", None, frozenset()


def _channel_group(switch: Switch, name: str, port: Port, args: Args) -> None:
    """``[no] channel-group``: the LAG of a member is static or dynamic, as the others' is."""
    if switch.names.is_channel(name):
        raise cli.RejectedError("% Error: Illegal parameter.")
    if args.no:
        if port.channel is not None:
            _restore(port)
        return
    number, mode = args.number("number"), args.word("mode")
    channel = f"{CHANNEL}{number}"
    if channel not in switch.names.channels:
        raise cli.RejectedError("% Error: Illegal parameter.")
    others = (one for one in switch.running.members(channel) if one is not port)
    if any(one.channel and (one.channel[1] == "on") != (mode == "on") for one in others):
        raise cli.RejectedError("% Error: Static and dynamic members cannot be in the same LAG.")
    switch.running.ports.setdefault(channel, Port())
    _no_switchport(switch, name, port, args)
    port.channel = (number, mode)


def _mode(switch: Switch, name: str, port: Port, args: Args) -> None:
    if not port.switched:
        port.switched, port.access_vlan = True, DEFAULT_VLAN
    port.mode = "access" if args.no else args.word("mode")
    if port.mode == "access":
        port.allowed = frozenset()
        port.access_vlan = port.access_vlan or DEFAULT_VLAN


def _layer2(port: Port) -> None:
    if not port.switched:
        raise cli.RejectedError("% Error: Interface is in Layer 3 mode.")


def _exist(switch: Switch, vlans: Iterable[int]) -> None:
    if not switch.running.vlans.keys() >= set(vlans):
        raise cli.RejectedError("% Error: VLAN does not exist.")


def _access_vlan(switch: Switch, name: str, port: Port, args: Args) -> None:
    _layer2(port)
    if args.no:
        port.access_vlan = None if port.mode == "trunk" else DEFAULT_VLAN
        return
    vlan = args.number("vlan")
    _exist(switch, [vlan])
    if vlan in port.allowed:
        raise cli.RejectedError(
            "% Error: Interface cannot be an access and trunk member of the same VLAN."
        )
    port.access_vlan = vlan


def _allowed(switch: Switch, name: str, port: Port, args: Args) -> None:
    _layer2(port)
    if port.mode != "trunk":
        raise cli.RejectedError("% Error: Interface is not in trunk mode.")
    vlans = args.vlans("vlans") if "vlans" in args else port.allowed
    if args.no:
        port.allowed -= vlans
        return
    _exist(switch, vlans)
    if port.access_vlan in vlans:
        raise cli.RejectedError(
            "% Error: Interface cannot be an access and trunk member of the same VLAN. One of the "
            "vlan in the range provided is already an access vlan."
        )
    port.allowed |= vlans


GLOBAL: Commands = [
    ("[no] hostname <word>", execute.hostname("OS10")),
    ("interface range <ports>", _range),
    ("[no] interface vlan <vlan>", _vlan),
    ("interface <port>", _interface),
    ("no interface <port>", _no_interface),
]
IN_VLAN: Commands = [
    ("description <line>", _vlan_description),
    ("no description [<line>]", _vlan_description),
    ("[no] shutdown", CliSwitch.do_nothing),
]
IN_PORT: Commands = [
    *ports.commands(
        [
            ("description <line>", ports.unquoted_description('"')),
            ("no description [<line>]", ports.description),
            ("[no] shutdown", ports.shutdown),
            ("no switchport", _no_switchport),
            ("channel-group <number> mode mode:active|on|passive", _channel_group),
            ("no channel-group [<number>]", _channel_group),
            ("switchport mode mode:access|trunk", _mode),
            ("no switchport mode", _mode),
            ("switchport access vlan <vlan>", _access_vlan),
            ("no switchport access vlan", _access_vlan),
            ("switchport trunk allowed vlan <vlans>", _allowed),
            ("no switchport trunk allowed vlan [<vlans>]", _allowed),
        ]
    ),
    ("flowcontrol receive off|on", CliSwitch.do_nothing),
]

TABLES: Mapping[Mode, Commands] = {
    modes.EXEC: IN_EXEC,
    modes.CONFIG: [*LEAVING, *GLOBAL],
    modes.PORT: [*LEAVING, *IN_PORT],
    modes.PORTS: [*LEAVING, *IN_PORT],
    modes.VLAN: [*LEAVING, *IN_VLAN],
}
