"""An ICX switch with FastIron: modes, refusals and tables as Brocade's and Ruckus's have them.

Written from published sessions on ICX and FLS switches, ntc-templates' recorded output (08.0.30h,
08.0.90) and, for refusals, from what was recorded on NetIron, its sister. Texts of dual mode's own
refusals, of VLANs that don't exist and of logins are in that form, not verbatim. A port is on the
default VLAN until it joins another. What happens to it there when it is tagged on a VLAN depends on
the ``release``:

* Before 08.0.80 it leaves. ``dual-mode V`` in its own context lets frames without a tag be of a
  VLAN on which it is tagged; before it leaves that VLAN dual mode must be off.
* From 08.0.80 on it stays, untagged, until it joins a VLAN untagged or is taken off by name, which
  ends when it is tagged nowhere any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, RejectedError, Session
from haas_rpcd.sim.cli.portname import IncompleteNameError, NoSuchPortError, PortNames

__all__ = ["FastIronSwitch"]

MODEL = "ICX7150-24"
DEFAULT_VLAN = 1

USER = Mode("user", "{host}>")
PRIVILEGED = Mode("privileged", "{host}#")
CONFIG = Mode("config", "{host}(config)#", PRIVILEGED, configures=True)
INTERFACE = Mode("config-if", "{host}(config-{label})#", CONFIG, configures=True, falls_to=CONFIG)
VLAN = Mode("config-vlan", "{host}(config-vlan-{label})#", CONFIG, configures=True, falls_to=CONFIG)

NAMING = cli.Naming({"ethernet ": "e "}, aliases={"ethe": "ethernet "})


@dataclass(slots=True)
class Port:
    """A port as it comes: enabled. ``dual``: the VLAN of its dual mode, if any."""

    name: str = ""
    disabled: bool = False
    dual: int | None = None

    @property
    def shutdown(self) -> bool:
        """What FastIron calls disabled."""
        return self.disabled


@dataclass(slots=True)
class Vlan:
    """A VLAN and the ports that it lists; of the default one, those that were taken off it."""

    name: str = ""
    tagged: frozenset[str] = frozenset()
    untagged: frozenset[str] = frozenset()
    taken_off: frozenset[str] = frozenset()


@dataclass(slots=True)
class Config(cli.Config):
    """A configuration of FastIron. ``implicit``: as from 08.0.80 on."""

    implicit: bool = True

    def tagged_on(self, port: str) -> frozenset[int]:
        """On which VLANs a port is tagged."""
        return frozenset(vlan for vlan, it in self.vlans.items() if port in it.tagged)

    def untagged_on(self, port: str) -> int | None:
        """Which VLAN takes the frames without a tag."""
        own = next((vlan for vlan, it in self.vlans.items() if port in it.untagged), None)
        if own is not None or not self.tagged_on(port):
            return own or DEFAULT_VLAN
        if not self.implicit:
            dual: int | None = self.ports[port].dual
            return dual
        return None if port in self.vlans[DEFAULT_VLAN].taken_off else DEFAULT_VLAN

    def carried(self, port: str) -> cli.Carried:
        """Look where the port is listed."""
        if self.ports[port].disabled:
            return cli.NOTHING
        untagged = self.untagged_on(port)
        return cli.Carried(untagged, self.tagged_on(port) - {untagged})

    def came_home(self, port: str) -> None:
        """A port that is tagged nowhere any more is on the default VLAN as if nothing had been."""
        if not self.tagged_on(port):
            self.vlans[DEFAULT_VLAN].taken_off -= {port}


class PortList:
    """Ports as FastIron lists them: ``ethernet 1/1/1 to 1/1/4 ethe 1/1/7``."""

    help = "ethernet stack-unit/slotnum/portnum"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read everything up to the end of the line."""
        start = line.column(index)
        text = line.text[start:].strip()
        ports: dict[str, None] = {}
        if not re.fullmatch(r"(?:e[a-z]* ?[\d/]+(?: to [\d/]+)?\s*)+", text):
            raise cli.InvalidError(start, index)
        for match in re.finditer(r"e[a-z]* ?([\d/]+)(?: to ([\d/]+))?", text):
            slot, _, first = match[1].rpartition("/")
            other, _, last = (match[2] or match[1]).rpartition("/")
            if other != slot or int(last) < int(first):
                raise cli.InvalidError(start + match.start(1), index)
            for number in range(int(first), int(last) + 1):
                try:
                    ports[names.read(f"ethernet {slot}/{number}", 0)[0]] = None
                except (NoSuchPortError, IncompleteNameError):
                    raise cli.InvalidError(start + match.start(1), index) from None
        return tuple(ports), len(line.words)


class FastIronSession(Session):
    """A session whose prompt says how it came."""

    way = "SSH@"


# --- commands at the ">" and "#" prompts


def _enable(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    return switch.do_enable(session, args)


def _configure(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    session.enter(CONFIG)
    return []


def _pages(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    session.length = switch.pager.length if args.no else 0
    return [] if args.no else ["Disable page display mode"]


def _write(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    if not switch.save():
        return (switch.faults.save_error or "").splitlines()
    return ["Flash Memory Write (8192 bytes per dot) ", ".", "Write startup-config done."]


def _reload(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    def confirmed(key: str) -> Lines:
        if key.lower() == "y":
            switch.reload()
        return []

    session.ask("Are you sure? (enter 'y' or 'n'): ", confirmed, key=True, shows_key=True)
    return []


def _running(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    return ["Current configuration:", "!", *_config_lines(switch, switch.running)]


def _running_vlans(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    return [*_vlan_lines(switch, switch.running), ""]


def _config_lines(switch: FastIronSwitch, config: Config) -> Iterator[str]:
    yield from [f"ver {switch.release}", "!", "stack unit 1"]
    yield from ["  module 1 icx7150-24-port-management-module", "!", "!"]
    yield from _vlan_lines(switch, config)
    yield from ["!", "!", f"hostname {config.hostname}", "!"]
    if switch.access.username is not None:
        yield f"username {switch.access.username} password ....."
    for name in switch.port_list:
        port = config.ports[name]
        lines = [f" port-name {port.name}"] if port.name else []
        if port.dual is not None:
            lines.append(f" dual-mode  {port.dual}" if port.dual != DEFAULT_VLAN else " dual-mode")
        lines += [" disable"] if port.disabled else []
        if lines:
            yield from [f"interface {name}", *lines, "!"]
    yield from ["!", "end"]


def _vlan_lines(switch: FastIronSwitch, config: Config) -> Iterator[str]:
    for number, vlan in sorted(config.vlans.items()):
        yield f"vlan {number}" + (f" name {vlan.name}" if vlan.name else "") + " by port"
        for how, ports in (
            ("no untagged", vlan.taken_off),
            ("tagged", vlan.tagged),
            ("untagged", vlan.untagged),
        ):
            listed = [name for name in switch.port_list if name in ports]
            if listed:
                yield f" {how} {_listed(listed)} "
        yield "!"


def _listed(ports: Sequence[str]) -> str:
    """Write ports: ``ethe 1/1/1 to 1/1/4 ethe 1/1/7``."""
    slots: dict[str, list[int]] = {}
    for port in ports:
        slot, _, number = port.partition(" ")[2].rpartition("/")
        slots.setdefault(slot, []).append(int(number))
    parts: list[str] = []
    for slot, numbers in slots.items():
        for run in cli.format_list(numbers, pairs=False).split(","):
            first, dash, last = run.partition("-")
            parts.append(f"ethe {slot}/{first}" + (f" to {slot}/{last}" if dash else ""))
    return " ".join(parts)


def _brief(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    lines = ["", "Port       Link    State   Dupl Speed Trunk Tag Pvid Pri MAC             Name"]
    for at, name in enumerate(switch.port_list):
        port = switch.running.ports[name]
        up = name not in switch.unplugged and not port.disabled
        link = "Disable" if port.disabled else ("Up" if up else "Down")
        state = "Forward Full 1G  " if up else "None    None None"
        tag = "Yes" if switch.running.tagged_on(name) else "No"
        pvid = switch.running.untagged_on(name) or "N/A"
        lines.append(
            f"{name.partition(' ')[2]:<10} {link:<7} {state}  None  {tag:<3} {pvid:<4} 0   "
            f"d4c1.9e8f.{at:04x}  {port.name}".rstrip()
        )
    return [*lines, "mgmt1      Down    None    None None  None  No  None 0   d4c1.9e8f.1108"]


def _show_vlan(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    lines = [
        f"Total PORT-VLAN entries: {len(switch.running.vlans)}",
        "Maximum PORT-VLAN entries: 1024",
        "",
        "Legend: [Stk=Stack-Id, S=Slot]",
        "",
    ]
    for number, vlan in sorted(switch.running.vlans.items()):
        lines.append(f"PORT-VLAN {number}, Name {vlan.name or '[None]'}, Priority level0, Off")
        for title, ports in (
            (" Untagged", [n for n in switch.port_list if switch.running.untagged_on(n) == number]),
            ("   Tagged", [n for n in switch.port_list if n in vlan.tagged]),
        ):
            shown = "".join(f"{name.rpartition('/')[2]:>4}" for name in ports)
            lines.append(f"{title} Ports: {'(U1/M1)' + shown if ports else 'None'}")
        lines += [" Mac-Vlan Ports: None", "     Monitoring: Disabled"]
    return lines


def _version(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    minutes, seconds = divmod(int(switch.seconds_up()), 60)
    return [
        "  Copyright (c) Ruckus Networks, Inc. All rights reserved.",
        "    UNIT 1: compiled on Feb 19 2019 at 13:48:49 labeled as SPS08095",
        "      (28575972 bytes) from Primary SPS08095.bin (UFI)",
        f"        SW: Version {switch.release}T211",
        "",
        f"  HW: Stackable {MODEL}",
        "=" * 74,
        f"UNIT 1: SL 1: {MODEL} {len(switch.port_list)}-port Management Module",
        f"STACKID 1  system uptime is {minutes} minute(s) {seconds} second(s)",
        "The system : started=cold start",
        "My stack unit ID = 1, bootup role = active",
    ]


# --- configuration


def _hostname(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    switch.running.hostname = args.text("word")
    return []


def _interface(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    ports = args.ports("list")
    numbers = [name.partition(" ")[2] for name in ports]
    label = f"if-e1000-{numbers[0]}" if len(ports) == 1 else f"mif-{numbers[0]}-{numbers[-1]}"
    session.enter(INTERFACE, label, ports=ports)
    return []


def _vlan(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    number = args.number("vlan")
    vlans = switch.running.vlans
    if not args.no:
        vlan = vlans.setdefault(number, Vlan())
        vlan.name = args.text("word") if "word" in args else vlan.name
        session.enter(VLAN, str(number), editing=number)
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


def _enabled(switch: FastIronSwitch, name: str, port: Port, args: Args) -> None:
    port.disabled = args.word("how") == "disable"


def _port_name(switch: FastIronSwitch, name: str, port: Port, args: Args) -> None:
    port.name = "" if args.no else args.text("line")


def _dual_mode(switch: FastIronSwitch, name: str, port: Port, args: Args) -> None:
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


def _members(switch: FastIronSwitch, session: Session, args: Args) -> Lines:
    """``[no] tagged|untagged …``: all of the ports, or none."""
    how, number, ports = args.word("how"), session.editing, args.ports("list")
    vlan = switch.running.vlans.setdefault(number, Vlan())
    if args.no:
        _check_leaving(switch, vlan, number, how, ports)
        for name in ports:
            _leave(switch.running, vlan, number, how, name)
    else:
        there = vlan.tagged if how == "tagged" else vlan.untagged
        if set(ports) <= there:
            return [f"Port(s) {_listed(ports)} are already a member of VLAN {number}"]
        _check_joining(switch, vlan, number, how, ports)
        for name in ports:
            vlan.tagged |= {name} if how == "tagged" else frozenset()
            vlan.untagged |= {name} if how == "untagged" else frozenset()
    switch.touch(*ports)
    done, way = ("Removed", "from") if args.no else ("Added", "to")
    return [f"{done} {how} port(s) {_listed(ports)} {way} port-vlan {number}."]


def _check_leaving(
    switch: FastIronSwitch, vlan: Vlan, number: int, how: str, ports: Sequence[str]
) -> None:
    config = switch.running
    for name in ports:
        there = name in (vlan.tagged if how == "tagged" else vlan.untagged)
        if number == DEFAULT_VLAN and how == "untagged" and config.implicit:
            there = config.untagged_on(name) == DEFAULT_VLAN and bool(config.tagged_on(name))
        if not there:
            raise RejectedError(
                f"Error: ports {_listed([name])} are not {how} members of vlan {number}"
            )
        if how == "tagged" and config.ports[name].dual == number:
            raise RejectedError(
                f"Please disable dual mode for port {_listed([name])} before removing the ports"
                " from the VLAN."
            )


def _leave(config: Config, vlan: Vlan, number: int, how: str, name: str) -> None:
    if how == "tagged":
        vlan.tagged -= {name}
        config.came_home(name)
        if not config.tagged_on(name):
            config.ports[name].dual = None
    elif number == DEFAULT_VLAN:
        vlan.taken_off |= {name}
    else:
        vlan.untagged -= {name}


def _check_joining(
    switch: FastIronSwitch, vlan: Vlan, number: int, how: str, ports: Sequence[str]
) -> None:
    config = switch.running
    away: list[str] = []
    for name in ports:
        own, tagged = config.untagged_on(name), config.tagged_on(name)
        home = own == DEFAULT_VLAN
        if not config.implicit:
            home = home and not (tagged and how == "untagged")
            home = home or (how == "tagged" and bool(tagged))
        elif how == "tagged":
            home = name not in vlan.untagged
        else:
            home = home and number not in tagged
        away += [] if home or number == DEFAULT_VLAN else [name]
    if away:
        raise RejectedError(f"error - port {_listed(away)} are not member of default vlan")


ANY_LEVEL: Commands = [
    ("enable", _enable),
    ("exit", CliSwitch.do_quit),
    ("logout", CliSwitch.do_quit),
    ("show version", _version),
    ("show vlan", _show_vlan),
    ("show interfaces brief", _brief),
]
PRIVILEGED_ONLY: Commands = [
    ("configure [terminal]", _configure),
    ("disable", CliSwitch.do_disable),
    ("reload", _reload),
    ("show running-config", _running),
    ("show running-config vlan", _running_vlans),
    ("[no] skip-page-display", _pages),
    ("write memory", _write),
]
LEAVING: Commands = [("end", CliSwitch.do_end), ("exit", CliSwitch.do_exit)]
GLOBAL: Commands = [
    ("hostname <word>", _hostname),
    ("interface <list>", _interface),
    ("vlan <vlan> [name <word>] [by port]", _vlan),
    ("no vlan <vlan>", _vlan),
    ("write memory", _write),
]
IN_INTERFACE: Commands = [
    ("how:enable|disable", cli.each_port(_enabled)),
    ("port-name <line>", cli.each_port(_port_name)),
    ("no port-name [<line>]", cli.each_port(_port_name)),
]
DUAL_MODE: Commands = [
    ("dual-mode [<vlan>]", cli.each_port(_dual_mode)),
    ("no dual-mode [<vlan>]", cli.each_port(_dual_mode)),
]
IN_VLAN: Commands = [
    ("[no] how:tagged|untagged <list>", _members),
    ("[no] spanning-tree", CliSwitch.do_nothing),
]


class FastIronSwitch(CliSwitch[Config]):
    """A simulated ICX. Options: see `haas_rpcd.sim.cli.Options`.

    ``release``: such as 08.0.30. ``enable_asks_user``: ``enable`` asks for a user and their
    password, as with ``aaa authentication enable default local``.
    """

    dialect = "brocade_fastiron"
    user_mode = USER
    privileged_mode = PRIVILEGED
    naming = NAMING
    login = cli.Login(
        user="Please Enter Login Name: ",
        password="Please Enter Password: ",  # noqa: S106  (a prompt)
        before=("User Access Verification", ""),
        wrong=("Error - Incorrect username or password.", ""),
    )
    enabling = cli.Enable(
        question="Password:", last=("Error - Incorrect username or password.",), tries=1
    )
    pager = cli.Pager(
        more="--More--, next page: Space, next line: Return key, quit: Control-c",
        erase="\r" + " " * 66 + "\r",
        quits="\x03q",
    )
    do_word = ""
    width = 0
    max_vtys = 5
    session_type = FastIronSession
    arguments: ClassVar[Mapping[str, cli.Argument]] = {**cli.ARGUMENTS, "list": PortList()}

    def __init__(
        self,
        hostname: str = "ICX",
        *,
        ports: Sequence[str],
        release: str = "08.0.95",
        enable_asks_user: bool = False,
        **options: Unpack[cli.Options],
    ) -> None:
        self.release = release
        self.implicit = [int(part) for part in re.findall(r"\d+", release)] >= [8, 0, 80]
        self.enable_asks_user = enable_asks_user
        super().__init__(hostname, ports=ports, **options)

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``ethernet 1/1/1`` onwards, as on a switch that is no stack."""
        return [f"ethernet 1/1/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """What comes out of the box."""
        ports = {name: Port() for name in self.port_list}
        vlans: dict[int, Any] = {DEFAULT_VLAN: Vlan("DEFAULT-VLAN")}
        return Config(hostname or f"{MODEL} Switch", ports, vlans, self.implicit)

    @property
    def tables_key(self) -> object:
        """The commands hang on the release."""
        return self.implicit

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every mode."""
        dual: Iterable[Any] = () if self.implicit else DUAL_MODE
        return {
            USER: ANY_LEVEL,
            PRIVILEGED: [*ANY_LEVEL, *PRIVILEGED_ONLY],
            CONFIG: [*LEAVING, *GLOBAL],
            INTERFACE: [*LEAVING, *IN_INTERFACE, *dual],
            VLAN: [*LEAVING, *IN_VLAN],
        }

    def greet(self, session: Session) -> None:
        """Remember the way in: it stands in the prompt."""
        if isinstance(session, FastIronSession):
            session.way = "telnet@"
        super().greet(session)

    def enter(self, session: Session, user: str) -> list[str]:
        """Say that the login went well, on telnet."""
        printed = super().enter(session, user)
        telnet = isinstance(session, FastIronSession) and session.way == "telnet@"
        return ["User login successful.", "", *printed] if telnet else printed

    def prompt(self, session: Session) -> str:
        """``telnet@`` or ``SSH@`` stands before the host's name."""
        way = session.way if isinstance(session, FastIronSession) else ""
        return way + super().prompt(session)

    def do_enable(self, session: Session, args: Args) -> Lines:
        """Ask for a user first, where users are who may enable."""
        if not self.enable_asks_user or session.mode is not self.user_mode:
            return super().do_enable(session, args)

        def answered(user: str, password: str) -> Lines:
            if not self.allows(user, password):
                return self.enabling.last
            session.enter(self.privileged_mode)
            return []

        def named(user: str) -> Lines:
            session.ask("Password:", lambda text: answered(user, text), mode="enable", echo=False)
            return []

        session.ask("User Name:", named, mode="username")
        return []

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """FastIron repeats what it did not understand."""
        wrong = next((w.at for w in reversed(line.words) if w.at <= error.at), 0)
        return [f"Invalid input -> {line.text[wrong:].rstrip()}", "Type ? for a list"]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """Only that much."""
        return ["Incomplete command."]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """By the pattern of what is invalid."""
        return [f"Ambiguous input -> {line.text.strip()}", "Type ? for a list"]
