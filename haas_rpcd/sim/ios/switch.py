"""`IosSwitch`: a Catalyst; its configuration, its clock, and what sets IOS apart."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Unpack

from haas_rpcd.sim.cli.arguments import Argument, InvalidError, Line
from haas_rpcd.sim.cli.options import Options
from haas_rpcd.sim.cli.session import Session
from haas_rpcd.sim.cli.switch import CliSwitch, Commands, Lines
from haas_rpcd.sim.cli.texts import Login, Mode, Pager
from haas_rpcd.sim.ios import commands, login, modes, show
from haas_rpcd.sim.ios.portname import NAMING, gigabit
from haas_rpcd.sim.ios.state import Config, Port, VtpMode
from haas_rpcd.sim.ios.state import default_vlan_name as vlan_name
from haas_rpcd.sim.ios.vlanlist import format_list

BOOT = datetime(1993, 3, 1)
"""What the clock of an IOS says at boot if nobody ever set it."""


class IosSwitch(CliSwitch[Config]):
    """A simulated Catalyst 2960 or 3560 with IOS 15.

    ``ports``: full names, such as `gigabit` makes. ``privilege``: a login's; 15 lands at ``#``,
    less at ``>``. ``encapsulation``: the model knows ISL, as a
    3560 does and a 2960 does not; None decides by the model's name. ``vtp_mode``: in
    ``transparent`` VLANs are part of the configuration and lost with it; in ``server`` (Cisco's
    default) they are kept apart, survive a reload unsaved, and end at 1005. The rest: see
    `haas_rpcd.sim.cli.Options`.
    """

    dialect = "cisco_ios"
    user_mode = modes.USER
    privileged_mode = modes.PRIVILEGED
    naming = NAMING
    enabling = login.ENABLE
    # IOS writes nine backspaces and eight blanks over the ten characters of its own prompt.
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
        serial: str = "FOC1628X0XX",
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
        self.chassis = show.Chassis(
            model,
            version,
            serial,
            encapsulation,
            login.config_lines(self.access),
            login.vty_lines(self.access),
            self.unplugged,
        )

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """Gigabit ports of a 2960S."""
        return gigabit(count)

    def factory(self, hostname: str) -> Config:
        """What comes out of the box."""
        ports = {name: Port() for name in self.port_list}
        return Config(hostname or "Switch", ports, vtp_mode=self._vtp_mode)

    def restored(self, saved: Config) -> Config:
        """A VTP server's VLANs live in vlan.dat, saved or not."""
        if saved.vtp_mode == "server":
            saved.vlans = dict(self.running.vlans)
        return saved

    @property
    def tables_key(self) -> object:
        """Models with ISL have commands that others have not."""
        return self.chassis.encapsulation

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every mode."""
        return commands.tables(self.chassis.encapsulation)

    def reserved(self) -> Mapping[Mode, Mapping[str, str]]:
        """Further keywords of every mode."""
        return commands.RESERVED

    def prompt(self, session: Session) -> str:
        """The prompt of a session."""
        return modes.prompt(session.mode, self.running.hostname)

    def invalid(self, session: Session, line: Line, error: InvalidError) -> Lines:
        """An unknown word at an exec prompt is taken for a host to connect to, maybe with a port.

        "no ip domain-lookup" is set: IOS asks no name server, and says so at once.
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
        """Only now do VLANs under edit come into being.

        (Catalyst 2960 software configuration guide, "Configuring VLANs": the changes are applied
        when config-vlan mode is left.)
        """
        return self.add_vlans(session.editing) if session.mode is modes.VLAN else []

    def configured(self, session: Session) -> None:
        """Configuration was left: the log says by whom."""
        user = f" by {session.user}" if session.user else ""
        self.log(
            f"%SYS-5-CONFIG_I: Configured from console{user} on vty{session.line} ({session.peer})"
        )

    def running_config(self) -> list[str]:
        """The lines of the running configuration."""
        header = [f"! Last configuration change at {self.now():%H:%M:%S} UTC {self.date()}", "!"]
        return show.running_config(self.running, self.chassis, header)

    def add_vlans(self, vlans: Mapping[int, str | None]) -> list[str]:
        """Let VLANs exist, with names where given (``""`` for the default); return IOS's text.

        All or none: IOS commits config-vlan mode as a whole.
        """
        extended = [v for v in vlans if v > 1005 and v not in self.running.vlans]
        if extended and self.running.vtp_mode == "server":
            return [
                f"% Failed to create VLANs {format_list(extended)}",
                "Extended VLAN(s) not allowed in current VTP mode.",
                "%Failed to commit extended VLAN(s) changes.",
            ]
        for vlan, name in vlans.items():
            for other, taken in self.running.vlans.items():
                if name and name == taken and vlan != other:
                    return [f"VLAN #{vlan} and #{other} have an identical name: {name}"]
        for vlan, name in vlans.items():
            self.running.add_vlan(vlan)
            if name is not None:
                self.running.vlans[vlan] = name or vlan_name(vlan)
        self.touch(*self.names.all)
        return []

    def delete_vlans(self, vlans: Iterable[int]) -> None:
        """Delete VLANs; ports that carry them keep their setting and carry nothing."""
        for vlan in vlans:
            self.running.vlans.pop(vlan, None)
        self.touch(*self.names.all)

    def write_memory(self) -> list[str]:
        """Write the configuration to NVRAM; return what IOS prints."""
        if not self.save():
            return (self.faults.save_error or "").splitlines()
        return ["Building configuration...", "[OK]"]

    def log(self, text: str) -> None:
        """Send a system message to the sessions that have ``terminal monitor`` on."""
        stamped = f"*{self.now():%b} {self.now().day:>2} {self.now():%H:%M:%S.%f}"[:-3]
        super().log(f"{stamped}: {text}")

    def now(self) -> datetime:
        """The switch's clock: never set, so it counts from 1 March 1993 at each boot."""
        return BOOT + timedelta(seconds=time.monotonic() - self.booted)

    def date(self) -> str:
        """The day as IOS writes it: ``Mon Mar 1 1993``."""
        now = self.now()
        return f"{now:%a %b} {now.day} {now.year}"

    def uptime(self) -> str:
        """As in ``show version``: ``1 day, 2 hours, 3 minutes``."""
        minutes = int(time.monotonic() - self.booted) // 60
        parts = []
        for unit, size in (("week", 10080), ("day", 1440), ("hour", 60), ("minute", 1)):
            count, minutes = divmod(minutes, size)
            if count or unit == "minute":
                parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
        return ", ".join(parts)
