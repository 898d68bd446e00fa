"""What a SONiC switch holds: the tables of its database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import NOTHING, Carried

CHANNEL = "PortChannel"


@dataclass(slots=True)
class Port:
    """A port or port channel: its entries in the tables PORT and INTERFACE."""

    up: bool = True
    mode: str | None = None  # or "access", "trunk", "routed"
    addresses: tuple[str, ...] = ()
    channel: tuple[int, str] | None = None  # the number of its port channel


@dataclass(slots=True)
class Config(cli.Config):
    """The database. ``members``: VLAN and port -> whether frames are tagged."""

    ports: dict[str, Port]
    vlans: dict[int, str] = field(default_factory=dict)
    members: dict[tuple[int, str], bool] = field(default_factory=dict)

    def copy(self) -> Self:
        """Return an independent copy."""
        ports = {name: replace(port) for name, port in self.ports.items()}
        vlans, members = dict(self.vlans), dict(self.members)
        return replace(self, ports=ports, vlans=vlans, members=members)

    def vlans_of(self, port: str) -> dict[int, bool]:
        """Return the VLANs of a port, and whether frames are tagged."""
        return {vlan: tagged for (vlan, name), tagged in self.members.items() if name == port}

    def carried(self, port: str) -> Carried:
        """Return what a port carries.

        ``config`` allows one untagged VLAN. If the database has several, the latest one counts. A
        member counts as bundled, and carries what its port channel does.
        """
        if self.is_shut(port):
            return NOTHING
        channel = self.ports[port].channel
        if channel is not None:
            name = f"{CHANNEL}{channel[0]}"
            return self.carried(name) if name in self.ports else NOTHING
        vlans = self.vlans_of(port)
        untagged = [vlan for vlan, tagged in vlans.items() if not tagged]
        tagged = frozenset(vlan for vlan, tagged in vlans.items() if tagged)
        return Carried(untagged[-1] if untagged else None, tagged)

    def is_shut(self, port: str) -> bool:
        """Return whether a port is shut down."""
        return not self.ports[port].up
