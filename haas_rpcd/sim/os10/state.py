"""What a switch with OS10 is, and what it is configured to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from haas_rpcd.sim import cli

MODEL, VERSION = "S4148F-ON", "10.5.1.3"
DEFAULT_VLAN = 1
CHANNEL = "port-channel"

NAMING = cli.Naming(
    {"ethernet": "Eth", CHANNEL: "Po"},
    kind=r"[A-Za-z]+(?:-[A-Za-z]+)?",
    number=r"[\d/:]*",
    separator="/:",
    to="-",
    comma=",",
    ends=("number",),
    bare=True,
)


@dataclass(slots=True)
class Port:
    """The configuration of a port. ``access_vlan`` None: it carries nothing untagged."""

    description: str = ""
    switched: bool = True
    mode: str = "access"  # or "trunk"
    access_vlan: int | None = DEFAULT_VLAN
    allowed: frozenset[int] = frozenset()
    shutdown: bool = False
    channel: tuple[int, str] | None = None  # the number and the mode of its port channel

    def carried(self, vlans: Iterable[int]) -> cli.Carried:
        """Return what the port carries while ``vlans`` exist."""
        live = frozenset(vlans)
        if self.shutdown or not self.switched:
            return cli.NOTHING
        return cli.Carried(
            self.access_vlan if self.access_vlan in live else None,
            self.allowed & live if self.mode == "trunk" else frozenset(),
        )


class Config(cli.Config):
    """A configuration of OS10. ``vlans``: their descriptions."""

    ports: dict[str, Port]
    vlans: dict[int, str]

    def carried(self, port: str) -> cli.Carried:
        """Return what a port carries; a member of a port channel carries what that does."""
        own = self.ports[port]
        if own.channel is None:
            return super().carried(port)
        channel = f"{CHANNEL}{own.channel[0]}"
        there = not own.shutdown and channel in self.ports
        return super().carried(channel) if there else cli.NOTHING

    def members(self, channel: str) -> list[Port]:
        """Return the members of a port channel, given its full name."""
        number = int(channel.removeprefix(CHANNEL))
        return [one for one in self.ports.values() if one.channel and one.channel[0] == number]
