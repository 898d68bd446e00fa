"""A Juniper EX4300 with Junos 18.4: a candidate that takes effect when it is committed, or not.

Written from Juniper's "Junos CLI User Guide", "Ethernet Switching User Guide" and published
transcripts of EX and QFX switches with Enhanced Layer 2 Software (ELS). What a commit refuses is
told as these do. Where the guides are silent: a single id among a port's members must be that of a
VLAN, an id within a range need not be.

Ports of which the configuration does not speak carry nothing; an access port without members is in
the VLAN ``default``; a trunk carries its members only.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode
from haas_rpcd.sim.cli.portname import PortNames
from haas_rpcd.sim.cli.wire import Wire
from haas_rpcd.sim.junos.state import Config, Port, Vlan, merged

__all__ = ["DATABASE_FULL", "JunosSwitch"]

MODEL, VERSION = "ex4300-24t", "18.4R2.7"
DATABASE_FULL = "error: could not write configuration: No space left on device"

SHELL = Mode("shell", "{user}@{host}:RE:0% ")
OPERATIONAL = Mode("operational", "\n{{master:0}}\n{user}@{host}> ")
CONFIGURATION = Mode(
    "configuration", "\n{{master:0}}[edit]\n{user}@{host}# ", OPERATIONAL, configures=True
)


# --- sessions


class Session(cli.Session):
    """A session; while it configures privately or exclusively, with a candidate of its own."""

    switch: JunosSwitch
    candidate: Config | None = None
    base: Config | None = None
    shows_set = False

    def lost(self) -> None:
        """Drop the candidate, and what was locked."""
        self.drop()
        super().lost()

    def drop(self) -> None:
        """Forget what was not committed."""
        self.candidate = self.base = None
        if self.switch.locker is self:
            self.switch.locker = None

    @property
    def edited(self) -> Config:
        """What the session edits."""
        return self.candidate if self.candidate is not None else self.switch.shared_candidate()

    @property
    def dirty(self) -> bool:
        """Whether it has edits that are not committed."""
        if self.candidate is not None:
            return self.candidate != self.base
        return self.switch.shared is not None and self.switch.shared != self.switch.running


def _configure(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    how = args.word("how") if "how" in args else ""
    locker = switch.locker
    if locker is not None and locker is not session:
        return [
            "error: configuration database locked by:",
            f"  {locker.user} terminal p{locker.line} (pid {4200 + locker.number}) on since"
            " 2026-01-01 00:00:00 UTC",
            "      exclusive [edit]",
        ]
    if how and switch.shared is not None and switch.shared != switch.running:
        shared = "shared " if how == "private" else ""
        return [f"error: {shared}configuration database modified"]
    session.enter(CONFIGURATION)
    if not how:
        changed = ["The configuration has been changed but not committed"]
        return ["Entering configuration mode", *(changed if session.dirty else [])]
    session.candidate, session.base = switch.running.copy(), switch.running.copy()
    if how == "exclusive":
        switch.locker = session
    return ["warning: uncommitted changes will be discarded on exit", "Entering configuration mode"]


def _leave(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    def go() -> list[str]:
        session.drop()
        session.enter(OPERATIONAL)
        return ["Exiting configuration mode"]

    def answered(text: str) -> Lines:
        if text.strip().lower() in ("", "y", "yes"):
            return go()
        return [] if text.strip().lower() in ("n", "no") else ask()

    def ask() -> list[str]:
        what = "Discard" if session.candidate is not None else "Exit with"
        session.ask(f"{what} uncommitted changes? [yes,no] (yes) ", answered)
        return []

    if not session.dirty:
        return go()
    ask()
    return ["The configuration has been changed but not committed"]


def _commit(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    if switch.locker is not None and switch.locker is not session:
        return _configure(switch, session, Args(values={"how": "private"}))
    wanted = session.edited
    if session.candidate is not None and session.base is not None:
        wanted = merged(session.candidate, session.base, switch.running)
    if mistakes := wanted.mistakes():
        return mistakes
    if "check" in args:
        return ["configuration check succeeds"]
    if switch.faults.save_error is not None:
        switch.counters.failed_saves += 1
        return switch.faults.save_error.splitlines()
    switch.adopt(wanted.copy())
    switch.save()
    if session.candidate is not None:
        session.candidate, session.base = switch.running.copy(), switch.running.copy()
    else:
        switch.shared = None
    return ["configuration check succeeds", "commit complete"]


def _rollback(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    if session.candidate is not None:
        session.candidate, session.base = switch.running.copy(), switch.running.copy()
    else:
        switch.shared = None
    return ["load complete"]


# --- set and delete

NOT_FOUND = ["warning: statement not found"]


def _port(session: Session, args: Args) -> Port:
    """The port that a statement is of; setting anything on it makes it."""
    ports = session.edited.ports
    name = args.text("ifd").lower()
    return ports.setdefault(name, Port()) if args.word("verb") == "set" else ports.get(name, Port())


def _setting(attribute: str, wanted: object, nothing: object) -> cli.Handler:
    """Make the handler of a statement that sets one attribute, and whose deletion unsets it."""

    def run(switch: JunosSwitch, session: Session, args: Args) -> Lines:
        port = _port(session, args)
        if args.word("verb") == "delete":
            was = getattr(port, attribute)
            setattr(port, attribute, nothing)
            return NOT_FOUND if was == nothing else []
        setattr(port, attribute, args.values[wanted] if isinstance(wanted, str) else wanted)
        if attribute == "mode":
            port.switching = True
        return []

    return run


def _members(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    port = _port(session, args)
    members: tuple[str, ...] = args.values.get("members", port.members)  # type: ignore[assignment]
    if args.word("verb") == "delete":
        kept = tuple(member for member in port.members if member not in members)
        found, port.members = kept != port.members, kept
        return [] if found else NOT_FOUND
    port.switching = True
    port.members += tuple(member for member in members if member not in port.members)
    return []


def _delete_family(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    port = _port(session, args)
    found = port.switching or port.inet
    port.switching, port.mode, port.members = False, "", ()
    if "ethernet-switching" not in args:
        port.inet = False
    return [] if found else NOT_FOUND


def _delete_port(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    return [] if session.edited.ports.pop(args.text("ifd").lower(), None) else NOT_FOUND


def _vlan_id(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    session.edited.vlans.setdefault(args.text("word"), Vlan()).number = args.number("vlan")
    return []


def _delete_vlan(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    return [] if session.edited.vlans.pop(args.text("word"), None) else NOT_FOUND


def _vlan_interface(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    vlans, name = session.edited.vlans, args.text("word")
    if args.word("verb") == "set":
        vlan = vlans.setdefault(name, Vlan())
        vlan.interfaces |= {args.text("unit")}
        return []
    vlan = vlans.get(name, Vlan())
    gone = {args.text("unit")} if "unit" in args else vlan.interfaces
    found = vlan.interfaces & gone
    vlan.interfaces -= gone
    return [] if found else NOT_FOUND


def _host_name(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    session.edited.hostname = args.text("word")
    return []


def _wildcard(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    """Write a range out: the one pair of brackets that holds numbers."""
    typed = f"{args.word('verb')} {args.text('line')}"
    head, bracket, rest = typed.partition("[")
    listed, closing, tail = rest.partition("]")
    numbers: list[int] = []
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", listed):
        numbers += range(int(first), int(last or first) + 1)
    if not (bracket and closing and numbers) or head.endswith(" "):
        raise cli.RejectedError("error: missing range in the statement")
    printed: list[str] = []
    for number in numbers:
        printed += switch.execute(session, f"{head}{number}{tail}")
    return printed


# --- show


def _show_configuration(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    section = args.text("line").split() if "line" in args else []
    chosen = [
        statement
        for statement in switch.running.statements()
        if " ".join(statement).split()[: len(section)] == section
    ]
    if session.shows_set:
        return [f"set {' '.join(statement)}" for statement in chosen]
    inner = [_below(statement, len(section)) for statement in chosen]
    changed = [] if section else [f"## Last commit: 2026-01-01 00:00:00 UTC by {session.user}"]
    return [*changed, *_braces(inner)]


def _below(statement: tuple[str, ...], words: int) -> tuple[str, ...]:
    """Leave out the levels that the first words name."""
    while statement and (words := words - len(statement[0].split())) >= 0:
        statement = statement[1:]
    return statement


def _braces(statements: Iterable[tuple[str, ...]], depth: int = 0) -> Iterator[str]:
    levels: dict[str, list[tuple[str, ...]]] = {}
    for first, *rest in filter(None, statements):
        levels.setdefault(first, []).append(tuple(rest))
    for first, inner in levels.items():
        deeper = [rest for rest in inner if rest]
        if deeper:
            yield f"{'    ' * depth}{first} {{"
            yield from _braces(deeper, depth + 1)
            yield f"{'    ' * depth}}}"
        else:
            yield f"{'    ' * depth}{first};"


def _terse(switch: JunosSwitch, session: Session, args: Args) -> Iterator[str]:
    yield "Interface               Admin Link Proto    Local                 Remote"
    for name in switch.port_list:
        port = switch.running.ports.get(name, Port())
        admin = "down" if port.disabled else "up"
        link = "down" if port.disabled or name in switch.unplugged else "up"
        yield f"{name:<24}{admin:<6}{link}"
        if port.switching:
            yield f"{name + '.0':<24}{admin:<6}{link:<5}eth-switch"
    yield "vme                     up    down"


def _show_vlans(switch: JunosSwitch, session: Session, args: Args) -> Iterator[str]:
    yield ""
    yield "Routing instance        VLAN name             Tag          Interfaces"
    for name, vlan in sorted(switch.running.vlans.items()):
        yield f"default-switch          {name:<22}{vlan.number or ''}"
        for port in switch.port_list:
            carried = switch.running.carried(port)
            if vlan.number is not None and vlan.number in {carried.untagged, *carried.tagged}:
                yield f"{'':<59}{port}.0{'' if port in switch.unplugged else '*'}"


def _show_version(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    return [
        "fpc0:",
        "-" * 74,
        f"Hostname: {switch.running.hostname}",
        f"Model: {MODEL}",
        f"Junos: {VERSION}",
        f"JUNOS EX  Software Suite [{VERSION}]",
        f"JUNOS FIPS mode utilities [{VERSION}]",
    ]


def _show_uptime(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    up = int(switch.seconds_up())
    days, rest = divmod(up, 86400)
    hours, minutes = rest // 3600, rest // 60 % 60
    ago = f"{days}d {hours:02}:{minutes:02}" if days else f"{hours:02}:{minutes:02}:{up % 60:02}"
    booted = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() - up))
    return [
        f"Current time: {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime())}",
        "Time Source:  LOCAL CLOCK ",
        f"System booted: {booted} ({ago} ago)",
        f"Last configured: {booted} ({ago} ago) by {session.user}",
    ]


def _screen_length(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    session.length = args.number("number")
    return [f"Screen length set to {session.length}"]


def _screen_width(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    session.editor.width = args.number("number")
    return [f"Screen width set to {session.editor.width}"]


def _complete_on_space(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    return [f"{'Enabling' if args.word('how') == 'on' else 'Disabling'} complete-on-space"]


def _cli(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    session.enter(OPERATIONAL)
    return []


def _exit(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    if session.user == "root":
        session.enter(SHELL)
    else:
        session.hang_up()
    return []


def _reboot(switch: JunosSwitch, session: Session, args: Args) -> Lines:
    def answered(text: str) -> Lines:
        if text.strip().lower() in ("y", "yes"):
            switch.reload()
        return []

    session.ask("Reboot the system ? [yes,no] (no) ", answered)
    return []


class Members:
    """What may follow ``vlan members``: one, or several in brackets, up to the line's end."""

    help = "VLAN name, id or range"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read them into a tuple."""
        words = line.words[index:]
        texts = [word.text for word in words]
        if texts[0] == "[":
            if texts[-1] != "]" or len(texts) == 2:
                raise cli.IncompleteError
            words, texts = words[1:-1], texts[1:-1]
        elif len(texts) > 1:
            raise cli.InvalidError(words[1].at, index + 1)
        for word in words:
            if word.text[0].isdecimal():
                try:
                    cli.parse_list(word.text)
                except ValueError:
                    raise cli.InvalidError(word.at, index) from None
        return tuple(texts), len(line.words)


_PORT = "interfaces <ifd>"
_FAMILY = f"{_PORT} unit 0 family ethernet-switching"
_BOTH = "verb:set|delete"

SHOW: Commands = [
    ("show configuration [<line>]", _show_configuration),
    ("show interfaces terse", _terse),
    ("show system uptime", _show_uptime),
    ("show version", _show_version),
    ("show vlans [brief]", _show_vlans),
]
OPERATE: Commands = [
    *SHOW,
    ("configure how:private|exclusive", _configure),
    ("configure", _configure),
    ("exit", _exit),
    ("quit", _exit),
    ("request system reboot", _reboot),
    ("set cli complete-on-space how:on|off", _complete_on_space),
    ("set cli screen-length <number>", _screen_length),
    ("set cli screen-width <number>", _screen_width),
]
EDIT: Commands = [
    ("commit", _commit),
    ("commit check:check", _commit),
    ("exit [configuration-mode]", _leave),
    ("quit [configuration-mode]", _leave),
    ("rollback [0]", _rollback),
    ("top", CliSwitch.do_nothing),
    (f"{_BOTH} {_PORT} disable", _setting("disabled", True, False)),
    (f"verb:set {_PORT} description <line>", _setting("description", "line", "")),
    (f"verb:delete {_PORT} description", _setting("description", "line", "")),
    (f"verb:set {_PORT} native-vlan-id <vlan>", _setting("native", "vlan", None)),
    (f"verb:delete {_PORT} native-vlan-id", _setting("native", "vlan", None)),
    (f"{_BOTH} {_PORT} unit 0 disable", _setting("unit_disabled", True, False)),
    (f"{_BOTH} {_PORT} unit 0 family inet", _setting("inet", True, False)),
    (f"verb:set {_FAMILY}", _setting("switching", True, False)),
    (f"verb:set {_FAMILY} interface-mode mode:access|trunk", _setting("mode", "mode", "")),
    (f"verb:delete {_FAMILY} interface-mode", _setting("mode", "mode", "")),
    (f"{_BOTH} {_FAMILY} vlan members <members>", _members),
    (f"verb:delete {_FAMILY} vlan [members]", _members),
    (
        f"verb:delete {_PORT} unit 0 family ethernet-switching:ethernet-switching",
        _delete_family,
    ),
    (f"verb:delete {_PORT} unit 0 family", _delete_family),
    (f"verb:delete {_PORT}", _delete_port),
    ("verb:set vlans <word> vlan-id <vlan>", _vlan_id),
    ("verb:delete vlans <word>", _delete_vlan),
    (f"{_BOTH} vlans <word> interface <unit>", _vlan_interface),
    ("verb:delete vlans <word> interface", _vlan_interface),
    ("set system host-name <word>", _host_name),
    (f"wildcard range {_BOTH} <line>", _wildcard),
]


class JunosSwitch(CliSwitch[Config]):
    """A simulated Juniper switch. Options: see `haas_rpcd.sim.cli.device.Options`.

    Who logs in as ``root`` lands in a shell. Nothing has to be saved after a commit.
    """

    dialect = "juniper_junos"
    user_mode = privileged_mode = OPERATIONAL
    naming = cli.Naming({"ge-": "ge-", "xe-": "xe-"}, kind="[a-z]+-", gap="")
    login = cli.Login(user="login: ", password="Password:", wrong=("Login incorrect",))  # noqa: S106
    pager = cli.Pager(more="---(more)---", erase=f"\r{' ' * 40}\r", quits="qQ")
    filters: ClassVar[Mapping[str, object]] = {}  # type: ignore[assignment]
    comment = "#"
    do_word = "run"
    end_word = ""
    max_vtys = 75
    width = 0
    longest_line = 1024
    session_type = Session
    arguments: ClassVar[Mapping[str, cli.Argument]] = {
        **cli.ARGUMENTS,
        "ifd": cli.Pattern(r"(?:fe|ge|mge|xe|et)-\d{1,2}/\d/\d{1,3}|ae\d{1,3}", "<interface_name>"),
        "unit": cli.Pattern(r"(?:(?:fe|ge|mge|xe|et)-\d{1,2}/\d/\d{1,3}|ae\d{1,3})\.\d+", "<unit>"),
        "members": Members(),
    }

    shared: Config | None = None
    """The candidate that all share, once somebody edits it."""

    locker: Session | None = None
    """The session that configures exclusively."""

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``ge-0/0/0`` onwards, as on the first member of a Virtual Chassis."""
        return [f"ge-0/0/{number}" for number in range(count)]

    def factory(self, hostname: str) -> Config:
        """Every port switches, in the VLAN ``default``."""
        ports = {name: Port(switching=True) for name in self.port_list}
        return Config(hostname or "Amnesiac", ports, {"default": Vlan(1)})

    def shared_candidate(self) -> Config:
        """Give the candidate that all share."""
        if self.shared is None:
            self.shared = self.running.copy()
        return self.shared

    def restored(self, saved: Config) -> Config:
        """Candidates are gone after a restart."""
        self.shared = self.locker = None
        return saved

    def prompt(self, session: cli.Session) -> str:
        """The member and what is edited stand on a line above."""
        return session.mode.prompt.format(user=session.user or "root", host=self.running.hostname)

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every mode."""
        return {
            SHELL: [("cli", _cli), ("exit", CliSwitch.do_quit)],
            OPERATIONAL: OPERATE,
            CONFIGURATION: EDIT,
        }

    def enter(self, session: cli.Session, user: str) -> list[str]:
        """Junos says which version it is."""
        super().enter(session, user)
        if user == "root":
            session.enter(SHELL)
        return ["", f"--- JUNOS {VERSION} Kernel 32-bit  JNPR-11.0-20190517.f0321c3_buil"]

    def make_session(self, wire: Wire) -> Session:
        """A session for a new connection."""
        return Session(self, wire)

    def execute(self, session: cli.Session, text: str) -> list[str]:
        """Carry out a line; what it shows goes through any number of pipes."""
        words = text.split()
        head, *pipes = text.split("|") if "show" in words[:2] else [text]
        if isinstance(session, Session):
            session.shows_set = any(pipe.split() == ["display", "set"] for pipe in pipes)
        printed = super().execute(session, head)
        for pipe in pipes:
            match pipe.split():
                case ["display", "set"] | ["display", "inheritance", *_] | ["no-more"]:
                    pass
                case ["match", pattern]:
                    printed = [line for line in printed if pattern.strip('"') in line]
                case ["except", pattern]:
                    printed = [line for line in printed if pattern.strip('"') not in line]
                case _:
                    return self._marked(session, len(head), "syntax error, expecting <command>.")
        return printed

    def _marked(self, session: cli.Session, at: int, text: str) -> list[str]:
        last_line = self.prompt(session).rpartition("\n")[2]
        return [" " * (len(last_line) + at) + "^", text]

    def invalid(self, session: cli.Session, line: Line, error: cli.InvalidError) -> Lines:
        """A caret marks the place."""
        text = "unknown command." if error.word == 0 else "syntax error."
        return self._marked(session, error.at, text)

    def incomplete(self, session: cli.Session, line: Line) -> Lines:
        """The caret stands behind the line."""
        return self._marked(session, len(line.text.rstrip()), "missing argument.")

    def ambiguous(self, session: cli.Session, line: Line) -> Lines:
        """Junos lists what it might have been."""
        word = line.words[-1]
        said = [f"'{word.text}' is ambiguous.", "Possible completions:"]
        return [*self._marked(session, word.at, said[0]), said[1]]
