"""`NxosSwitch`: its logins, the texts around commands, and how it refuses them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Unpack

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import CliSwitch, Line, Lines, Session
from haas_rpcd.sim.cli import filters as standard
from haas_rpcd.sim.nxos import commands, modes
from haas_rpcd.sim.nxos.state import CHANNEL, NAMING, Config, Port


def _unquoted(made: standard.Made) -> standard.Made:
    """NX-OS accepts expressions in quotes as well."""
    return lambda pattern: made(re.compile(re.sub(r'^"(.*)"$', r"\1", pattern.pattern)))


class NxosSwitch(CliSwitch[Config]):
    """A simulated Nexus. Options: see `haas_rpcd.sim.cli.Options`.

    ``switched``: ``system default switchport`` is set. Otherwise new ports route and are shut.
    """

    dialect = "cisco_nxos"
    user_mode = modes.EXEC
    privileged_mode = modes.EXEC
    naming = NAMING
    channels: ClassVar[Mapping[str, range]] = {CHANNEL: range(1, 4097)}
    login = cli.Login(
        user="{host} login: ", before=("User Access Verification",), wrong=("Login incorrect", "")
    )
    pager = cli.Pager(more="\x1b[7m--More--\x1b[27m", erase="\r" + " " * 8 + "\r")
    filters: ClassVar[Mapping[str, standard.Made]] = {
        **{words: _unquoted(made) for words, made in standard.FILTERS.items()},
        "no-more": standard.whole,
    }
    max_vtys = 32
    width = 0
    longest_line = 1024
    arguments = commands.ARGUMENTS
    command_tables = commands.TABLES
    further_keywords = commands.RESERVED

    def __init__(
        self,
        hostname: str = "switch",
        *,
        ports: Sequence[str],
        switched: bool = True,
        **options: Unpack[cli.Options],
    ) -> None:
        self._switched = switched
        super().__init__(hostname, ports=ports, **options)

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``Ethernet1/1`` onwards."""
        return [f"Ethernet1/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch."""
        ports = {
            name: Port(switched=self._switched, shutdown=not self._switched)
            for name in self.port_list
        }
        return Config(hostname or "switch", ports, switched=self._switched)

    def enter(self, session: Session, user: str) -> list[str]:
        """Print the copyright at every login."""
        super().enter(session, user)
        return [
            "Cisco NX-OS Software",
            "Copyright (c) 2002-2021, Cisco Systems, Inc. All rights reserved.",
            'Nexus 9000v software ("Nexus 9000v") and related documentation,',
            "files or other reference materials are the proprietary property of Cisco Systems.",
        ]

    def leaving(self, session: Session) -> Iterable[str]:
        """Create edited VLANs when their mode is left (Layer 2 Switching guide)."""
        if session.mode is modes.VLAN:
            self.touch()
            for vlan, name in session.editing.items():
                known = self.running.vlans.get(vlan, commands.default_name(vlan))
                self.running.vlans[vlan] = name or known
        return ()

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """Mark the place. Distinguish port names, numbers and anything else."""
        words = [word.text for word in line.words]
        wrong = words[error.word] if error.word < len(words) else ""
        what = "% Invalid command"
        if words and "interface".startswith(words[0].lower()) and error.word:
            what = "Invalid range" if re.search(r"\d-", wrong) else "Invalid interface format"
        elif wrong.isdecimal():
            what = "% Invalid number, range is (1:4094)"
        return [*self._at(session, error.at), f"{what} at '^' marker."]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """Put the marker at the end of the line."""
        marker = self._at(session, len(line.text))
        return [*marker, "% Incomplete command at '^' marker."]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """Put the marker at the end of the line."""
        marker = self._at(session, len(line.text))
        return [*marker, "% Ambiguous command at '^' marker."]

    def _at(self, session: Session, column: int) -> list[str]:
        return [" " * (len(self.prompt(session)) + column) + "^"]
