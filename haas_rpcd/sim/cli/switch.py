"""`CliSwitch`: a device with a command line. Vendors derive from it; see the guide in `cli`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, Unpack

from haas_rpcd.sim.cli import dialogue
from haas_rpcd.sim.cli.arguments import (
    ARGUMENTS,
    AmbiguousError,
    Argument,
    IncompleteError,
    InvalidError,
    Line,
    RefusedError,
)
from haas_rpcd.sim.cli.device import C, Device
from haas_rpcd.sim.cli.filters import FILTERS, BadPatternError, Made, read_filter
from haas_rpcd.sim.cli.grammar import Args, Tree
from haas_rpcd.sim.cli.options import Options
from haas_rpcd.sim.cli.plugging import Heard
from haas_rpcd.sim.cli.portname import Naming, PortNames
from haas_rpcd.sim.cli.session import Session
from haas_rpcd.sim.cli.texts import Enable, Login, Mode, Pager, RejectedError
from haas_rpcd.sim.cli.wire import Wire

Lines = Iterable[str] | None
Handler = Callable[[Any, Any, Args], Lines]
"""Executes a command, given the switch, the session and the arguments; returns what is printed."""

Commands = Iterable[tuple[str, Handler]]

S = TypeVar("S", bound="CliSwitch[Any]")


def each_port(
    apply: Callable[[S, str, Any, Args], Lines], *, stops: bool = True
) -> Callable[[S, Session, Args], Lines]:
    """Make a command for all selected ports from a function for a single port.

    ``apply`` is called with the switch, the port's name, its configuration and the arguments, for
    one port after the other. The first port that raises `RejectedError` ends the command; the ports
    before it stay changed. With ``stops`` false the command continues with the next port.
    """

    def run(switch: S, session: Session, args: Args) -> list[str]:
        printed: list[str] = []
        for name in session.selection:
            switch.touch(name)
            try:
                printed += apply(switch, name, switch.running.ports[name], args) or ()
            except RejectedError as error:
                printed += error.lines
                if stops:
                    break
        return printed

    return run


class CliSwitch(Device[C]):
    """A switch with a command line. The parts that vendors set or override come first."""

    user_mode: ClassVar[Mode]
    privileged_mode: ClassVar[Mode]
    """The mode after ``enable``, and after a login that needs no ``enable``."""

    naming: ClassVar[Naming]
    login: Login = Login()
    enabling: ClassVar[Enable] = Enable()
    pager: ClassVar[Pager] = Pager()
    arguments: ClassVar[Mapping[str, Argument]] = ARGUMENTS
    command_tables: ClassVar[Mapping[Mode, Commands]] = {}
    """The commands of every mode, if they are the same on all switches of the class."""

    further_keywords: ClassVar[Mapping[Mode, Mapping[str, str]]] = {}
    """Further keywords, if they are the same on all switches of the class; see `reserved`."""

    filters: ClassVar[Mapping[str, Made]] = FILTERS
    """What may follow a ``|`` after a command; empty if a bar is an ordinary character."""

    negation: ClassVar[str] = "no"
    comment: ClassVar[str] = "!"
    do_word: ClassVar[str] = "do"
    """The word that runs an exec command in configuration modes; "": there is none."""

    end_word: ClassVar[str] = "end"
    width: ClassVar[int] = 80
    """Columns after which a line scrolls while it is typed; 0: it never scrolls."""

    longest_line: ClassVar[int] = 254
    question_mark_helps: ClassVar[bool] = True
    interrupt_leaves: ClassVar[bool] = False
    """Whether Ctrl-C leaves configuration."""

    idle_text: ClassVar[str] = "\n"
    """What is written when a session is closed because it was idle for too long."""

    channels: ClassVar[Mapping[str, range]] = {}
    """Kinds of ports that users make of others, and the numbers that these may have."""

    session_type: ClassVar[type[Session]] = Session

    _forests: ClassVar[dict[tuple[type, object], dict[Mode, Tree[Handler]]]] = {}

    def __init__(
        self, hostname: str = "switch", *, ports: Sequence[str], **options: Unpack[Options]
    ) -> None:
        self.names = PortNames(self.naming, ports, self.channels)
        super().__init__(hostname, ports=ports, **options)

    def touch(self, *ports: str) -> None:
        """Mark ports (none: all) whose VLANs may have changed. A channel's are its members'."""
        super().touch(*(() if any(map(self.names.is_channel, ports)) else ports))

    def heard(self) -> Iterator[Heard]:
        """Yield the dynamic lines of the MAC table; what a member hears is its channel's."""
        for line in super().heard():
            channel = getattr(self.running.ports[line.port], "channel", None)
            kind = next(iter(self.channels), "")
            yield line._replace(port=f"{kind}{channel[0]}") if kind and channel else line

    @classmethod
    def full_port(cls, typed: str) -> str:
        """Return the full form of a port's name. Raises ValueError if it can't be one."""
        return cls.naming.full(typed)

    def tables(self) -> Mapping[Mode, Commands]:
        """Return the commands of every mode. Called once per class and `tables_key`."""
        return self.command_tables

    def reserved(self) -> Mapping[Mode, Mapping[str, str]]:
        """Return further keywords, so that abbreviations are ambiguous as on the device.

        For each mode: the words before them -> the keywords, separated by blanks.
        """
        return self.further_keywords

    @property
    def tables_key(self) -> object:
        """A hashable key, different for switches of one class that have different commands."""
        return None

    def prompt(self, session: Session) -> str:
        """Return the prompt of a session."""
        return session.mode.prompt.format(host=self.running.hostname, label=session.label)

    # How a line is refused. These are the texts of IOS, which most similar families share.

    def invalid(self, session: Session, line: Line, error: InvalidError) -> Lines:
        """Return what is printed for a line that is wrong at column ``error.at``."""
        last_line = self.prompt(session).rpartition("\n")[2]
        caret = " " * (len(last_line) + error.at) + "^"
        return [caret, "% Invalid input detected at '^' marker.", ""]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """Return what is printed for an incomplete line."""
        return ["% Incomplete command.", ""]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """Return what is printed for an ambiguous abbreviation."""
        return [f'% Ambiguous command:  "{line.text.strip()}"']

    # Called when modes change.

    def leaving(self, session: Session) -> Iterable[str]:
        """Called when a mode is left for its parent; returns what is printed."""
        return ()

    def configured(self, session: Session) -> None:
        """Called when configuration is left."""

    def enter(self, session: Session, user: str) -> list[str]:
        """Let a user in; return what is printed before the first prompt."""
        session.user = user
        session.enter(self.privileged_mode if self.access.privileged else self.user_mode)
        self.counters.logins += 1
        return []

    def greet(self, session: Session) -> None:
        """Open the dialogue on a new telnet connection."""
        dialogue.greet(self, session)

    def ask_login(self, session: Session, tries: int) -> None:
        """Ask who the user is, at most ``tries`` times."""
        dialogue.ask_login(self, session, tries)

    def enables(self, session: Session, answer: str) -> bool:
        """Return whether the answer to ``enable`` is correct."""
        return answer == self.access.enable

    # --- commands of many vendors, for their tables

    def do_enable(self, session: Session, args: Args) -> Lines:
        """``enable``."""
        return dialogue.enable(self, session)

    def do_disable(self, session: Session, args: Args) -> Lines:
        """``disable``."""
        session.enter(self.user_mode)
        return []

    def do_quit(self, session: Session, args: Args) -> Lines:
        """``logout``: close the session."""
        session.hang_up()
        return []

    def do_exit(self, session: Session, args: Args) -> Lines:
        """``exit``: return to the parent mode; in the top mode, close the session."""
        if session.mode.parent is None:
            return self.do_quit(session, args)
        return session.leave()

    def do_end(self, session: Session, args: Args) -> Lines:
        """``end``: leave all configuration modes."""
        return session.leave_all()

    def do_nothing(self, session: Session, args: Args) -> Lines:
        """Accept a line that changes nothing in this simulation."""
        return []

    def do_length(self, session: Session, args: Args) -> Lines:
        """``terminal length <number>``: 0 turns paging off."""
        session.length = args.number("number")
        return []

    def do_width(self, session: Session, args: Args) -> Lines:
        """``terminal width <number>``."""
        session.editor.width = args.number("number")
        return []

    # --- execution

    def make_session(self, wire: Wire) -> Session:
        """Make the session of a new connection."""
        return self.session_type(self, wire)

    @property
    def forest(self) -> dict[Mode, Tree[Handler]]:
        """One tree per mode, shared by all switches with the same tables."""
        key = (type(self), self.tables_key)
        if key not in self._forests:
            reserved = self.reserved()
            forest: dict[Mode, Tree[Handler]] = {}
            for mode, commands in self.tables().items():
                tree = forest[mode] = Tree[Handler](self.arguments, self.negation)
                for pattern, handler in commands:
                    tree.add(pattern, handler)
                for prefix, words in reserved.get(mode, {}).items():
                    tree.reserve(prefix, words)
            self._forests[key] = forest
        return self._forests[key]

    def execute(self, session: Session, text: str) -> list[str]:
        """Execute one command line; return what is printed, including refusals."""
        executes = not session.mode.configures or self._does(text)
        # Only output can be filtered; in a description a bar is an ordinary character.
        filters = bool(self.filters) and executes
        command, pipe, output_filter = text.partition("|") if filters else (text, "", "")
        line = Line(command)
        if not line.words or (self.comment and line.words[0].text.startswith(self.comment)):
            return []
        try:
            handler, args, left = self._find(session, line)
            if pipe:
                keep = read_filter(self.filters, Line(output_filter), offset=len(command) + 1)
            printed: list[str] = []
            while left and session.mode is not left:
                printed += session.leave()
            output = list(handler(self, session, args) or ())
            return printed + (list(keep(output)) if pipe else output)
        except RejectedError as error:
            return error.lines
        except AmbiguousError:
            return list(self.ambiguous(session, Line(text)) or ())
        except IncompleteError:
            return list(self.incomplete(session, line) or ())
        except BadPatternError:
            return ["% Failed to compile regular expression.", ""]
        except InvalidError as error:
            return list(self.invalid(session, line, error) or ())

    def execute_in(
        self,
        session: Session,
        mode: Mode,
        text: str,
        *,
        ports: Iterable[str] = (),
        editing: Any = None,
    ) -> list[str]:
        """Execute a line as if it had been typed in another mode, and return from there.

        For vendors that accept ``vlan 5 tagged 1`` in place of two lines.
        """
        before = (session.mode, session.label, session.selection, session.editing)
        session.enter(mode, ports=ports, editing=editing)
        try:
            return self.execute(session, text)
        finally:
            session.mode, session.label, session.selection, session.editing = before

    def fits(self, mode: Mode, line: Line) -> bool:
        """Return whether a line would be a command in another mode."""
        try:
            self.forest[mode].match(line, self.names)
        except RefusedError:
            return False
        return True

    def _does(self, text: str) -> bool:
        return bool(self.do_word) and text.split(None, 1)[:1] == [self.do_word]

    def _find(self, session: Session, line: Line) -> tuple[Handler, Args, Mode | None]:
        """Find a line's handler, and the outer mode in which it is executed, if any."""
        if session.mode.configures and self.do_word and line.words[0].text.lower() == self.do_word:
            forest = self.forest[self.privileged_mode]
            handler, args = forest.match(line, self.names, start=1)
            return handler, args, None
        mode: Mode | None = session.mode
        refused: list[RefusedError] = []
        while mode is not None:
            try:
                handler, args = self.forest[mode].match(line, self.names)
                return handler, args, mode if refused else None
            except InvalidError as error:
                refused.append(error)
                mode = mode.falls_to
        raise max(
            (error for error in refused if isinstance(error, InvalidError)),
            key=lambda error: error.at,
        ) from None

    def help_lines(self, session: Session, text: str) -> list[str]:
        """Return what ``?`` prints after ``text``: the words that may follow."""
        line = Line(text)
        mode, start = session.mode, 0
        if mode.configures and line.words and line.words[0].text.lower() == self.do_word:
            mode, start = self.privileged_mode, 1
        choices = self.forest[mode].choices(line, self.names, start)
        return [f"  {choice}" for choice in choices] or ["% Unrecognized command"]

    def log(self, text: str) -> None:
        """Send a system message to the sessions that monitor the log."""
        for session in self.sessions:
            if isinstance(session, Session) and session.monitors:
                session.log(text)
