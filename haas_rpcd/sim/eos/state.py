"""What a switch with EOS is, and what it is configured to do."""

from __future__ import annotations

from haas_rpcd.sim import cli
from haas_rpcd.sim.ioslike.ports import RoutedPort as Port

__all__ = ["MODEL", "NAMING", "VERSION", "Config", "Port"]

MODEL, VERSION = "DCS-7050TX-64-R", "4.22.4M"

NAMING = cli.Naming(
    {"Ethernet": "Et", "Port-Channel": "Po"},
    kind=r"[A-Za-z]+(?:-[A-Za-z]+)?",
    to="-",
    comma=",",
    ends=("last", "number"),
    bare=True,
)


class Config(cli.Config):
    """A configuration of EOS. ``vlans``: their names."""

    ports: dict[str, Port]
    vlans: dict[int, str]
