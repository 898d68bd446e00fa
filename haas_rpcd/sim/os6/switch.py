"""`Os6Switch`: its logins, the texts around commands, and how it refuses them."""

from __future__ import annotations

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import CliSwitch, Line, Lines, Session
from haas_rpcd.sim.os6 import commands, modes
from haas_rpcd.sim.os6.state import NAMING, Config, Port

NO_INTERFACE = "An invalid interface has been used for this function"


class Os6Switch(CliSwitch[Config]):
    """A simulated N-series switch. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "dell_os6"
    user_mode = modes.USER
    privileged_mode = modes.PRIVILEGED
    naming = NAMING
    login = cli.Login(user="User:", password="Password:", stars="*", wrong=("",))  # noqa: S106
    enabling = cli.Enable(question="Password:", last=("Incorrect Password!",), tries=1, stars="*")
    pager = cli.Pager(more="--More-- or (q)uit", erase="\r" + " " * 21 + "\r\n", quits="q")
    max_vtys = 5
    width = 0
    do_word = "do"
    arguments = commands.ARGUMENTS
    command_tables = commands.TABLES

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``gigabitethernet1/0/1`` onwards, as on the first unit of a stack."""
        return [f"gigabitethernet1/0/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch."""
        return Config(hostname or "console", {name: Port() for name in self.port_list})

    def execute(self, session: Session, text: str) -> list[str]:
        """Execute a line. The answer begins with an empty line, unless it marks a place."""
        printed = super().execute(session, text)
        if not text.strip() or (printed and printed[0].strip() == "^"):
            return printed
        return ["", *printed]

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """Say that a port is unknown. Mark the place of any other fault."""
        if error.word and any(word.text == "interface" for word in line.words[: error.word]):
            return [NO_INTERFACE, ""]
        return super().invalid(session, line, error)

    def incomplete(self, session: Session, line: Line) -> Lines:
        """OS6 has one text for incomplete and ambiguous lines."""
        return ["Command not found / Incomplete command. Use ? to list commands.", ""]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """The same text."""
        return self.incomplete(session, line)
