"""Switches whose VLANs list their ports, in place of ports that name their VLANs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli.portname import PortNames


@dataclass(slots=True)
class ListingVlan:
    """A VLAN and the ports on it, with a tag and without."""

    name: str = ""
    tagged: frozenset[str] = frozenset()
    untagged: frozenset[str] = frozenset()

    def members(self, how: str) -> frozenset[str]:
        """Return the ports that are ``tagged`` or ``untagged``."""
        return self.tagged if how == "tagged" else self.untagged

    def add(self, how: str, *ports: str) -> None:
        """Add ports."""
        if how == "tagged":
            self.tagged |= set(ports)
        else:
            self.untagged |= set(ports)

    def remove(self, how: str, *ports: str) -> None:
        """Remove ports."""
        if how == "tagged":
            self.tagged -= set(ports)
        else:
            self.untagged -= set(ports)


class ListingConfig(cli.Config):
    """A configuration whose VLANs list the ports."""

    def tagged_on(self, port: str) -> frozenset[int]:
        """Return the VLANs that list the port as tagged."""
        return frozenset(vlan for vlan, it in self.vlans.items() if port in it.tagged)

    def listed_untagged_on(self, port: str) -> int | None:
        """Return the VLAN that lists the port as untagged, or None."""
        return next((vlan for vlan, it in self.vlans.items() if port in it.untagged), None)


def full_names(names: PortNames, typed: Iterable[str]) -> dict[str, None]:
    """Return the full names of ports, in order and each once. Raises ValueError."""
    return dict.fromkeys(names.read(text, 0)[0] for text in typed)
