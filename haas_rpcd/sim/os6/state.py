"""What a switch with OS6 is, and what it is configured to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from haas_rpcd.sim import cli
from haas_rpcd.sim.ioslike.general import GeneralPort

MODEL, VERSION = "N2048", "6.3.3.10"
LAST_VLAN = 4093
EVERY = frozenset(range(1, LAST_VLAN + 1))

NAMING = cli.Naming(
    {"gigabitethernet": "Gi", "tengigabitethernet": "Te"}, gap=" ?", to="-", comma=","
)


@dataclass(slots=True)
class Port(GeneralPort):
    """A port. As a trunk it carries all VLANs at first."""

    allowed: frozenset[int] = EVERY
    voice_vlan: int | None = None
    channel: tuple[int, str] | None = None

    def carried(self, vlans: Iterable[int]) -> cli.Carried:
        """Return what the port carries while ``vlans`` exist.

        A telephone's frames are tagged with the voice VLAN, beside the VLANs of the port's mode.
        """
        there = frozenset(vlans)
        now = GeneralPort.carried(self, there)
        if self.shutdown or self.voice_vlan not in there:
            return now
        return cli.Carried(now.untagged, (now.tagged | {self.voice_vlan}) - {now.untagged})


class Config(cli.Config):
    """A configuration of OS6. ``vlans``: their names."""

    ports: dict[str, Port]
    vlans: dict[int, str]
