"""The commands of ROS, mode by mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Mode, Session
from haas_rpcd.sim.ioslike import execute, ports
from haas_rpcd.sim.ioslike.execute import LEAVING
from haas_rpcd.sim.ioslike.general import remove_vlans, switchport
from haas_rpcd.sim.powerconnect import cabling, modes, show
from haas_rpcd.sim.powerconnect.state import Config, Port

Switch = CliSwitch[Config]

NOT_CREATED = "VLAN was not created by user."
OVERWRITE = "Overwrite file [startup-config].... (Y/N)[N] ?"


# --- in user and privileged mode


def _datadump(switch: Switch, session: Session, args: Args) -> Lines:
    session.length = switch.pager.length if args.no else 0
    return []


def _save(switch: Switch, session: Session, args: Args) -> Lines:
    def answered(key: str) -> Lines:
        if key.lower() != "y":
            return []
        copying = _log(
            "COPY-I-FILECPY",
            "Files Copy - source URL running-config destination URL flash://startup-config",
        )
        if not switch.save():
            return [copying, *switch.save_error]
        done = _log("COPY-N-TRAP", "The copy operation was completed successfully")
        return [copying, done, "Copy succeeded"]

    session.ask(OVERWRITE, answered, key=True, shows_key=True)
    return []


def _log(kind: str, text: str) -> str:
    return f"01-Jan-2000 00:13:41 %{kind}: {text}"


def _reload(switch: Switch, session: Session, args: Args) -> Lines:
    def answered(key: str) -> Lines:
        if key.lower() == "y":
            session.print(["Shutting down ..."])
            switch.reload()
        return []

    unsaved = "You haven't saved your changes. Are you sure you want to continue ? (Y/N)[N] "
    session.ask(
        unsaved
        if switch.modified
        else "This command will reset the whole system and disconnect your current session. "
        "Do you want to continue ? (Y/N)[N] ",
        answered,
        key=True,
        shows_key=True,
    )
    return []


ANY_LEVEL: Commands = [
    ("enable", CliSwitch.do_enable),
    ("exit", CliSwitch.do_quit),
    ("[no] terminal datadump", _datadump),
    *show.ANY_LEVEL,
]
PRIVILEGED: Commands = [
    *ANY_LEVEL,
    ("configure [terminal]", execute.enter(modes.CONFIG)),
    ("copy running-config startup-config", _save),
    ("disable", CliSwitch.do_disable),
    ("reload", _reload),
    ("write [memory]", _save),
    *show.PRIVILEGED_ONLY,
    *cabling.COMMANDS,
]


# --- configuration


def _vlan(switch: Switch, session: Session, args: Args) -> Lines:
    config, vlans = switch.running, args.vlans("vlans") - {1}
    switch.touch()
    if not args.no:
        for vlan in vlans:
            config.vlans.setdefault(vlan, "")
        return []
    return [NOT_CREATED] if remove_vlans(config, vlans) else []


def _vlan_interface(switch: Switch, session: Session, args: Args) -> Lines:
    vlan = args.number("vlan")
    if vlan not in switch.running.vlans:
        raise cli.RejectedError(NOT_CREATED)
    session.enter(modes.VLAN_INTERFACE, editing=vlan)
    return []


def _vlan_name(switch: Switch, session: Session, args: Args) -> Lines:
    switch.running.vlans[session.editing] = "" if args.no else args.text("word")
    return []


def _known(switch: Switch, vlans: Iterable[int]) -> None:
    if not switch.running.vlans.keys() >= set(vlans):
        raise cli.RejectedError(NOT_CREATED)


def _one(switch: Switch, args: Args) -> int | None:
    """Read a VLAN that must exist, ``none``, or VLAN 1 after a ``no``."""
    if args.no or "none" in args:
        return 1 if args.no else None
    _known(switch, [args.number("vlan")])
    return args.number("vlan")


def _access_vlan(switch: Switch, name: str, port: Port, args: Args) -> None:
    port.access_vlan = _one(switch, args)


def _native_vlan(switch: Switch, name: str, port: Port, args: Args) -> None:
    port.native_vlan = _one(switch, args)


_set_allowed = ports.allowed_vlans()


def _allowed(switch: Switch, name: str, port: Port, args: Args) -> None:
    if "how" in args and args.word("how") == "add":
        _known(switch, args.vlans("vlans"))
    _set_allowed(switch, name, port, args)


def _general(switch: Switch, name: str, port: Port, args: Args) -> None:
    vlans = args.vlans("vlans")
    if args.word("how") == "remove":
        port.leave(vlans)
        return
    _known(switch, vlans)
    port.join(vlans, tagged="tag" not in args or args.word("tag") == "tagged")


def _pvid(switch: Switch, name: str, port: Port, args: Args) -> None:
    if not args.no:
        _known(switch, [args.number("vlan")])
    port.pvid = 1 if args.no else args.number("vlan")


def _voice(switch: Switch, name: str, port: Port, args: Args) -> None:
    port.voice = not args.no


def _voice_vlan(switch: Switch, session: Session, args: Args) -> Lines:
    _known(switch, [args.number("vlan")])
    switch.running.voice_vlan = args.number("vlan")
    switch.touch()
    return []


GLOBAL: Commands = [
    ("voice vlan id <vlan>", _voice_vlan),
    ("[no] hostname <word>", execute.hostname("console", quotes='"')),
    ("interface <port>", execute.enter_port(modes.INTERFACE)),
    ("interface range <ports>", execute.enter_ports(modes.RANGE)),
    ("interface vlan <vlan>", _vlan_interface),
    ("vlan database", execute.enter(modes.DATABASE)),
]
IN_DATABASE: Commands = [("[no] vlan <vlans>", _vlan)]
IN_VLAN_INTERFACE: Commands = [("name <word>", _vlan_name), ("no name", _vlan_name)]
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
            ("description <line>", ports.description),
            ("[no] voice vlan enable", _voice),
            *ports.channel_commands("auto|on"),
            ("switchport access vlan none:none", _access_vlan),
            ("switchport trunk native vlan none:none", _native_vlan),
            ("switchport trunk allowed vlan how:none", _allowed),
        ],
        stops=False,  # a command that is refused on one port is executed on the others
    ),
    ("spanning-tree portfast", CliSwitch.do_nothing),
]

TABLES: Mapping[Mode, Commands] = {
    modes.USER: ANY_LEVEL,
    modes.PRIVILEGED: PRIVILEGED,
    modes.CONFIG: [*LEAVING, *GLOBAL],
    modes.DATABASE: [*LEAVING, *IN_DATABASE],
    modes.INTERFACE: [*LEAVING, *IN_INTERFACE],
    modes.RANGE: [*LEAVING, *IN_INTERFACE],
    modes.VLAN_INTERFACE: [*LEAVING, *IN_VLAN_INTERFACE],
}
