"""`ComwareSwitch` and `Comware5Switch`: logins, texts around commands, and refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import CliSwitch, Line, Lines, Session
from haas_rpcd.sim.comware import commands, modes
from haas_rpcd.sim.comware.state import (
    AGGREGATE,
    COMWARE_5,
    COMWARE_7,
    NAMING,
    Config,
    Port,
    Release,
)

COPYRIGHT = (
    "*" * 78,
    "* Copyright (c) 2010-2018 Hewlett Packard Enterprise Development LP          *",
    "* Without the owner's prior written consent,                                 *",
    "* no decompiling or reverse-engineering shall be allowed.                    *",
    "*" * 78,
    "",
)


class ComwareSwitch(CliSwitch[Config]):
    """A simulated switch with Comware 7. Options: see `haas_rpcd.sim.cli.device.Options`."""

    dialect = "hpe_comware"
    user_mode = privileged_mode = modes.USER  # rights depend on the user's role, not on a mode
    naming = NAMING
    channels: ClassVar[Mapping[str, range]] = {AGGREGATE: range(1, 129)}
    login = cli.Login(
        user="login: ",
        password="Password: ",  # noqa: S106  (a prompt)
        before=COPYRIGHT,
        wrong=("AAA authentication failed.", ""),
    )
    pager = cli.Pager(more="  ---- More ----", erase=f"\x1b[16D{' ' * 16}\x1b[16D", quits="qQ\x03")
    full_text = "All lines are used, please try later!\r\n"
    negation = "undo"
    comment = "#"
    do_word = ""
    end_word = "return"
    width = 0
    longest_line = 510
    max_vtys = 64
    arguments = commands.ARGUMENTS
    command_tables = commands.TABLES
    further_keywords = commands.RESERVED
    release: ClassVar[Release] = COMWARE_7

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``GigabitEthernet1/0/1`` onwards."""
        return [f"GigabitEthernet1/0/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch."""
        ports = {name: Port() for name in self.port_list}
        return Config(hostname or "HPE", ports, release=self.release)

    def enter(self, session: Session, user: str) -> list[str]:
        """Print the copyright notice, unless it was printed before the login."""
        return [*super().enter(session, user), *([] if user else COPYRIGHT)]

    # --- refusals

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """Tell apart unknown keywords, wrong values and words too many."""
        before = line.text[: line.column(error.word)]
        choices = self.forest[session.mode].choices(Line(before), self.names) if before else []
        is_system_view = error.word == 0 and line.words[0].text.lower() == "system-view"
        takes_value = any(choice != choice.lower() or choice[:1] == "<" for choice in choices)
        if choices == ["<cr>"]:
            what = "Too many parameters"
        elif is_system_view or takes_value:
            what = "Wrong parameter"
        else:
            what = "Unrecognized command"
        return self._refused(session, line.column(error.word), what)

    def incomplete(self, session: Session, line: Line) -> Lines:
        """Point behind the last word."""
        return self._refused(session, len(line.text.rstrip()), "Incomplete command")

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """Point at the first word."""
        return self._refused(session, line.column(0), "Ambiguous command")

    def _refused(self, session: Session, at: int, what: str) -> Lines:
        return [f"{' ' * (len(self.prompt(session)) + at)}^", f" % {what} found at '^' position."]


class Comware5Switch(ComwareSwitch):
    """A simulated switch with Comware 5.20, which words some questions and answers differently."""

    login = cli.Login(
        user="Username:",
        password="Password:",  # noqa: S106  (a prompt)
        before=(*COPYRIGHT, "Login authentication", "", ""),
        wrong=("% Login failed!", ""),
    )
    full_text = "All user interfaces are used, please try later!\r\n"
    max_vtys = 16
    release = COMWARE_5
