"""What a Catalyst is, and what it is configured to do.

The defaults are those of a new Catalyst 2960: every port is ``dynamic auto``, on VLAN 1 and not
shut. As a trunk it carries all VLANs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from haas_rpcd.sim.cli import config
from haas_rpcd.sim.cli.records import NOTHING, Carried
from haas_rpcd.sim.ios.vlanlist import ALL_VLANS, LEGACY_VLANS
from haas_rpcd.sim.ioslike.show import default_vlan_name

CHANNEL = "Port-channel"

INVALID = ["                                ^", "% Invalid input detected at '^' marker.", ""]
"""What is printed about an interface that nobody has made."""

Mode = Literal["access", "trunk", "dynamic auto", "dynamic desirable"]
Encapsulation = Literal["dot1q", "isl", "negotiate"]
VtpMode = Literal["transparent", "server"]

FACTORY_VLANS: Mapping[int, str] = {
    1: "default",
    1002: "fddi-default",
    1003: "token-ring-default",
    1004: "fddinet-default",
    1005: "trnet-default",
}


@dataclass(slots=True)
class Port:
    """The configuration of one switch port."""

    description: str = ""
    mode: Mode = "dynamic auto"
    access_vlan: int = 1
    voice_vlan: int | None = None
    native_vlan: int = 1
    allowed: frozenset[int] = ALL_VLANS
    encapsulation: Encapsulation = "negotiate"
    nonegotiate: bool = False
    shutdown: bool = False
    switched: bool = True
    """False: the port routes, and carries no VLAN."""

    channel: tuple[int, str] | None = None
    """The number and the mode of its EtherChannel. A member counts as carrying what is configured
    on itself, which IOS keeps equal to what the channel carries."""

    def follow(self, channel: Port) -> None:
        """Take over what was configured on the channel that the port is a member of.

        "Configuration changes applied to the port-channel interface apply to all the physical ports
        assigned to the port-channel interface" (Catalyst 2960-X, Layer 2 Configuration Guide,
        "Configuring EtherChannels").
        """
        for setting in (
            *("mode", "access_vlan", "voice_vlan", "native_vlan", "allowed"),
            *("encapsulation", "nonegotiate", "shutdown", "switched"),
        ):
            setattr(self, setting, getattr(channel, setting))

    portfast: Literal["", "portfast", "portfast trunk"] = ""


def carried_by(port: Port, vlans: Iterable[int]) -> Carried:
    """Return what a port carries while ``vlans`` exist.

    A dynamic port counts as an access port, because nothing negotiates at its other end. A
    telephone's frames on an access port are tagged with the voice VLAN.
    """
    if port.shutdown or not port.switched:
        return NOTHING
    live = frozenset(vlans) - LEGACY_VLANS
    if port.mode != "trunk":
        voice = live & ({port.voice_vlan} if port.voice_vlan is not None else set())
        access = port.access_vlan if port.access_vlan in live else None
        return Carried(access, voice - {access})
    passing = port.allowed & live
    native = port.native_vlan if port.native_vlan in passing else None
    return Carried(native, passing - {port.native_vlan})


@dataclass(slots=True)
class Config(config.Config):
    """A configuration of IOS. ``vlans``: their names."""

    ports: dict[str, Port]
    vlans: dict[int, str] = field(default_factory=lambda: dict(FACTORY_VLANS))
    vtp_mode: VtpMode = "transparent"

    def carried(self, port: str) -> Carried:
        """Return what a port carries."""
        return carried_by(self.ports[port], self.vlans)

    def members(self, channel: str) -> list[str]:
        """Return the members of an EtherChannel, given the full name of its interface."""
        number = int(channel.removeprefix(CHANNEL))
        return [
            name
            for name, port in self.ports.items()
            if port.channel is not None and port.channel[0] == number
        ]

    def add_vlan(self, vlan: int) -> None:
        """Create a VLAN with its default name, unless it exists."""
        self.vlans.setdefault(vlan, default_vlan_name(vlan))


@dataclass(frozen=True)
class Chassis:
    """What does not change while a switch runs: its model and its logins."""

    model: str
    version: str
    serial: str
    encapsulation: bool  # it knows ISL, so "switchport trunk encapsulation" exists
    logins: tuple[str, ...] = ()  # lines of the configuration about logins
    vty_lines: tuple[str, ...] = ()  # lines below "line vty"
    unplugged: set[str] = field(default_factory=set)  # ports without a link; changes at run time
    assigned: dict[str, int] = field(default_factory=dict)  # by RADIUS; changes at run time

    @property
    def family(self) -> str:
        """``C2960S`` for ``WS-C2960S-24TS-L``."""
        return self.model.removeprefix("WS-").partition("-")[0]
