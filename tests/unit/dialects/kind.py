"""A kind of simulated switch, as the suites of all dialects know it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from haas_rpcd.config import Credential
from haas_rpcd.model import PortConfig
from haas_rpcd.sim.cli import Device
from haas_rpcd.sim.personalities import personality
from tests.unit.dialects import harness
from tests.unit.dialects.harness import HAAS
from tests.unit.dialects.port_states import Dice

LOGINS: dict[str, tuple[dict[str, Any], Credential]] = {
    "a user and a password": ({}, HAAS),
    "a user name only": ({"password": None}, HAAS),
    "a message of the day": (
        {"motd": "No error here\n*** Welcome to <sw1># ***\n# no password: >\nno > # error: none"},
        HAAS,
    ),
    "a long name": ({"hostname": "leaf-1.dc2.a-very-long-name.example.org"}, HAAS),
    "a password only": ({"username": None}, Credential(password="s3cret", enable="en4ble")),
    "no enable password": ({"enable": None}, Credential(username="haas", password="s3cret")),
    "an empty enable password": ({"enable": "", "privileged": False}, HAAS),
    "nothing asked": ({"username": None, "password": None}, Credential()),
}
ALWAYS = tuple(LOGINS)[:4]
ONCE = (*ALWAYS, "a password only")
TWICE = (*ONCE, "no enable password")

HOME = PortConfig(1)


@dataclass(frozen=True)
class Kind:
    """One kind of switch: how it is created, its lines and its messages."""

    dialect: str
    randomize: Callable[[Dice, Any, str], None]
    lines: tuple[str, ...]
    """Regular expressions for every kind of line that is sent for ports."""

    refusal: str
    """Its refusal of a line."""

    identity: tuple[str, str]
    """Its model and version."""

    ranged: tuple[str, ...] = ()
    """The lines that name ports if the 1st to 4th, 6th, 8th and 9th are set to VLAN 100."""

    names: dict[str, str] = field(default_factory=dict)
    """Spellings of port names, separated by ``;`` -> the canonical name."""

    message: str = ""
    """A log message that it prints into sessions."""

    save_error: str = ""
    """Its message if it can't save."""

    unsaved: bool = True
    """True if a failed save without a message is noticed."""

    registered: tuple[str, str] = ("", "")
    """Text in the switch's port names, and its replacement in registered names."""

    missing: str = ""
    """A port name that it refuses; empty if it accepts any."""

    logins: tuple[str, ...] = ALWAYS
    wrong: str = r"Login incorrect"
    """Its answer to a wrong password."""

    device_options: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    commit: str = ""
    """The line that applies all others, in families that need a commit."""

    names_vlans: bool = True
    fresh: PortConfig = HOME
    """What a fresh port carries."""

    seen: PortConfig | None = None
    """What a fresh port is read as, if that is more."""

    longest: int = 254
    """Characters of the longest line that it accepts."""

    most: int = 1000
    """The trunk with the longest list has VLANs up to this one."""

    few: int = 20
    """Fewer lines than this give 24 ports the same configuration."""

    apart: int = 40
    """Fewer lines than this shut twelve ports with gaps between them."""

    dynamic: bool = False
    """True if an unset port is read as carrying what it might negotiate."""

    up_within: float = 60
    """Seconds by which the reported uptime may be wrong; 0: it reports the real host's uptime."""

    rounds: int = 4
    """Number of random attempts; low if each line starts a process."""

    variant: type[Device[Any]] | None = None

    @property
    def kind(self) -> type[Device[Any]]:
        return self.variant or personality(self.dialect)

    def switch(self, ports: int = 4, **options: Any) -> Any:
        return harness.make_switch(self.kind, ports, **(self.device_options | options))

    def port(self, switch: Any, at: int) -> str:
        """Return the name under which a port is registered."""
        return self.name(switch.port_list[at])

    def name(self, full: str) -> str:
        return full.replace(*self.registered)

    def leave(self, dice: Dice, switch: Any, ports: Any) -> None:
        """Put ports into random states, as somebody may have left them."""
        for name in ports:
            self.randomize(dice, switch, name)
            left = switch.running.ports.get(name)
            if hasattr(left, "description"):
                left.description = "rack 4"
        switch.touch()
        switch.settle()
