"""One VLAN on the master: an interface on the trunk nic, and a bridge over it.

An interface that only has the right name is never touched. It is judged by its kind, the interface
below it, and its VLAN id; if it is something else, the change is refused.
"""

from __future__ import annotations

from haas_rpcd.drivers import Report
from haas_rpcd.drivers.hostnet import iplines
from haas_rpcd.drivers.hostnet.links import (
    IFF_NOARP,
    NO_IPV6_ADDRESSES,
    Kernel,
    Link,
    keep_ip_off,
)
from haas_rpcd.errors import DeviceError

BRIDGE_SETTINGS = {"br_stp_state": 0, "br_forward_delay": 0, "br_mcast_snooping": 0}


class VlanBridge:
    """The VLAN interface and the bridge of one VLAN. Raises DeviceError throughout."""

    def __init__(
        self, kernel: Kernel, trunk_nic: str, vlan: int, report: Report = lambda line: None
    ) -> None:
        self._kernel = kernel
        self._trunk_nic = trunk_nic
        self._vlan = vlan
        self._report = report
        self._link_name = iplines.vlan_link_name(trunk_nic, vlan)
        self._bridge_name = iplines.bridge_name(vlan)

    async def complete(self) -> bool:
        """Return whether both exist, are what they should be, are connected, and are up."""
        trunk = await self._kernel.find(self._trunk_nic)
        link = await self._kernel.find(self._link_name)
        bridge = await self._kernel.find(self._bridge_name)
        if trunk is None or link is None or bridge is None:
            return False
        ours = self._is_ours(link, trunk) and bridge.kind == "bridge"
        return ours and link.master == bridge.index and trunk.up and link.up and bridge.up

    async def create(self) -> None:
        """Create and connect both; keep what is already in place."""
        trunk = await self._trunk()
        # Check both before changing either.
        await self._found_bridge()
        await self._found_link(trunk)
        if not trunk.up:
            await self._change(iplines.up(trunk.name), "set", index=trunk.index, state="up")
        link = await self._ensure_link(trunk)
        bridge = await self._ensure_bridge()
        if link.master != bridge.index:
            line = iplines.enslave(link.name, bridge.name)
            await self._change(line, "set", index=link.index, master=bridge.index)
        for one in (link, bridge):
            if not one.up:
                await self._change(iplines.up(one.name), "set", index=one.index, state="up")

    async def remove(self) -> None:
        """Remove the bridge, then the VLAN interface; ignore what is gone already."""
        trunk = await self._kernel.find(self._trunk_nic)
        bridge = await self._found_bridge()
        link = await self._found_link(trunk)
        if bridge is not None:
            await self._refuse_if_used(bridge)
            await self._change(iplines.delete(bridge.name), "del", index=bridge.index)
        if link is not None:
            await self._change(iplines.delete(link.name), "del", index=link.index)

    async def _trunk(self) -> Link:
        trunk = await self._kernel.find(self._trunk_nic)
        if trunk is None:
            raise DeviceError(
                f"The master has no trunk nic {self._trunk_nic}: plug it in, or name the right one "
                "as trunk_nic in [master] of haas.toml (`ip link` lists them).",
                reason="missing",
            )
        return trunk

    def _is_ours(self, link: Link, trunk: Link | None) -> bool:
        on_trunk = trunk is not None and link.link == trunk.index
        return link.kind == "vlan" and link.vlan == self._vlan and on_trunk

    async def _found_link(self, trunk: Link | None) -> Link | None:
        """Return the VLAN interface if it exists; refuse if it is something else."""
        link = await self._kernel.find(self._link_name)
        if link is None or self._is_ours(link, trunk):
            return link
        raise DeviceError(
            f"{link.name} on the master is not VLAN {self._vlan} on {self._trunk_nic}, but "
            f"{_what(link)}: remove or rename it (`ip -d link show {link.name}`), then apply "
            "again.",
            reason="refused",
        )

    async def _found_bridge(self) -> Link | None:
        """Return the bridge if it exists; refuse if it is no bridge or has foreign ports."""
        bridge = await self._kernel.find(self._bridge_name)
        if bridge is None:
            return None
        if bridge.kind != "bridge":
            raise DeviceError(
                f"{bridge.name} on the master is not a bridge, but {_what(bridge)}: remove or "
                "rename it, then apply again.",
                reason="refused",
            )
        foreign = [
            port.name
            for port in await self._kernel.ports(bridge)
            if not port.is_tap and port.name != self._link_name
        ]
        if foreign:
            raise DeviceError(
                f"{bridge.name} on the master has {_names(foreign)} in it, which HaaS did not put "
                f"there: take it out (`ip link set {foreign[0]} nomaster`), then apply again.",
                reason="refused",
            )
        return bridge

    async def _refuse_if_used(self, bridge: Link) -> None:
        taps = [port.name for port in await self._kernel.ports(bridge) if port.is_tap]
        if taps:
            raise DeviceError(
                f"{bridge.name} cannot be removed while {_names(taps)} of running virtual machines "
                "hangs on it: disconnect or stop them, then apply again.",
                reason="refused",
                taps=taps,
            )

    async def _ensure_link(self, trunk: Link) -> Link:
        link = await self._found_link(trunk)
        if link is None:
            await self._refuse_second_link(trunk)
            await self._change(
                iplines.add_vlan(trunk.name, self._link_name, self._vlan),
                "add",
                ifname=self._link_name,
                kind="vlan",
                link=trunk.index,
                vlan_id=self._vlan,
            )
            link = await self._created(self._link_name)
        if link.mtu != trunk.mtu:
            line = f"ip link set {link.name} mtu {trunk.mtu}"
            await self._change(line, "set", index=link.index, mtu=trunk.mtu)
        await self._no_addresses(link)
        return link

    async def _refuse_second_link(self, trunk: Link) -> None:
        other = await self._kernel.find_vlan(trunk, self._vlan)
        if other is not None:
            raise DeviceError(
                f"VLAN {self._vlan} on {trunk.name} exists already as {other.name}: remove "
                f"{other.name}, or take {self._vlan} out of the pool in [vlans] of haas.toml.",
                reason="refused",
            )

    async def _ensure_bridge(self) -> Link:
        bridge = await self._found_bridge()
        if bridge is None:
            line = iplines.add_bridge(self._bridge_name)
            await self._change(
                line, "add", ifname=self._bridge_name, kind="bridge", **BRIDGE_SETTINGS
            )
            bridge = await self._created(self._bridge_name)
        await self._no_addresses(bridge)
        if bridge.arp:
            line = iplines.no_arp(bridge.name)
            await self._change(line, "set", index=bridge.index, flags=IFF_NOARP, change=IFF_NOARP)
        for line in keep_ip_off(bridge.name):
            self._report(line)
        return bridge

    async def _no_addresses(self, link: Link) -> None:
        if not link.up:  # an interface creates its address when it comes up
            line = iplines.no_addresses(link.name)
            await self._change(line, "set", index=link.index, **NO_IPV6_ADDRESSES)

    async def _created(self, name: str) -> Link:
        made = await self._kernel.find(name)
        if made is None:
            raise DeviceError(
                f"{name} vanished from the master as soon as it was made: see who else configures "
                "the master's network, then apply again.",
                reason="mismatch",
            )
        return made

    async def _change(self, line: str, command: str, **settings: object) -> None:
        self._report(line)
        await self._kernel.change(line, command, **settings)


def _what(link: Link) -> str:
    if link.kind == "vlan":
        return f"VLAN {link.vlan} on another interface or id"
    return f"an interface of kind {link.kind or 'ethernet'}"


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
