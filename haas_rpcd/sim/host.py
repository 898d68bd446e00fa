"""The master of a demo: its trunk nic, bridges, images and domains, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from haas_rpcd.model import HeadnodeNic


@dataclass
class SimDomain:
    """A headnode's domain. ``live``: the nics of the running machine, None while it is off."""

    headnode: str
    uuid: str
    image: str
    nics: tuple[HeadnodeNic, ...] = ()
    live: tuple[HeadnodeNic, ...] | None = None

    @property
    def running(self) -> bool:
        """Whether the machine is running."""
        return self.live is not None


@dataclass
class SimHost:
    """The state that the simulated hypervisor and the simulated network of the master share.

    Fields that simulate faults can be set at any time: ``libvirt_down``, ``trunk_missing``,
    ``no_capability`` (haas-rpcd lacks CAP_NET_ADMIN) and ``running_images`` (base images that
    somebody has started). ``bridge_faults``: what somebody has changed by hand on the bridge of a
    VLAN, as phrases. ``seconds``: how long each change takes.
    """

    images: set[str] = field(default_factory=lambda: {"base-headnode"})
    trunk_nic: str = "eth0"
    seconds: float = 0.0
    libvirt_down: bool = False
    trunk_missing: bool = False
    no_capability: bool = False
    running_images: set[str] = field(default_factory=set)
    bridges: set[int] = field(default_factory=set)
    bridge_faults: dict[int, tuple[str, ...]] = field(default_factory=dict)
    domains: dict[str, SimDomain] = field(default_factory=dict)

    def attached_to(self, vlan: int) -> list[str]:
        """Return the nics of running headnodes that are attached to the VLAN's bridge."""
        return sorted(
            f"{domain.headnode}:{nic.nic}"
            for domain in self.domains.values()
            for nic in domain.live or ()
            if nic.vlan == vlan
        )

    def without_bridge(self, nics: Iterable[HeadnodeNic]) -> HeadnodeNic | None:
        """Return the first nic whose bridge does not exist, or None."""
        return next((nic for nic in sorted(nics) if nic.vlan not in self.bridges), None)

    def holder_of_mac(self, mac: str, other_than: str) -> SimDomain | None:
        """Return the domain with this MAC, unless its UUID is ``other_than``."""
        for domain in self.domains.values():
            has = {nic.mac.lower() for nic in (*domain.nics, *(domain.live or ()))}
            if domain.uuid != other_than and mac.lower() in has:
                return domain
        return None
