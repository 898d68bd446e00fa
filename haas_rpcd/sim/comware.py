"""A Comware switch (HPE 5130, HP A5120): views, refusals, displays as Comware 7 and 5.20 have them.

Written from HPE's and H3C's "Layer 2 LAN Switching" and "Fundamentals" guides (7500, 5700, 5830),
ntc-templates' recorded output and published sessions. The refusals of a line that is meant for
another link type, of VLANs that don't exist and of logins are in Comware's manner, not verbatim.

Changing a port's link type takes it back to the defaults of the new one: an access port is in VLAN
1, a trunk permits VLAN 1 and has it as its PVID. From trunk to hybrid it must be access in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, RejectedError, Session
from haas_rpcd.sim.cli.portname import PortNames

__all__ = ["Comware5Switch", "ComwareSwitch"]

DEFAULT_VLAN = 1
MOST_ITEMS = 10
"""VLANs or ranges of them in one list (``&<1-10>``)."""

USER = Mode("user", "<{host}>")
SYSTEM = Mode("system", "[{host}]", USER, configures=True)
INTERFACE = Mode("interface", "[{host}-{label}]", SYSTEM, configures=True, falls_to=SYSTEM)
RANGE = Mode("if-range", "[{host}-if-range]", SYSTEM, configures=True, falls_to=SYSTEM)
VLAN = Mode("vlan", "[{host}-vlan{label}]", SYSTEM, configures=True, falls_to=SYSTEM)

NAMING = cli.Naming(
    {"GigabitEthernet": "GE", "Ten-GigabitEthernet": "XGE"},
    kind=r"[A-Za-z-]+",
    to=r"\s+to\s+",
    comma=r"\s+",
    ends=("name",),
    max_parts=24,
)

COPYRIGHT = (
    "*" * 78,
    "* Copyright (c) 2010-2018 Hewlett Packard Enterprise Development LP          *",
    "* Without the owner's prior written consent,                                 *",
    "* no decompiling or reverse-engineering shall be allowed.                    *",
    "*" * 78,
    "",
)


@dataclass(slots=True)
class Port:
    """A port as it comes: an access port in VLAN 1, open."""

    description: str = ""
    shutdown: bool = False
    link_type: str = "access"
    access_vlan: int = DEFAULT_VLAN
    pvid: int = DEFAULT_VLAN
    permitted: frozenset[int] = frozenset({DEFAULT_VLAN})
    tagged: frozenset[int] = frozenset()  # of a hybrid port
    untagged: frozenset[int] = frozenset({DEFAULT_VLAN})  # of a hybrid port

    def become(self, link_type: str) -> None:
        """Take another link type, with its defaults."""
        fresh = Port()
        self.link_type = link_type
        self.access_vlan, self.pvid = fresh.access_vlan, fresh.pvid
        self.permitted, self.tagged, self.untagged = fresh.permitted, frozenset(), fresh.untagged

    def carried(self, vlans: Iterable[int]) -> cli.Carried:
        """Say what it carries while ``vlans`` exist."""
        live = frozenset(vlans)
        if self.shutdown:
            return cli.NOTHING
        if self.link_type == "access":
            return cli.Carried(self.access_vlan) if self.access_vlan in live else cli.NOTHING
        passing = (
            self.permitted if self.link_type == "trunk" else self.untagged | self.tagged
        ) & live
        bare = self.pvid in passing and (self.link_type == "trunk" or self.pvid in self.untagged)
        return cli.Carried(self.pvid if bare else None, passing - {self.pvid} if bare else passing)


class Config(cli.Config):
    """A configuration of Comware."""

    ports: dict[str, Port]
    vlans: dict[int, str]


class VlanList:
    """``100 to 110 112``: at most ten items, up to the first word that is none."""

    help = "INTEGER<1-4094>"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read the list."""
        end = index
        while end < len(line.words) and (
            line.words[end].text.isdigit() or line.words[end].text.lower() == "to"
        ):
            end += 1
        words = [word.text.lower() for word in line.words[index:end]]
        if not words:
            raise cli.InvalidError(line.column(index), index)
        if len(words) - 2 * words.count("to") > MOST_ITEMS:
            raise cli.InvalidError(line.column(end - 1), end - 1)
        try:
            return cli.parse_list(" ".join(words), " ", "to"), end
        except ValueError:
            raise cli.InvalidError(line.column(index), index) from None


# --- in all views


def _save(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    if "force" in args.values:
        return switch.saved()

    def confirmed(text: str) -> Lines:
        if text.strip().lower() not in ("y", "yes"):
            return []
        session.ask(
            "Please input the file name(*.cfg)[flash:/startup.cfg]\n"
            "(To leave the existing filename unchanged, press the enter key):",
            lambda name: switch.saved(),
        )
        return []

    question = "The current configuration will be written to the device. Are you sure? [Y/N]:"
    session.ask(question, confirmed)
    return []


def _no_pages(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    session.length = switch.pager.length if args.no else 0
    return [] if args.no else switch.says_unpaged


def _monitor(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    session.monitors = not args.no
    return switch.says_monitored(session.monitors)


def _reboot(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    if "force" in args.values:
        switch.reload()
        return []

    def continued(text: str) -> Lines:
        if text.strip().lower() in ("y", "yes"):
            switch.reload()
        return []

    def unsaved(text: str) -> Lines:
        printed = switch.saved() if text.strip().lower() in ("y", "yes") else []
        session.ask("This command will reboot the device. Continue? [Y/N]:", continued)
        return printed

    if switch.modified:
        session.ask(
            "Current configuration may be lost, save current configuration? [Y/N]:", unsaved
        )
    else:
        session.ask("This command will reboot the device. Continue? [Y/N]:", continued)
    return [
        "Start to check configuration with next startup configuration file, please wait."
        "........DONE!"
    ]


# --- display


def _current(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    return _config_lines(switch, switch.running)


def _stored(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["The config file does not exist!"]
    return _config_lines(switch, switch.startup)


def _current_interface(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    names = [args.text("port")] if "port" in args else switch.port_list
    lines = [] if "port" in args else ["#", "interface NULL0"]
    for name in names:
        lines += ["#", *_stanza(name, switch.running.ports[name])]
    return [*lines, "#", "return"]


def _this(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    if session.mode is VLAN:
        own = [f"vlan {session.label}", *_named(switch.running.vlans[int(session.label)])]
    elif session.selection:
        own = list(_stanza(session.selection[0], switch.running.ports[session.selection[0]]))
    else:
        own = [f" sysname {switch.running.hostname}"]
    return ["#", *own, "#", "return"]


def _config_lines(switch: ComwareSwitch, config: Config) -> Iterator[str]:
    yield from ["#", f" version {switch.release}", "#", f" sysname {config.hostname}"]
    yield from ["#", " telnet server enable"]
    for vlan, name in sorted(config.vlans.items()):
        yield from ["#", f"vlan {vlan}", *_named(name if vlan != DEFAULT_VLAN else "")]
    yield from ["#", "interface NULL0"]
    for name in switch.port_list:
        yield from ["#", *_stanza(name, config.ports[name])]
    yield from ["#", "line vty 0 63", " authentication-mode scheme", "#", "return"]


def _named(name: str) -> list[str]:
    return [f" name {name}"] if name else []


def _stanza(name: str, port: Port) -> Iterator[str]:
    """One interface; what is at its default is not shown."""
    yield f"interface {name}"
    yield " port link-mode bridge"
    if port.description:
        yield f" description {port.description}"
    if port.link_type != "access":
        yield f" port link-type {port.link_type}"
    if port.access_vlan != DEFAULT_VLAN:
        yield f" port access vlan {port.access_vlan}"
    if port.link_type == "trunk":
        if DEFAULT_VLAN not in port.permitted:
            yield " undo port trunk permit vlan 1"
        if port.permitted - {DEFAULT_VLAN}:
            yield from (f" port trunk permit vlan {row}" for row in _rows(port.permitted))
    if port.link_type == "hybrid":
        if DEFAULT_VLAN not in port.tagged | port.untagged:
            yield " undo port hybrid vlan 1"
        yield from (f" port hybrid vlan {row} tagged" for row in _rows(port.tagged))
        if port.untagged - {DEFAULT_VLAN}:
            yield from (f" port hybrid vlan {row} untagged" for row in _rows(port.untagged))
    if port.pvid != DEFAULT_VLAN:
        yield f" port {port.link_type} pvid vlan {port.pvid}"
    if port.shutdown:
        yield " shutdown"


def _rows(vlans: frozenset[int]) -> Iterator[str]:
    parts = cli.format_list(vlans, "", to="-", pairs=False).split(",") if vlans else []
    for at in range(0, len(parts), MOST_ITEMS):
        yield " ".join(parts[at : at + MOST_ITEMS]).replace("-", " to ")


def _show_vlans(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    return switch.vlans_shown()


def _brief(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    lines = [
        "Brief information on interfaces in bridge mode:",
        "Link: ADM - administratively down; Stby - standby",
        "Speed: (a) - auto",
        "Duplex: (a)/A - auto; H - half; F - full",
        "Type: A - access; T - trunk; H - hybrid",
        "Interface            Link Speed   Duplex Type PVID Description",
    ]
    for name, port in switch.running.ports.items():
        link = "ADM" if port.shutdown else "DOWN" if name in switch.unplugged else "UP"
        speed, duplex = ("1G(a)", "F(a)") if link == "UP" else ("auto", "A")
        pvid = port.access_vlan if port.link_type == "access" else port.pvid
        kind = port.link_type[0].upper()
        lines.append(
            f"{NAMING.short(name):<20} {link:<4} {speed:<7} {duplex:<6} {kind:<4} {pvid:<4} "
            f"{port.description}".rstrip()
        )
    return lines


def _version(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    minutes = int(switch.seconds_up()) // 60
    days, minutes = divmod(minutes, 1440)
    hours, minutes = divmod(minutes, 60)
    up = f"{days // 7} weeks, {days % 7} days, {hours} hours, {minutes} minutes"
    return [*switch.banner_of_version, f"{switch.product} uptime is {up}", *switch.below_uptime]


# --- system view and those below it


def _system_view(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    session.enter(SYSTEM)
    return ["System View: return to User View with Ctrl+Z."]


def _sysname(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    switch.running.hostname = "HPE" if args.no else args.text("word")
    return []


def _interface(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    name = args.text("port")
    session.enter(INTERFACE, name, ports=[name])
    return []


def _interfaces(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    session.enter(RANGE, ports=args.ports("ports"))
    return []


def _vlan(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    vlan = args.number("vlan")
    vlans = switch.running.vlans
    switch.touch()
    if not args.no:
        vlans.setdefault(vlan, "")
        session.enter(VLAN, str(vlan))
        return []
    if vlan == DEFAULT_VLAN:
        raise RejectedError("VLAN 1 cannot be deleted.")
    if vlan not in vlans:
        raise RejectedError("The VLAN does not exist.")
    del vlans[vlan]
    for port in switch.running.ports.values():
        if port.access_vlan == vlan:  # a trunk keeps a PVID that does not exist
            port.access_vlan = DEFAULT_VLAN
    return []


def _vlan_name(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
    switch.running.vlans[int(session.label)] = "" if args.no else args.text("word")
    return []


def _each(apply: Callable[[ComwareSwitch, Port, Args], None]) -> cli.Handler:
    """Carry a line out on all ports of a range, but on none if the first will not have it.

    ("Bulk configuring interfaces" in the 5700's configuration guide.)
    """

    def run(switch: ComwareSwitch, session: Session, args: Args) -> Lines:
        printed: list[str] = []
        for at, name in enumerate(session.selection):
            switch.touch(name)
            try:
                apply(switch, switch.running.ports[name], args)
            except RejectedError as error:
                printed += error.lines
                if at == 0:
                    break
        return printed

    return run


def _description(switch: ComwareSwitch, port: Port, args: Args) -> None:
    port.description = "" if args.no else args.text("line")


def _shutdown(switch: ComwareSwitch, port: Port, args: Args) -> None:
    port.shutdown = not args.no


def _link_type(switch: ComwareSwitch, port: Port, args: Args) -> None:
    wanted = "access" if args.no else args.word("type")
    if wanted == port.link_type:
        return
    if "access" not in (wanted, port.link_type):
        raise RejectedError("Please set the link type of the port to access first.")
    port.become(wanted)


def _of_type(port: Port, link_type: str) -> None:
    if port.link_type != link_type:
        article = "an" if link_type == "access" else "a"
        raise RejectedError(f"The port is not {article} {link_type} port.")


def _access(switch: ComwareSwitch, port: Port, args: Args) -> None:
    _of_type(port, "access")
    vlan = DEFAULT_VLAN if args.no else args.number("vlan")
    if vlan not in switch.running.vlans:
        raise RejectedError("The VLAN does not exist.")
    port.access_vlan = vlan


def _permit(switch: ComwareSwitch, port: Port, args: Args) -> None:
    _of_type(port, "trunk")
    vlans = args.vlans("list") if "list" in args else cli.ALL_VLANS
    port.permitted = port.permitted - vlans if args.no else port.permitted | vlans


def _pvid(switch: ComwareSwitch, port: Port, args: Args) -> None:
    _of_type(port, args.word("type"))
    port.pvid = DEFAULT_VLAN if args.no else args.number("vlan")


def _hybrid(switch: ComwareSwitch, port: Port, args: Args) -> None:
    _of_type(port, "hybrid")
    vlans = args.vlans("list")
    port.tagged, port.untagged = port.tagged - vlans, port.untagged - vlans
    if not args.no and args.word("how") == "tagged":
        port.tagged |= vlans
    elif not args.no:
        port.untagged |= vlans


EVERYWHERE: Commands = [
    ("display current-configuration", _current),
    ("display current-configuration interface [<port>]", _current_interface),
    ("display interface brief", _brief),
    ("display saved-configuration", _stored),
    ("display this", _this),
    ("display version", _version),
    ("display vlan [all]", _show_vlans),
    ("quit", CliSwitch.do_exit),
    ("save [how:force]", lambda switch, session, args: _save(switch, session, _forced(args))),
]
IN_USER: Commands = [
    *EVERYWHERE,
    ("reboot [how:force]", lambda switch, session, args: _reboot(switch, session, _forced(args))),
    ("[undo] screen-length disable", _no_pages),
    ("system-view", _system_view),
    ("[undo] terminal monitor", _monitor),
]
BELOW: Commands = [*EVERYWHERE, ("return", CliSwitch.do_end)]
IN_SYSTEM: Commands = [
    *BELOW,
    ("interface <port>", _interface),
    ("interface range <ports>", _interfaces),
    ("sysname <word>", _sysname),
    ("undo sysname", _sysname),
    ("[undo] vlan <vlan>", _vlan),
]
IN_VLAN: Commands = [*BELOW, ("name <word>", _vlan_name), ("undo name", _vlan_name)]
IN_INTERFACE: Commands = [
    *BELOW,
    ("description <line>", _each(_description)),
    ("undo description", _each(_description)),
    ("[undo] shutdown", _each(_shutdown)),
    ("port link-type type:access|hybrid|trunk", _each(_link_type)),
    ("undo port link-type", _each(_link_type)),
    ("port access vlan <vlan>", _each(_access)),
    ("undo port access vlan", _each(_access)),
    ("[undo] port trunk permit vlan <list>", _each(_permit)),
    ("[undo] port trunk permit vlan all", _each(_permit)),
    ("port type:hybrid|trunk pvid vlan <vlan>", _each(_pvid)),
    ("undo port type:hybrid|trunk pvid", _each(_pvid)),
    ("port hybrid vlan <list> how:tagged|untagged", _each(_hybrid)),
    ("undo port hybrid vlan <list>", _each(_hybrid)),
    ("[undo] stp edged-port", CliSwitch.do_nothing),
]


def _forced(args: Args) -> Args:
    return Args(args.no, {"force": True} if "how" in args else {})


class ComwareSwitch(CliSwitch[Config]):
    """A simulated switch with Comware 7. Options: see `haas_rpcd.sim.cli.device.Options`."""

    dialect = "hpe_comware"
    user_mode = privileged_mode = USER  # what one may do depends on the user's role
    naming = NAMING
    login = cli.Login(
        user="login: ",
        password="Password: ",  # noqa: S106  (a prompt)
        before=COPYRIGHT,
        wrong=("AAA authentication failed.", ""),
    )
    pager = cli.Pager(more="  ---- More ----", erase=f"\x1b[16D{' ' * 16}\x1b[16D", quits="qQ\x03")
    full_text = "All lines are used, please try later!\r\n"
    negation = "undo"
    comment = "#"
    do_word = ""
    end_word = "return"
    width = 0
    longest_line = 510
    max_vtys = 64
    arguments: ClassVar[Mapping[str, cli.Argument]] = {**cli.ARGUMENTS, "list": VlanList()}

    release = "7.1.070, Release 3506P02"
    product = "HPE 5130-24G-4SFP+ EI Switch JG932A"
    banner_of_version: ClassVar[tuple[str, ...]] = (
        "HPE Comware Software, Version 7.1.070, Release 3506P02",
        "Copyright (c) 2010-2018 Hewlett Packard Enterprise Development LP",
    )
    below_uptime: ClassVar[tuple[str, ...]] = (
        "Last reboot reason : Power on",
        "",
        "Boot image: flash:/5130ei-cmw710-boot-r3506p02.bin",
        "Boot image version: 7.1.070, Release 3506P02",
    )
    says_unpaged: ClassVar[list[str]] = []
    saved_texts: ClassVar[tuple[str, ...]] = (
        "Validating file. Please wait...",
        "Saved the current configuration to mainboard device successfully.",
    )

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``GigabitEthernet1/0/1`` onwards."""
        return [f"GigabitEthernet1/0/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """What comes out of the box."""
        ports = {name: Port() for name in self.port_list}
        return Config(hostname or "HPE", ports, {DEFAULT_VLAN: ""})

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every view."""
        return {
            USER: IN_USER,
            SYSTEM: IN_SYSTEM,
            INTERFACE: IN_INTERFACE,
            RANGE: IN_INTERFACE,
            VLAN: IN_VLAN,
        }

    def reserved(self) -> Mapping[Mode, Mapping[str, str]]:
        """Keywords known only so that abbreviations clash."""
        return {
            SYSTEM: {"": "info-center ip irf domain dot1x line local-user loopback snmp-agent stp"},
            INTERFACE: {
                "": "speed dot1x duplex port-isolate port-security poe qos storm-constrain"
            },
            USER: {"": "debugging delete dir ping reset startup super telnet tracert"},
        }

    def enter(self, session: Session, user: str) -> list[str]:
        """Everybody who logs in is reminded of the copyright."""
        return [*super().enter(session, user), *([] if user else COPYRIGHT)]

    def saved(self) -> list[str]:
        """Save; say how it went."""
        done = self.save()
        first, *rest = self.saved_texts
        return [first, *(rest if done else (self.faults.save_error or "").splitlines())]

    def says_monitored(self, on: bool) -> list[str]:
        """What is answered to ``terminal monitor``."""
        return [f"The current terminal is {'enabled' if on else 'disabled'} to display logs."]

    def vlans_shown(self) -> list[str]:
        """What ``display vlan`` shows."""
        vlans = self.running.vlans
        return [f" Total VLANs: {len(vlans)}", " The VLANs include:", f" {_listed(vlans)}"]

    def _refused(self, session: Session, at: int, what: str) -> Lines:
        return [f"{' ' * (len(self.prompt(session)) + at)}^", f" % {what} found at '^' position."]

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """Comware tells words that it does not know from values that it does not take."""
        before = line.text[: line.column(error.word)]
        choices = self.forest[session.mode].choices(Line(before), self.names) if before else []
        first = error.word == 0 and line.words[0].text.lower() == "system-view"
        if choices == ["<cr>"]:
            what = "Too many parameters"
        elif first or any(choice != choice.lower() or choice[:1] == "<" for choice in choices):
            what = "Wrong parameter"
        else:
            what = "Unrecognized command"
        return self._refused(session, line.column(error.word), what)

    def incomplete(self, session: Session, line: Line) -> Lines:
        """Point behind the last word."""
        return self._refused(session, len(line.text.rstrip()), "Incomplete command")

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """Point at the first word."""
        return self._refused(session, line.column(0), "Ambiguous command")


class Comware5Switch(ComwareSwitch):
    """The same with Comware 5.20, which asks and tells some things in other words."""

    login = cli.Login(
        user="Username:",
        password="Password:",  # noqa: S106  (a prompt)
        before=(*COPYRIGHT, "Login authentication", "", ""),
        wrong=("% Login failed!", ""),
    )
    full_text = "All user interfaces are used, please try later!\r\n"
    max_vtys = 16
    release = "5.20.99, Release 2221P02"
    product = "HP A5120-24G EI Switch with 2 Slots"
    banner_of_version = (
        "HP Comware Platform Software",
        "Comware Software, Version 5.20.99, Release 2221P02",
        "Copyright (c) 2010-2013 Hewlett-Packard Development Company, L.P.",
    )
    below_uptime = ()
    says_unpaged: ClassVar[list[str]] = [
        "% Screen-length configuration is disabled for current user."
    ]
    saved_texts = (
        "Validating file. Please wait.....................................",
        "The current configuration is saved to the active main board successfully.",
        "Configuration is saved to device successfully.",
    )

    def says_monitored(self, on: bool) -> list[str]:
        """Told in a line that looks like an error."""
        return [f"% Current terminal monitor is {'on' if on else 'off'}."]

    def vlans_shown(self) -> list[str]:
        """What ``display vlan`` shows."""
        vlans = self.running.vlans
        return [
            f" Total {len(vlans)} VLAN exist(s).",
            " The following VLANs exist:",
            f"  {_listed(vlans)}",
        ]


def _listed(vlans: Iterable[int]) -> str:
    others = cli.format_list(set(vlans) - {DEFAULT_VLAN}, "", comma=", ", pairs=False)
    return ", ".join(part for part in ("1(default)", others) if part)
