"""`CliSwitch`: a device with a command line; vendors derive from it. The guide is in `cli`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, Unpack

from haas_rpcd.sim.cli.device import C, Device, Options
from haas_rpcd.sim.cli.filters import FILTERS, BadPatternError, Made, read_filter
from haas_rpcd.sim.cli.grammar import (
    AmbiguousError,
    Args,
    Argument,
    IncompleteError,
    InvalidError,
    Line,
    Number,
    PortName,
    PortRange,
    RefusedError,
    Rest,
    Text,
    Tree,
    Vlans,
)
from haas_rpcd.sim.cli.portname import Naming, PortNames
from haas_rpcd.sim.cli.session import Session
from haas_rpcd.sim.cli.texts import Enable, Login, Mode, Pager, RejectedError
from haas_rpcd.sim.cli.wire import Wire

Lines = Iterable[str] | None
Handler = Callable[[Any, Any, Args], Lines]
"""A command: it gets the switch, the session and what was typed, and returns what is printed."""

Commands = Iterable[tuple[str, Handler]]

ARGUMENTS: Mapping[str, Argument] = {
    "vlan": Number(1, 4094),
    "number": Number(0, 65535),
    "vlans": Vlans(),
    "word": Text(),
    "line": Rest(),
    "port": PortName(),
    "ports": PortRange(),
}
"""What patterns may name; vendors add their own."""


S = TypeVar("S", bound="CliSwitch[Any]")


def each_port(apply: Callable[[S, str, Any, Args], Lines]) -> Callable[[S, Session, Args], Lines]:
    """Make a command of ports out of one of a single port.

    ``apply`` gets the switch, the port's name, its configuration and what was typed. It is carried
    out on one selected port after the other; the first that raises `RejectedError` ends it, and
    those before it stay changed.
    """

    def run(switch: S, session: Session, args: Args) -> list[str]:
        printed: list[str] = []
        for name in session.selection:
            switch.touch(name)
            try:
                printed += apply(switch, name, switch.running.ports[name], args) or ()
            except RejectedError as error:
                return [*printed, *error.lines]
        return printed

    return run


class CliSwitch(Device[C]):
    """A switch with a command line. What vendors set and override stands first."""

    user_mode: ClassVar[Mode]
    privileged_mode: ClassVar[Mode]
    """Where a login lands that needs no enable, and where ``enable`` leads."""

    naming: ClassVar[Naming]
    login: Login = Login()
    enabling: ClassVar[Enable] = Enable()
    pager: ClassVar[Pager] = Pager()
    arguments: ClassVar[Mapping[str, Argument]] = ARGUMENTS
    filters: ClassVar[Mapping[str, Made]] = FILTERS
    """What may stand behind a ``|`` after a command; none where a bar is just a character."""

    negation: ClassVar[str] = "no"
    comment: ClassVar[str] = "!"
    do_word: ClassVar[str] = "do"
    """What lets an exec command run in configuration modes; "" where nothing does."""

    end_word: ClassVar[str] = "end"
    width: ClassVar[int] = 80
    """Columns after which a line scrolls while it is typed; 0: it never does."""

    longest_line: ClassVar[int] = 254
    question_mark_helps: ClassVar[bool] = True
    interrupt_leaves: ClassVar[bool] = False
    """Whether Ctrl-C leaves configuration."""

    idle_text: ClassVar[str] = "\n"
    """What is written when a session is closed because nothing was typed for too long."""

    session_type: ClassVar[type[Session]] = Session

    _forests: ClassVar[dict[tuple[type, object], dict[Mode, Tree[Handler]]]] = {}

    def __init__(
        self, hostname: str = "switch", *, ports: Sequence[str], **options: Unpack[Options]
    ) -> None:
        self.names = PortNames(self.naming, ports)
        super().__init__(hostname, ports=ports, **options)

    @classmethod
    def full_port(cls, typed: str) -> str:
        """Write a port's name out as `port_names` does; ValueError where it can't be one."""
        return cls.naming.full(typed)

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every mode. Asked once for a class and each `tables_key`."""
        raise NotImplementedError

    def reserved(self) -> Mapping[Mode, Mapping[str, str]]:
        """Keywords that are known only so that abbreviations clash as on the device.

        For each mode: what stands before them -> the keywords, with blanks between.
        """
        return {}

    @property
    def tables_key(self) -> object:
        """What tells switches of one class apart that have different commands: hashable."""
        return None

    def prompt(self, session: Session) -> str:
        """The prompt of a session."""
        return session.mode.prompt.format(host=self.running.hostname, label=session.label)

    # How a line is refused: IOS's way, which most of its kin share.

    def invalid(self, session: Session, line: Line, error: InvalidError) -> Lines:
        """What is printed for a line with something wrong at ``error.at``."""
        last_line = self.prompt(session).rpartition("\n")[2]
        caret = " " * (len(last_line) + error.at) + "^"
        return [caret, "% Invalid input detected at '^' marker.", ""]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """What is printed for a line of which the end is missing."""
        return ["% Incomplete command.", ""]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """What is printed for an abbreviation of several keywords."""
        return [f'% Ambiguous command:  "{line.text.strip()}"']

    # What happens on the way.

    def leaving(self, session: Session) -> Iterable[str]:
        """Called when a mode is left for the one above; returns what is printed."""
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
        login, access = self.login, self.access
        session.print([""] + ([*self.motd.splitlines(), ""] if self.motd else []))
        if access.username is None and access.password is None:
            if login.none_set is not None:
                session.print(login.none_set)
                session.hang_up()
            else:
                session.ask_nothing(self.enter(session, ""))
            return
        session.print(login.before)
        self.ask_login(session, login.tries)

    def ask_login(self, session: Session, tries: int) -> None:
        """Ask who it is: for a user, a password, or both."""
        login, access = self.login, self.access

        def answered(user: str, password: str) -> list[str]:
            if self.allows(user, password):
                return self.enter(session, user)
            session.print(login.wrong if tries > 1 or not login.closing else ())
            if tries > 1:
                self.ask_login(session, tries - 1)
                return []
            session.print(login.closing)
            session.hang_up()
            return []

        def ask_password(user: str) -> list[str]:
            if access.password is None:
                return answered(user, "")
            session.ask(
                login.password,
                lambda password: answered(user, password),
                mode="password",
                echo=login.stars or False,
            )
            return []

        if access.username is None:
            ask_password("")
        else:
            session.ask(
                login.user.format(host=self.running.hostname), ask_password, mode="username"
            )

    def enables(self, session: Session, answer: str) -> bool:
        """Whether an answer to ``enable`` is right."""
        return answer == self.access.enable

    # --- commands that many have; put them into the tables

    def do_enable(self, session: Session, args: Args) -> Lines:
        """``enable``."""
        texts = self.enabling
        if session.mode is not self.user_mode:
            return []
        if self.access.enable is None and texts.none_set is not None:
            return texts.none_set
        if not self.access.enable:
            session.enter(self.privileged_mode)
            return []

        def ask(tries: int) -> None:
            def answered(text: str) -> Lines:
                if self.enables(session, text):
                    session.enter(self.privileged_mode)
                    return []
                self.counters.failed_logins += 1
                if tries == 1:
                    return texts.last
                session.print(texts.wrong)
                ask(tries - 1)
                return []

            session.ask(texts.question, answered, mode="enable", echo=texts.stars or False)

        ask(texts.tries)
        return []

    def do_disable(self, session: Session, args: Args) -> Lines:
        """``disable``."""
        session.enter(self.user_mode)
        return []

    def do_quit(self, session: Session, args: Args) -> Lines:
        """``logout``: close the session."""
        session.hang_up()
        return []

    def do_exit(self, session: Session, args: Args) -> Lines:
        """``exit``: go one mode up; at the top, close the session."""
        if session.mode.parent is None:
            return self.do_quit(session, args)
        return session.leave()

    def do_end(self, session: Session, args: Args) -> Lines:
        """``end``: leave configuration altogether."""
        return session.leave_all()

    def do_nothing(self, session: Session, args: Args) -> Lines:
        """Take a line that changes nothing in this simulation."""
        return []

    def do_length(self, session: Session, args: Args) -> Lines:
        """``terminal length <number>``: 0 turns paging off."""
        session.length = args.number("number")
        return []

    def do_width(self, session: Session, args: Args) -> Lines:
        """``terminal width <number>``."""
        session.editor.width = args.number("number")
        return []

    # --- carrying out

    def make_session(self, wire: Wire) -> Session:
        """A session for a new connection."""
        return self.session_type(self, wire)

    @property
    def forest(self) -> dict[Mode, Tree[Handler]]:
        """One tree a mode; shared by all switches with the same tables."""
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
        """Carry out one command line; return what is printed, refusals included."""
        executes = not session.mode.configures or self._does(text)
        # Only what prints can be filtered: in a description a bar is just a character.
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
        """Carry out a line as if it had been typed in another mode, and come back.

        For vendors who take ``vlan 5 tagged 1`` where others want two lines.
        """
        before = (session.mode, session.label, session.selection, session.editing)
        session.enter(mode, ports=ports, editing=editing)
        try:
            return self.execute(session, text)
        finally:
            session.mode, session.label, session.selection, session.editing = before

    def fits(self, mode: Mode, line: Line) -> bool:
        """Whether a line would be a command in another mode."""
        try:
            self.forest[mode].match(line, self.names)
        except RefusedError:
            return False
        return True

    def _does(self, text: str) -> bool:
        return bool(self.do_word) and text.split(None, 1)[:1] == [self.do_word]

    def _find(self, session: Session, line: Line) -> tuple[Handler, Args, Mode | None]:
        """Find a line's handler, and the mode above to which it takes the session, if any."""
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
        """What ``?`` prints after ``text``: the words that may come next."""
        line = Line(text)
        mode, start = session.mode, 0
        if mode.configures and line.words and line.words[0].text.lower() == self.do_word:
            mode, start = self.privileged_mode, 1
        choices = self.forest[mode].choices(line, self.names, start)
        return [f"  {choice}" for choice in choices] or ["% Unrecognized command"]

    def log(self, text: str) -> None:
        """Send a message of the system to the sessions that monitor the log."""
        for session in self.sessions:
            if isinstance(session, Session) and session.monitors:
                session.log(text)
