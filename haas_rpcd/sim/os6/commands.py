"""The commands of OS6, mode by mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Mode, Session
from haas_rpcd.sim.ioslike import execute, ports
from haas_rpcd.sim.ioslike.general import remove_vlans, switchport
from haas_rpcd.sim.ioslike.show import default_vlan_name
from haas_rpcd.sim.os6 import cabling, modes, show
from haas_rpcd.sim.os6.state import EVERY, LAST_VLAN, NAMING, Config, Port

Switch = CliSwitch[Config]

ARGUMENTS: Mapping[str, cli.Argument] = {
    **cli.ARGUMENTS,
    "vlan": cli.Number(1, LAST_VLAN),
    "number": cli.Number(0, 512),
}


# --- in user and privileged mode


def _save(switch: Switch, session: Session, args: Args) -> Lines:
    def answered(key: str) -> Lines:
        if key != "y":
            return ["", "Configuration Not Saved!"]
        if not switch.save():
            return ["", *switch.save_error]
        return ["", "Configuration Saved!"]

    session.ask("Are you sure you want to save? (y/n) ", answered, key=True)
    return [
        "This operation may take a few minutes.",
        "Management interfaces will not be available during this time.",
        "",
    ]


def _reload(switch: Switch, session: Session, args: Args) -> Lines:
    def confirm() -> None:
        session.ask("Are you sure you want to reload the stack? (y/n) ", confirmed, key=True)

    def confirmed(key: str) -> Lines:
        if key == "y":
            session.print(["", "Reloading all switches."])
            switch.reload()
        return []

    def save_first(key: str) -> Lines:
        if key == "y":
            switch.save()
        confirm()
        return ["Configuration Saved!" if key == "y" else "Configuration Not Saved!"]

    if not switch.modified:
        confirm()
        return []
    session.ask("Would you like to save them now? (y/n) ", save_first, key=True)
    return ["Management switch has unsaved changes."]


ANY_LEVEL: Commands = [
    ("enable", CliSwitch.do_enable),
    ("exit", CliSwitch.do_exit),
    ("quit", CliSwitch.do_quit),
    ("terminal length <number>", CliSwitch.do_length),
    *show.ANY_LEVEL,
    *cabling.COMMANDS,
]
PRIVILEGED: Commands = [
    *ANY_LEVEL,
    ("configure [terminal]", execute.enter(modes.CONFIG)),
    ("copy running-config startup-config", _save),
    ("disable", CliSwitch.do_disable),
    ("reload", _reload),
    ("write [memory]", _save),
    *show.PRIVILEGED_ONLY,
]


# --- configuration


def _interface(switch: Switch, session: Session, args: Args) -> Lines:
    port = args.text("port")
    session.enter(modes.INTERFACE, NAMING.short(port), ports=[port])
    return []


def _vlan(switch: Switch, session: Session, args: Args) -> Lines:
    config, vlans = switch.running, args.vlans("vlans")
    switch.touch()
    if not args.no:
        if wrong := vlans - EVERY:
            raise cli.RejectedError(*_failures(wrong, "VLAN ID is out of range"))
        for vlan in vlans:
            config.vlans.setdefault(vlan, "default" if vlan == 1 else default_vlan_name(vlan))
        session.enter(modes.VLAN, cli.format_list(vlans), editing=vlans)
        return []
    missing = remove_vlans(config, vlans - {1})
    return [f"These VLANs do not exist:  {cli.format_list(missing, '')}.", ""] if missing else []


def _failures(vlans: Iterable[int], why: str) -> Iterator[str]:
    wrong = sorted(vlans)
    yield from ["", "          Failure Information", "-" * 39]
    yield from [f"   VLANs failed to be configured : {len(wrong)}", "-" * 39]
    yield from ["   VLAN             Error", "-" * 39]
    yield from (f"VLAN {vlan:<9} ERROR: {why}" for vlan in wrong)
    yield ""


def _vlan_name(switch: Switch, session: Session, args: Args) -> Lines:
    name = args.text("word").strip("\"'")
    if len(name) > 32:
        raise cli.RejectedError("Name must be 32 characters or less.", "")
    for vlan in session.editing:
        switch.running.vlans[vlan] = name
    return []


def _access_vlan(switch: Switch, name: str, port: Port, args: Args) -> None:
    if not args.no and args.number("vlan") not in switch.running.vlans:
        raise cli.RejectedError("", "VLAN ID not found.", "")
    port.access_vlan = 1 if args.no else args.number("vlan")


def _native_vlan(switch: Switch, name: str, port: Port, args: Args) -> None:
    vlan = 1 if args.no else args.number("vlan")
    if not args.no and vlan not in port.allowed & switch.running.vlans.keys():
        raise cli.RejectedError("Could not configure native VLAN.", "")
    port.native_vlan = vlan


def _voice_vlan(switch: Switch, name: str, port: Port, args: Args) -> None:
    port.voice_vlan = None if args.no else args.number("vlan")


def _general(switch: Switch, name: str, port: Port, args: Args) -> Lines:
    vlans = args.vlans("vlans")
    if args.word("how") == "remove":
        port.leave(vlans)
        return []
    if missing := vlans - switch.running.vlans.keys():
        return _failures(missing, "This VLAN does not exist.")
    port.join(vlans, tagged="tag" in args and args.word("tag") == "tagged")
    return []


def _pvid(switch: Switch, name: str, port: Port, args: Args) -> None:
    vlan = 1 if args.no else args.number("vlan")
    if vlan not in switch.running.vlans:
        raise cli.RejectedError("Could not configure pvid.", "")
    port.pvid = vlan


_allowed = ports.allowed_vlans(EVERY)

GLOBAL: Commands = [
    ("[no] hostname <word>", execute.hostname("console", quotes='"')),
    ("interface <port>", _interface),
    ("interface range <ports>", execute.enter_ports(modes.RANGE)),
    ("[no] vlan <vlans>", _vlan),
]
IN_VLAN: Commands = [("name <word>", _vlan_name)]
IN_INTERFACE: Commands = [
    *ports.commands(
        [
            *switchport(
                access=_access_vlan,
                native=_native_vlan,
                allowed=_allowed,
                general=_general,
                pvid=_pvid,
            ),
            ("description <line>", ports.unquoted_description("\"'")),
            ("switchport trunk allowed vlan <vlans>", _allowed),
            *ports.CHANNEL,
            ("voice vlan <vlan>", _voice_vlan),
            ("no voice vlan", _voice_vlan),
        ]
    ),
    ("spanning-tree portfast", CliSwitch.do_nothing),
]

# Commands that only show something are accepted in configuration mode as well.
_LEAVING = [*execute.LEAVING, *execute.those(PRIVILEGED, "show")]

TABLES: Mapping[Mode, Commands] = {
    modes.USER: ANY_LEVEL,
    modes.PRIVILEGED: PRIVILEGED,
    modes.CONFIG: [*_LEAVING, *GLOBAL],
    modes.INTERFACE: [*_LEAVING, *IN_INTERFACE],
    modes.RANGE: [*_LEAVING, *IN_INTERFACE],
    modes.VLAN: [*_LEAVING, *IN_VLAN],
}
