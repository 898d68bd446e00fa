"""`Os9Switch`: its logins, the texts around commands, and how it refuses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Line, Lines, Session
from haas_rpcd.sim.os9 import commands, modes
from haas_rpcd.sim.os9.state import CHANNEL, DEFAULT_VLAN, NAMING, Config, Os9, Port, Vlan


class Os9Switch(Os9):
    """A simulated OS9 switch. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "dell_os9"
    user_mode = modes.USER
    privileged_mode = modes.PRIVILEGED
    naming = NAMING
    channels: ClassVar[Mapping[str, range]] = {CHANNEL: range(1, 129)}
    login = cli.Login(user="Login: ", wrong=("% Error: Access denied.", ""))
    enabling = cli.Enable(
        wrong=("% Error: Access denied.",), last=("% Error: Access denied.",), tries=3
    )
    pager = cli.Pager(more="--More--", erase="\r        \r", quits="q")
    max_vtys = 10
    width = 0
    arguments = commands.ARGUMENTS
    command_tables = commands.TABLES

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``TenGigabitEthernet 0/0`` onwards, as on an S4810."""
        return [f"TenGigabitEthernet 0/{number}" for number in range(count)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch."""
        ports = {name: Port() for name in self.port_list}
        return Config(hostname or "Dell", ports, {DEFAULT_VLAN: Vlan()})

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """OS9 marks the place, and distinguishes a wrong number from a wrong word."""
        last_line = self.prompt(session).rpartition("\n")[2]
        caret = " " * (len(last_line) + error.at) + "^"
        number = line.text[error.at : error.at + 1].isdigit()
        said = "Value out of range" if number else "Invalid input"
        return [caret, f'% Error: {said} at "^" marker.']

    def incomplete(self, session: Session, line: Line) -> Lines:
        """The same style."""
        return ["% Error: Incomplete command."]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """The same style."""
        return ["% Error: Ambiguous command."]
