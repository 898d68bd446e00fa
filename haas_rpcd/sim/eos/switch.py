"""`EosSwitch`: its logins, the texts around commands, and how it refuses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import CliSwitch, Line, Lines, Session
from haas_rpcd.sim.eos import commands, modes
from haas_rpcd.sim.eos.state import CHANNEL, NAMING, Config, Port


class EosSwitch(CliSwitch[Config]):
    """A simulated Arista switch. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "arista_eos"
    user_mode = modes.USER
    privileged_mode = modes.PRIVILEGED
    naming = NAMING
    channels: ClassVar[Mapping[str, range]] = {CHANNEL: range(1, 2001)}
    # Its telnetd starts Linux's login.
    login = cli.Login(user="{host} login: ", wrong=("Login incorrect", ""))
    enabling = cli.Enable(last=("% Bad secret",), tries=3)
    pager = cli.Pager(erase="\r\x1b[K")
    do_word = ""  # EOS needs none for show commands
    max_vtys = 50
    width = 0
    arguments = commands.ARGUMENTS
    command_tables = commands.TABLES
    further_keywords = commands.RESERVED

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``Ethernet1`` onwards, as on a switch of one unit."""
        return [f"Ethernet{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch."""
        return Config(hostname or "localhost", {name: Port() for name in self.port_list})

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """EOS marks no place. It says if only the privilege is missing."""
        if session.mode is modes.USER and self.fits(modes.PRIVILEGED, line):
            return ["% Invalid input (privileged mode required)"]
        return ["% Invalid input"]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """EOS writes no full stop."""
        return ["% Incomplete command"]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """EOS does not repeat the line."""
        return ["% Ambiguous command"]
