"""What a Cumulus Linux switch holds: its applied configuration, and the candidates of its users.

A port that the configuration does not mention is down. A port on the bridge carries all VLANs of
the bridge, and the bridge's untagged VLAN without a tag, unless the port has settings of its own;
``access`` overrides its other settings. A bond is one more port; its members come up with it
("Cumulus Linux User Guide", Bonding), and are on no bridge by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import NOTHING, Carried, format_list

BRIDGE = "br_default"


@dataclass(slots=True)
class Port:
    """The settings of a port or a bond; None where the configuration has none."""

    configured: bool = False  # the configuration mentions it
    state: str | None = None  # or "up", "down"
    on_bridge: bool = False
    access: int | None = None
    untagged: int | str | None = None  # or "none"
    vlans: frozenset[int] | None = None
    channel: str | None = None  # the bond of which it is a member
    mode: str | None = None  # of a bond: "lacp" or "static"

    def as_json(self) -> dict[str, Any]:
        """Return the settings as NVUE writes them."""
        settings: dict[str, Any] = {}
        if self.state is not None:
            settings["link"] = {"state": {self.state: {}}}
        if self.on_bridge:
            domain: dict[str, Any] = {}
            if self.access is not None:
                domain["access"] = self.access
            if self.untagged is not None:
                domain["untagged"] = self.untagged
            if self.vlans is not None:
                domain["vlan"] = {format_list(self.vlans, pairs=False): {}}
            settings["bridge"] = {"domain": {BRIDGE: domain}}
        return {**settings, "type": "swp" if self.mode is None else "bond"}


@dataclass(slots=True)
class Config(cli.Config):
    """A configuration; ``vlans`` are those of the bridge."""

    ports: dict[str, Port]
    vlans: dict[int, str] = field(default_factory=dict)
    untagged: int = 1  # of the bridge

    def bonds(self) -> dict[str, list[str]]:
        """Return the members of each bond."""
        found: dict[str, list[str]] = {n: [] for n, port in self.ports.items() if port.mode}
        for name, port in self.ports.items():
            if port.channel in found:
                found[port.channel].append(name)
        return found

    def invalid(self) -> str | None:
        """Return why this configuration can't be applied; None if it can.

        "To create a bond, specify the bond members": whether one without any is taken is not
        documented, so here it is not.
        """
        for bond, members in self.bonds().items():
            if not members:
                return f"{bond}: bond has no member"
            bridged = next((name for name in members if self.ports[name].on_bridge), None)
            if bridged is not None:
                return f"{bridged}: a bond member cannot be a bridge port"
        return None

    def carried(self, port: str) -> Carried:
        """Return what a port, or the bond of which it is a member, carries: nothing while down."""
        bond = self.ports[port].channel
        if self.is_shut(port):
            return NOTHING
        return self.bridged(port) if bond is None else self.carried(bond)

    def is_shut(self, port: str) -> bool:
        """Return whether a port is down."""
        settings = self.ports[port]
        there = settings.configured or settings.channel is not None
        return not there or settings.state == "down"

    def bridged(self, port: str) -> Carried:
        """Return the VLANs that the kernel's bridge has on a port, whether it is up or down."""
        settings = self.ports[port]
        if not settings.on_bridge or settings.channel is not None:
            return NOTHING
        if settings.access is not None:
            return Carried(settings.access)
        untagged = self.untagged if settings.untagged is None else settings.untagged
        pvid = untagged if isinstance(untagged, int) else None
        vlans = frozenset(self.vlans if settings.vlans is None else settings.vlans)
        return Carried(pvid, vlans - {pvid})


@dataclass
class Candidate:
    """The edits of one user that are not applied yet."""

    revision: int
    edits: list[list[str]] = field(default_factory=list)
