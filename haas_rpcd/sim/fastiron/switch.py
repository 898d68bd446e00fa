"""`FastIronSwitch`: its logins, the texts around commands, and how it refuses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Unpack

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, Session
from haas_rpcd.sim.fastiron import commands, modes
from haas_rpcd.sim.fastiron.state import (
    DEFAULT_VLAN,
    MODEL,
    NAMING,
    Config,
    Port,
    Vlan,
    is_implicit,
)


class FastIronSession(Session):
    """A session whose prompt shows its transport."""

    way = "SSH@"


class FastIronSwitch(CliSwitch[Config]):
    """A simulated ICX. Options: see `haas_rpcd.sim.cli.Options`.

    ``release``: for example 08.0.30. ``enable_asks_user``: ``enable`` asks for a user and a
    password, as with ``aaa authentication enable default local``.
    """

    dialect = "brocade_fastiron"
    user_mode = modes.USER
    privileged_mode = modes.PRIVILEGED
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
    arguments: ClassVar[Mapping[str, cli.Argument]] = commands.ARGUMENTS

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
        self.implicit = is_implicit(release)
        self.enable_asks_user = enable_asks_user
        super().__init__(hostname, ports=ports, **options)

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``ethernet 1/1/1`` onwards, as on a switch that is no stack."""
        return [f"ethernet 1/1/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch."""
        ports = {name: Port() for name in self.port_list}
        vlans: dict[int, Any] = {DEFAULT_VLAN: Vlan("DEFAULT-VLAN")}
        return Config(hostname or f"{MODEL} Switch", ports, vlans, self.implicit, self.release)

    @property
    def tables_key(self) -> object:
        """The commands depend on the release."""
        return self.implicit

    def tables(self) -> Mapping[Mode, Commands]:
        """Return the commands of every mode."""
        return commands.tables(self.implicit)

    def greet(self, session: Session) -> None:
        """Remember the transport for the prompt."""
        if isinstance(session, FastIronSession):
            session.way = "telnet@"
        super().greet(session)

    def enter(self, session: Session, user: str) -> list[str]:
        """Confirm a login over telnet."""
        printed = super().enter(session, user)
        telnet = isinstance(session, FastIronSession) and session.way == "telnet@"
        return ["User login successful.", "", *printed] if telnet else printed

    def prompt(self, session: Session) -> str:
        """Put ``telnet@`` or ``SSH@`` before the host's name."""
        way = session.way if isinstance(session, FastIronSession) else ""
        return way + super().prompt(session)

    def do_enable(self, session: Session, args: Args) -> Lines:
        """Ask for a user first if ``enable`` asks for one."""
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
        """FastIron repeats the part that it does not understand."""
        wrong = next((w.at for w in reversed(line.words) if w.at <= error.at), 0)
        return [f"Invalid input -> {line.text[wrong:].rstrip()}", "Type ? for a list"]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """FastIron does not repeat the line."""
        return ["Incomplete command."]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """The same style as for invalid input."""
        return [f"Ambiguous input -> {line.text.strip()}", "Type ? for a list"]
