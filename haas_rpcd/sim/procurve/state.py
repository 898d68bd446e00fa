"""What a ProVision switch holds: VLANs that list their ports, and how many VLANs there may be.

Adding a port to a VLAN ``untagged`` removes it from the VLAN in which it was untagged before;
adding it ``tagged`` does not. Every port is in at least one VLAN at any time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from haas_rpcd.sim import cli
from haas_rpcd.sim.ioslike.byvlan import ListingConfig, ListingVlan

DEFAULT_VLAN = 1
DEFAULT_MAX_VLANS = 256


@dataclass(slots=True)
class Port:
    """A port; by default enabled."""

    name: str = ""
    shutdown: bool = False
    channel: tuple[int, str] | None = None  # the number and the kind of its trunk group


@dataclass(slots=True)
class Config(ListingConfig):
    """A configuration."""

    ports: dict[str, Port]
    vlans: dict[int, ListingVlan] = field(default_factory=dict)
    max_vlans: int = DEFAULT_MAX_VLANS
    """How many VLANs there may be after the next restart."""

    vlan_limit: int = field(default=DEFAULT_MAX_VLANS, compare=False)
    """How many VLANs there may be now."""

    refuses_orphans: bool = field(default=False, compare=False)
    """Whether the switch refuses to take a port off its last VLAN; see `ProcurveSwitch`."""

    def carried(self, port: str) -> cli.Carried:
        """Return what a port carries."""
        if self.ports[port].shutdown:
            return cli.NOTHING
        return cli.Carried(self.listed_untagged_on(port), self.tagged_on(port))

    def ensure_vlan(self, number: int) -> ListingVlan:
        """Return a VLAN; create it if necessary. RejectedError if there are too many."""
        if number not in self.vlans:
            if len(self.vlans) >= self.vlan_limit:
                raise cli.RejectedError(
                    f"Maximum number of VLANs ({self.vlan_limit}) has already been reached."
                )
            self.vlans[number] = ListingVlan(f"VLAN{number}")
        return self.vlans[number]

    def delete_vlan(self, number: int) -> None:
        """Delete a VLAN; ports without another one move to the default VLAN."""
        del self.vlans[number]
        self.rescue_orphans()

    def add_untagged(self, number: int, ports: Collection[str]) -> None:
        """Add ports to a VLAN without a tag."""
        wanted = frozenset(ports)
        for other in self.vlans.values():
            other.untagged -= wanted
        vlan = self.vlans[number]
        vlan.tagged, vlan.untagged = vlan.tagged - wanted, vlan.untagged | wanted

    def add_tagged(self, number: int, ports: Collection[str]) -> None:
        """Add ports to a VLAN with a tag."""
        wanted = frozenset(ports)
        vlan = self.vlans[number]
        vlan.tagged, vlan.untagged = vlan.tagged | wanted, vlan.untagged - wanted

    def orphans(self) -> list[str]:
        """Return the ports that are in no VLAN."""
        used = {port for vlan in self.vlans.values() for port in vlan.tagged | vlan.untagged}
        return [port for port in self.ports if port not in used]

    def rescue_orphans(self) -> None:
        """Add ports that are in no VLAN to the default VLAN."""
        self.vlans[DEFAULT_VLAN].untagged |= frozenset(self.orphans())
