"""`JunosSwitch`: its logins, pipes, prompts, and how it refuses commands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Unpack

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import CliSwitch, Line, Lines, Options
from haas_rpcd.sim.cli.plugging import Heard
from haas_rpcd.sim.cli.wire import Wire
from haas_rpcd.sim.junos import commands, modes, statements
from haas_rpcd.sim.junos.session import Candidates, Session
from haas_rpcd.sim.junos.show import VERSION
from haas_rpcd.sim.junos.state import Config, Port, Vlan


class JunosSwitch(CliSwitch[Config]):
    """A simulated Juniper switch. Options: see `haas_rpcd.sim.cli.device.Options`.

    The user ``root`` gets a shell at login. A commit saves the configuration as well.
    """

    dialect = "juniper_junos"
    user_mode = privileged_mode = modes.OPERATIONAL
    naming = cli.Naming({"ge-": "ge-", "xe-": "xe-", "et-": "et-"}, kind="[a-z]+-", gap="")
    command_tables = commands.TABLES
    login = cli.Login(user="login: ", password="Password:", wrong=("Login incorrect",))  # noqa: S106
    pager = cli.Pager(more="---(more)---", erase=f"\r{' ' * 40}\r", quits="qQ")
    filters: ClassVar[Mapping[str, object]] = {}  # type: ignore[assignment]
    comment = "#"
    do_word = "run"
    end_word = ""
    max_vtys = 75
    width = 0
    longest_line = 1024
    arguments: ClassVar[Mapping[str, cli.Argument]] = {**cli.ARGUMENTS, **statements.ARGUMENTS}

    def __init__(
        self, hostname: str = "switch", *, ports: Sequence[str], **options: Unpack[Options]
    ) -> None:
        self.candidates = Candidates()
        super().__init__(hostname, ports=ports, **options)

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``ge-0/0/0`` onwards, as on the first member of a Virtual Chassis."""
        return [f"ge-0/0/{number}" for number in range(count)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch: every port is in the VLAN ``default``."""
        ports = {name: Port(switching=True) for name in self.port_list}
        return Config(hostname or "Amnesiac", ports, {"default": Vlan(1)})

    def restored(self, saved: Config) -> Config:
        """Drop all candidates at restart."""
        self.candidates.clear()
        return saved

    def heard(self) -> Iterator[Heard]:
        """Yield the dynamic lines of the MAC table; what a member hears is its aggregate's."""
        for line in super().heard():
            channel = self.running.ports[line.port].channel
            yield line._replace(port=f"ae{channel[0]}") if channel else line

    # --- dialogue

    def make_session(self, wire: Wire) -> Session:
        """Make the session of a new connection."""
        return Session(self, wire, self.candidates)

    def enter(self, session: cli.Session, user: str) -> list[str]:
        """Print the version after a login."""
        super().enter(session, user)
        if user == "root":
            session.enter(modes.SHELL)
        return ["", f"--- JUNOS {VERSION} Kernel 32-bit  JNPR-11.0-20190517.f0321c3_buil"]

    def prompt(self, session: cli.Session) -> str:
        """Return the prompt; its first line shows the chassis member and what is edited."""
        return session.mode.prompt.format(user=session.user or "root", host=self.running.hostname)

    def execute(self, session: cli.Session, text: str) -> list[str]:
        """Carry out a command; the output of ``show`` may go through any number of pipes."""
        words = text.split()
        head, *pipes = _split_at_bars(text) if "show" in words[:2] else [text]
        if isinstance(session, Session):
            session.shows_set = any(pipe.split() == ["display", "set"] for pipe in pipes)
        printed = super().execute(session, head)
        for pipe in pipes:
            match pipe.split():
                case ["display", "set"] | ["display", "inheritance", *_] | ["no-more"]:
                    pass
                case ["match", _, *_]:
                    pattern = pipe.split(maxsplit=1)[1].strip()
                    wanted = re.compile(pattern.strip('"'), re.I)
                    printed = [line for line in printed if wanted.search(line)]
                case ["except", pattern]:
                    printed = [line for line in printed if pattern.strip('"') not in line]
                case _:
                    return self._marked(session, len(head), "syntax error, expecting <command>.")
        return printed

    # --- refusals

    def invalid(self, session: cli.Session, line: Line, error: cli.InvalidError) -> Lines:
        """Mark the mistake with a caret."""
        text = "unknown command." if error.word == 0 else "syntax error."
        return self._marked(session, error.at, text)

    def incomplete(self, session: cli.Session, line: Line) -> Lines:
        """Mark the end of the line."""
        return self._marked(session, len(line.text.rstrip()), "missing argument.")

    def ambiguous(self, session: cli.Session, line: Line) -> Lines:
        """Mark the ambiguous word."""
        word = line.words[-1]
        printed = self._marked(session, word.at, f"'{word.text}' is ambiguous.")
        return [*printed, "Possible completions:"]

    def _marked(self, session: cli.Session, at: int, text: str) -> list[str]:
        last_line = self.prompt(session).rpartition("\n")[2]
        return [" " * (len(last_line) + at) + "^", text]


def _split_at_bars(text: str) -> list[str]:
    """Split a line at its pipes; a bar in quotes is part of a regular expression."""
    return ["".join(part) for part in re.findall(r"((?:\"[^\"]*\"|[^|\"])+)", text)]
