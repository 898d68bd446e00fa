"""What a PowerConnect is, and what it is configured to do."""

from __future__ import annotations

from dataclasses import dataclass

from haas_rpcd.sim import cli
from haas_rpcd.sim.ioslike.general import GeneralPort

MODEL, VERSION = "PowerConnect 5548", "4.1.0.19"

NAMING = cli.Naming(
    {"gigabitethernet": "gi", "tengigabitethernet": "te"}, gap=" ?", to="-", comma=","
)


@dataclass(slots=True)
class Port(GeneralPort):
    """A port. With ``voice`` it joins the voice VLAN of the switch once it hears a telephone."""

    voice: bool = False
    channel: tuple[int, str] | None = None


@dataclass(slots=True)
class Config(cli.Config):
    """A configuration of ROS. ``vlans``: their names, empty for those without one."""

    ports: dict[str, Port]
    vlans: dict[int, str]
    voice_vlan: int | None = None

    def carried(self, port: str) -> cli.Carried:
        """Return what a port carries, as if a telephone was at each that waits for one."""
        settings, now = self.ports[port], cli.Config.carried(self, port)
        if settings.shutdown or not settings.voice or self.voice_vlan not in self.vlans:
            return now
        return cli.Carried(now.untagged, (now.tagged | {self.voice_vlan}) - {now.untagged})
