"""`IosSwitch`: its logins, the texts around commands, and how it refuses them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Unpack

from haas_rpcd.sim.cli import (
    Argument,
    Commands,
    InvalidError,
    Line,
    Lines,
    Login,
    Mode,
    Options,
    Pager,
    Session,
)
from haas_rpcd.sim.ios import commands, login, modes
from haas_rpcd.sim.ios.catalyst import Catalyst
from haas_rpcd.sim.ios.portname import NAMING, gigabit
from haas_rpcd.sim.ios.state import CHANNEL, Chassis, Config, Port, VtpMode


class IosSwitch(Catalyst):
    """A simulated Catalyst 2960 or 3560 with IOS 15. Options: see `haas_rpcd.sim.cli.Options`.

    ``ports``: full names, such as `gigabit` makes. ``privilege``: that of a login, which lands at
    ``#`` with 15 and at ``>`` with less. ``encapsulation``: the model knows ISL, as a 3560 does and
    a 2960 does not; None: the model's name decides. ``vtp_mode``: with ``transparent``, VLANs are
    part of the configuration. With ``server``, Cisco's default, they are stored separately, survive
    a reload without being saved, and end at 1005.
    """

    dialect = "cisco_ios"
    user_mode = modes.USER
    privileged_mode = modes.PRIVILEGED
    naming = NAMING
    channels: ClassVar[Mapping[str, range]] = {CHANNEL: range(1, 49)}
    enabling = login.ENABLE
    # IOS overwrites the ten characters of its prompt with nine backspaces and eight blanks.
    pager = Pager(erase="\b" * 9 + " " * 8 + "\b" * 9)
    arguments: ClassVar[Mapping[str, Argument]] = commands.IOS_ARGUMENTS
    interrupt_leaves = True

    def __init__(
        self,
        hostname: str = "Switch",
        *,
        ports: Sequence[str],
        privilege: int | None = None,
        model: str = "WS-C2960S-24TS-L",
        version: str = "15.0(2)SE11",
        serial: str | None = None,
        encapsulation: bool | None = None,
        vtp_mode: VtpMode = "transparent",
        **options: Unpack[Options],
    ) -> None:
        self._vtp_mode: VtpMode = vtp_mode
        if privilege is not None:
            options["privileged"] = privilege == 15
        super().__init__(hostname, ports=ports, **options)
        self.login: Login = login.LINE if self.access.username is None else login.LOCAL
        if encapsulation is None:
            encapsulation = not model.startswith("WS-C2960")
        self.chassis = Chassis(
            model,
            version,
            serial or f"FOC{self.serial}",
            encapsulation,
            login.config_lines(self.access),
            login.vty_lines(self.access),
            self.unplugged,
            self.assigned,
        )

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """Return the gigabit ports of a 2960S."""
        return gigabit(count)

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch."""
        ports = {name: Port() for name in self.port_list}
        return Config(hostname or "Switch", ports, vtp_mode=self._vtp_mode)

    def restored(self, saved: Config) -> Config:
        """A VTP server keeps its VLANs in vlan.dat, whether they are saved or not."""
        if saved.vtp_mode == "server":
            saved.vlans = dict(self.running.vlans)
        return saved

    @property
    def tables_key(self) -> object:
        """Models with ISL have more commands."""
        return self.chassis.encapsulation

    def tables(self) -> Mapping[Mode, Commands]:
        """Return the commands of every mode."""
        return commands.tables(self.chassis.encapsulation)

    def reserved(self) -> Mapping[Mode, Mapping[str, str]]:
        """Return further keywords."""
        return commands.RESERVED

    def prompt(self, session: Session) -> str:
        """Return the prompt of a session."""
        return modes.prompt(session.mode, self.running.hostname)

    def invalid(self, session: Session, line: Line, error: InvalidError) -> Lines:
        """Take an unknown word at an exec prompt for a host to connect to, perhaps with a port.

        Because of "no ip domain-lookup" IOS asks no name server and fails at once.
        """
        rest = [word.text for word in line.words[1:]]
        may_be_host = not rest or (len(rest) == 1 and rest[0].isdigit())
        if session.mode.configures or error.word or not may_be_host:
            return super().invalid(session, line, error)
        return [
            f'Translating "{line.words[0].text}"',
            "% Unknown command or computer name, or unable to find computer address",
            "",
        ]

    def leaving(self, session: Session) -> Iterable[str]:
        """Create edited VLANs when config-vlan mode is left.

        Source: Catalyst 2960 software configuration guide, "Configuring VLANs".
        """
        return self.add_vlans(session.editing) if session.mode is modes.VLAN else []

    def configured(self, session: Session) -> None:
        """Log who configured."""
        user = f" by {session.user}" if session.user else ""
        self.log(
            f"%SYS-5-CONFIG_I: Configured from console{user} on vty{session.line} ({session.peer})"
        )
