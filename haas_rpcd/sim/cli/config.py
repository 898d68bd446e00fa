"""The configuration of a simulated switch: its ports and its VLANs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from haas_rpcd.sim.cli.records import NOTHING, Carried
from haas_rpcd.sim.cli.vlans import ALL_VLANS


@dataclass(slots=True)
class Port:
    """The configuration of a port in Cisco's model: it is an access port or a trunk.

    All values are immutable, so a shallow copy of a port is independent.
    """

    description: str = ""
    mode: str = "access"  # or "trunk"
    access_vlan: int | None = 1
    native_vlan: int | None = 1
    allowed: frozenset[int] = ALL_VLANS
    shutdown: bool = False

    def carried(self, vlans: Iterable[int]) -> Carried:
        """Return what the port carries while ``vlans`` exist."""
        live = frozenset(vlans)
        if self.shutdown:
            return NOTHING
        if self.mode != "trunk":
            return Carried(self.access_vlan) if self.access_vlan in live else NOTHING
        passing = self.allowed & live
        native = self.native_vlan if self.native_vlan in passing else None
        return Carried(native, passing - {self.native_vlan})


@dataclass(slots=True)
class Config:
    """A whole configuration. The running one is edited in place; the startup one is a copy.

    Families whose VLANs list the ports override `carried`. A family with further fields adds them;
    if their values are mutable, it overrides `copy` as well.
    """

    hostname: str
    ports: dict[str, Any]
    vlans: dict[int, Any] = field(default_factory=lambda: {1: "default"})

    def copy(self) -> Self:
        """Make an independent copy. Dataclasses in ``ports`` and ``vlans`` are copied too."""
        return replace(
            self,
            ports={name: _copied(port) for name, port in self.ports.items()},
            vlans={vlan: _copied(value) for vlan, value in self.vlans.items()},
        )

    def carried(self, port: str) -> Carried:
        """Return what a port carries under this configuration."""
        carried: Carried = self.ports[port].carried(self.vlans)
        return carried

    def is_shut(self, port: str) -> bool:
        """Return whether a port is shut down by configuration."""
        return bool(self.ports[port].shutdown)


def _copied(value: Any) -> Any:
    return replace(value) if hasattr(value, "__dataclass_fields__") else value
