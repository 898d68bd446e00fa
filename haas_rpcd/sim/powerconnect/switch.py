"""`PowerConnectSwitch`: its logins, the texts around commands, and how it refuses them."""

from __future__ import annotations

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import CliSwitch, Line, Lines, Session
from haas_rpcd.sim.powerconnect import commands, modes
from haas_rpcd.sim.powerconnect.state import NAMING, Config, Port


class PowerConnectSwitch(CliSwitch[Config]):
    """A simulated PowerConnect. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "dell_powerconnect"
    user_mode = modes.USER
    privileged_mode = modes.PRIVILEGED
    command_tables = commands.TABLES
    naming = NAMING
    login = cli.Login(
        user="User Name:",
        password="Password:",  # noqa: S106  (a prompt)
        stars="*",
        wrong=("authentication failed", ""),
    )
    enabling = cli.Enable(
        question="Password:", wrong=("authentication failed",), last=("authentication failed", "")
    )
    pager = cli.Pager(
        more="More: <space>,  Quit: q or CTRL+Z, One line: <return> ",
        erase="\r" + " " * 54 + "\r",
        quits="q\x1a",
    )
    max_vtys = 4
    width = 0

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``gigabitethernet1/0/1`` onwards, as on the first unit of a stack."""
        return [f"gigabitethernet1/0/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch."""
        return Config(
            hostname or "console", {name: Port() for name in self.port_list}, vlans={1: ""}
        )

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """ROS marks no place. If it knows the command, it says that something in it is wrong."""
        if error.word == 0:
            return ["% Unrecognized command"]
        return ["% Wrong number of parameters or invalid range, size or characters entered"]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """ROS writes no full stop."""
        return ["% Incomplete command"]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """ROS does not repeat the line."""
        return ["% Ambiguous command"]
