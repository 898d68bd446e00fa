"""What a Nexus is, and what it is configured to do."""

from __future__ import annotations

from dataclasses import dataclass

from haas_rpcd.sim import cli
from haas_rpcd.sim.ioslike.ports import RoutedPort as Port

__all__ = ["CHANNEL", "MODEL", "NAMING", "RESERVED_VLANS", "VERSION", "Config", "Port"]

CHANNEL = "port-channel"
MODEL, VERSION = "Nexus9000 93180YC-EX", "9.3(8)"
RESERVED_VLANS = range(3968, 4095)
"""Kept for the switch itself (Layer 2 Switching guide, "VLAN Ranges")."""

NAMING = cli.Naming(
    {"Ethernet": "Eth", "port-channel": "Po"},
    kind=r"[A-Za-z]+(?:-[A-Za-z]+)?",
    number=r"[\d/]*",
)


@dataclass(slots=True)
class Config(cli.Config):
    """A configuration of NX-OS. ``vlans``: their names.

    ``switched``: ``system default switchport`` is set, so new ports switch.
    """

    switched: bool = True
