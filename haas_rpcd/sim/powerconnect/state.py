"""What a PowerConnect is, and what it is configured to do."""

from __future__ import annotations

from haas_rpcd.sim import cli
from haas_rpcd.sim.ioslike.general import GeneralPort as Port

__all__ = ["MODEL", "NAMING", "VERSION", "Config", "Port"]

MODEL, VERSION = "PowerConnect 5548", "4.1.0.19"

NAMING = cli.Naming(
    {"gigabitethernet": "gi", "tengigabitethernet": "te"}, gap=" ?", to="-", comma=","
)


class Config(cli.Config):
    """A configuration of ROS. ``vlans``: their names, empty for those without one."""

    ports: dict[str, Port]
    vlans: dict[int, str]
