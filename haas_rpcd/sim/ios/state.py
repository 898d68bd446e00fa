"""What a simulated switch is set to: running and startup configuration, and what ports carry.

Defaults are those of a Catalyst 2960 out of its box: every port ``dynamic auto``, on VLAN 1, not
shut, and its trunk, should it become one, open to ALL VLANs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from haas_rpcd.sim.cli import config
from haas_rpcd.sim.cli.records import NOTHING, Carried
from haas_rpcd.sim.ios.vlanlist import ALL_VLANS, LEGACY_VLANS

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
    native_vlan: int = 1
    allowed: frozenset[int] = ALL_VLANS
    encapsulation: Encapsulation = "negotiate"
    nonegotiate: bool = False
    shutdown: bool = False
    portfast: Literal["", "portfast", "portfast trunk"] = ""


def carried_by(port: Port, vlans: Iterable[int]) -> Carried:
    """Say what ``port`` carries while ``vlans`` exist.

    A dynamic port counts as an access port: nothing that negotiates is plugged in.
    """
    if port.shutdown:
        return NOTHING
    live = frozenset(vlans) - LEGACY_VLANS
    if port.mode != "trunk":
        return Carried(port.access_vlan) if port.access_vlan in live else NOTHING
    passing = port.allowed & live
    native = port.native_vlan if port.native_vlan in passing else None
    return Carried(native, passing - {port.native_vlan})


def default_vlan_name(vlan: int) -> str:
    """The name IOS gives: ``VLAN0100``."""
    return f"VLAN{vlan:04}"


@dataclass(slots=True)
class Config(config.Config):
    """One whole configuration."""

    ports: dict[str, Port]
    vlans: dict[int, str] = field(default_factory=lambda: dict(FACTORY_VLANS))
    vtp_mode: VtpMode = "transparent"

    def carried(self, port: str) -> Carried:
        """What a port carries."""
        return carried_by(self.ports[port], self.vlans)

    def add_vlan(self, vlan: int) -> None:
        """Let a VLAN exist under its default name, unless it does already."""
        self.vlans.setdefault(vlan, default_vlan_name(vlan))
