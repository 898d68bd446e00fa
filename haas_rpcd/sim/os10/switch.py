"""`Os10Switch`: its logins, the texts around commands, and how it refuses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import CliSwitch, Line, Lines, Session
from haas_rpcd.sim.cli import filters as standard
from haas_rpcd.sim.os10 import commands, modes
from haas_rpcd.sim.os10.state import CHANNEL, DEFAULT_VLAN, NAMING, Config, Port


class Os10Switch(CliSwitch[Config]):
    """A simulated PowerSwitch. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "dell_os10"
    user_mode = modes.EXEC
    privileged_mode = modes.EXEC
    naming = NAMING
    channels: ClassVar[Mapping[str, range]] = {CHANNEL: range(1, 129)}
    login = cli.Login(user="{host} login: ", wrong=("", "Login incorrect"))
    pager = cli.Pager(more="--More--", erase="\r" + " " * 8 + "\r")
    filters: ClassVar[Mapping[str, standard.Made]] = {
        "grep <line>": standard.include,
        "except <line>": standard.exclude,
        "find <line>": standard.begin,
        "no-more": standard.whole,
    }
    max_vtys = 12
    width = 0
    longest_line = 1024
    arguments = commands.ARGUMENTS
    command_tables = commands.TABLES

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``ethernet1/1/1`` onwards."""
        return [f"ethernet1/1/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch."""
        ports = {name: Port() for name in self.port_list}
        return Config(hostname or "OS10", ports, {DEFAULT_VLAN: ""})

    def enter(self, session: Session, user: str) -> list[str]:
        """Print what Linux prints at a login."""
        super().enter(session, user)
        return [
            "Last login: Tue Jun  9 11:50:00 UTC 2026 on pts/0",
            "Linux OS10 4.9.189 #1 SMP Debian 4.9.189-3+deb9u2 x86_64",
            "",
            "The programs included with the Debian GNU/Linux system are free software;",
            "-" * 58,
            "-*  Dell EMC Networking Operating System (OS10)        *-",
            "-" * 58,
        ]

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """OS10 marks no place. It distinguishes an unknown command from wrong parameters."""
        if error.word:
            return ["% Error: Illegal parameter."]
        return ["% Error: Unrecognized command."]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """One line, like all refusals."""
        return ["% Error: Incomplete command."]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """One line, like all refusals."""
        return ["% Error: Ambiguous command."]
