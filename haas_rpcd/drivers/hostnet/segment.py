"""One VLAN on a host: the names of its interfaces, and how HaaS recognizes its own.

An interface that only has the right name is never touched. HaaS recognizes its own by their alias
(``ip link`` shows it), kind, VLAN id, and the interface below. One without an alias is taken over
if it is as the releases before aliases made it: without addresses or a spanning tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haas_rpcd.drivers.hostnet import iplines, sysctls
from haas_rpcd.drivers.hostnet.iplines import BRIDGE_SETTINGS
from haas_rpcd.drivers.hostnet.link import Link, vlan_link_name
from haas_rpcd.drivers.hostnet.network import HostNetwork

_FORMER = {"stp_state": 0, "forward_delay": 0, "mcast_snooping": 0}
"""Settings of the bridges of releases that set no alias."""


@dataclass(frozen=True)
class Segment:
    """One VLAN on a host.

    ``macs``: the MACs of the headnodes' nics that are in the bridge (true), or may be because a job
    is changing them (false). ``any_source``: they may send from any MAC.
    """

    kernel: HostNetwork
    trunk_nic: str
    vlan: int
    macs: Mapping[str, bool]
    any_source: bool = False

    @property
    def link_name(self) -> str:
        """The name of the VLAN interface."""
        return vlan_link_name(self.trunk_nic, self.vlan)

    @property
    def bridge_name(self) -> str:
        """The name of the bridge."""
        return iplines.bridge_name(self.vlan)

    async def foreign_link(self, link: Link, trunk: Link | None) -> str | None:
        """Return what the interface is instead of our VLAN interface; None if it is ours."""
        if link.kind != "vlan":
            return f"an interface of kind {link.kind or 'ethernet'}"
        if link.vlan != self.vlan or (trunk is not None and link.link != trunk.index):
            return f"VLAN {link.vlan} on another interface or id"
        if link.alias == iplines.mark(self.vlan):
            return None
        former = not link.makes_addresses
        new = not link.up and link.master is None
        unmarked = link.alias is None and (former or new)
        return None if unmarked and not await self.addresses(link) else "one that HaaS did not make"

    async def foreign_bridge(self, bridge: Link) -> str | None:
        """Return what the interface is instead of our bridge; None if it is ours."""
        if bridge.kind != "bridge":
            return f"an interface of kind {bridge.kind or 'ethernet'}"
        if bridge.alias == iplines.mark(self.vlan):
            return None
        former = not bridge.arp and not bridge.makes_addresses
        new = not bridge.up and not await self.kernel.ports(bridge)
        as_made = all(bridge.settings.get(key) == value for key, value in _FORMER.items())
        unmarked = bridge.alias is None and as_made and (former or new)
        return (
            None if unmarked and not await self.addresses(bridge) else "one that HaaS did not make"
        )

    async def addresses(self, link: Link) -> Sequence[str]:
        """Return the addresses of an interface."""
        return (await self.kernel.addresses()).get(link.index, [])

    async def trunk_settings(self, trunk: Link) -> Mapping[str, str]:
        """Return the settings that keep IPv6 off the trunk nic.

        If somebody has put an IPv6 address on it, it keeps IPv6, and takes no router
        advertisements.
        """
        addresses = await self.addresses(trunk)
        own = [one for one in addresses if ":" in one and not one.startswith("fe80:")]
        return sysctls.NO_ADVERTISEMENTS if own else sysctls.NO_IPV6


def wrong_settings(bridge: Link) -> list[str]:
    """Return the names of a bridge's settings that are not as HaaS makes them.

    A kernel without br_netfilter has no ``nf_call_…``, and needs none.
    """
    return [
        key
        for key, value in BRIDGE_SETTINGS.items()
        if bridge.settings.get(key, 0 if key.startswith("nf_call") else None) != value
    ]
