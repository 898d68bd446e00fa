"""What a switch with OS9 is, and what it is configured to do."""

from __future__ import annotations

from dataclasses import dataclass

from haas_rpcd.sim import cli
from haas_rpcd.sim.ioslike.byvlan import ListingConfig, ListingVlan

MODEL, VERSION = "S4810", "9.14(2.4)"
DEFAULT_VLAN = 1

CHANNEL = "Port-channel "

NAMING = cli.Naming(
    {
        "GigabitEthernet ": "Gi ",
        "TenGigabitEthernet ": "Te ",
        "twentyFiveGigE ": "Tf ",
        "fortyGigE ": "Fo ",
        "fiftyGigE ": "Fi ",
        "hundredGigE ": "Hu ",
        CHANNEL: "Po ",
    },
    kind=r"[A-Za-z]+(?:-[A-Za-z]+)?",
)


@dataclass(slots=True)
class Port:
    """A port. A new one is shut, and neither in Layer-2 nor in Layer-3 mode.

    ``channel``: the number of the channel that it is a member of, and the mode of LACP, or ``on``.
    """

    description: str = ""
    address: str = ""
    switched: bool = False
    hybrid: bool = False
    shutdown: bool = True
    channel: tuple[int, str] | None = None


@dataclass(slots=True)
class Vlan(ListingVlan):
    """A VLAN and the ports that it lists."""

    description: str = ""


class Config(ListingConfig):
    """A configuration of OS9."""

    ports: dict[str, Port]
    vlans: dict[int, Vlan]

    def carried(self, port: str) -> cli.Carried:
        """Look up the VLANs that list the port, or its channel. The default VLAN need not."""
        own = self.ports[port]
        if own.channel is not None:
            channel = f"{CHANNEL}{own.channel[0]}"
            there = not own.shutdown and channel in self.ports
            return self.carried(channel) if there else cli.NOTHING
        if own.shutdown or not own.switched:
            return cli.NOTHING
        tagged, untagged = self.tagged_on(port), self.listed_untagged_on(port)
        if untagged is None and (own.hybrid or not tagged):
            untagged = DEFAULT_VLAN
        return cli.Carried(untagged, tagged)

    def on_a_vlan(self, port: str) -> bool:
        """Return whether a VLAN lists the port."""
        return any(port in vlan.tagged | vlan.untagged for vlan in self.vlans.values())

    def members(self, channel: str) -> list[str]:
        """Return the members of a channel, given its full name."""
        number = int(channel.removeprefix(CHANNEL))
        ports = self.ports.items()
        return [name for name, one in ports if one.channel and one.channel[0] == number]

    def channels(self) -> list[str]:
        """Return the channels that exist, by their numbers."""
        found = [name for name in self.ports if name.startswith(CHANNEL)]
        return sorted(found, key=lambda name: int(name.removeprefix(CHANNEL)))


class Os9(cli.CliSwitch[Config]):
    """A switch with OS9, as its commands see it."""

    locked_by: str | None = None
    """The user who configures exclusively, if there is one."""
