"""Makes and removes one VLAN on a host: an interface on the trunk nic, and a bridge over it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from haas_rpcd.drivers import Report
from haas_rpcd.drivers.hostnet import filters, iplines, taps
from haas_rpcd.drivers.hostnet.filters import Filter
from haas_rpcd.drivers.hostnet.iplines import BRIDGE_SETTINGS
from haas_rpcd.drivers.hostnet.link import IFF_NOARP, Link
from haas_rpcd.drivers.hostnet.network import PortVlan, expel_line, no_addresses
from haas_rpcd.drivers.hostnet.segment import Segment, wrong_settings
from haas_rpcd.errors import DeviceError


class VlanBridge:
    """The VLAN interface and the bridge of one VLAN. Raises DeviceError throughout."""

    def __init__(self, segment: Segment, report: Report) -> None:
        self._segment = segment
        self._kernel = segment.kernel
        self._host = segment.kernel.host
        self._report = report
        self._vlan = segment.vlan
        self._trunk_nic = segment.trunk_nic
        self._link_name = segment.link_name
        self._bridge_name = segment.bridge_name

    # --- creating ---------------------------------------------------------------------------------

    async def create(self) -> None:
        """Create and connect both; keep what is already in place, and put right what is not."""
        trunk = await self._trunk()
        # Check both before changing either.
        bridge = await self._own_bridge()
        link = await self._own_link(trunk)
        await self._keep_ip_off_trunk(trunk)
        if not trunk.up:
            await self._change(iplines.up(trunk.name), "set", index=trunk.index, state="up")
        link = await self._ensure_link(trunk, link)
        bridge = await self._ensure_bridge(bridge)
        if link.master != bridge.index:
            line = iplines.enslave(link.name, bridge.name)
            await self._change(line, "set", index=link.index, master=bridge.index)
        await self._take_back(bridge)
        await self._ensure_ports(bridge, link)
        for one in (link, bridge):
            if not one.up:
                await self._change(iplines.up(one.name), "set", index=one.index, state="up")

    async def _trunk(self) -> Link:
        trunk = await self._kernel.find(self._trunk_nic)
        if trunk is None:
            raise DeviceError(
                f"{self._host.subject} has no trunk nic {self._trunk_nic}: plug it in, or name the "
                f"right one {self._host.trunk_setting} (`ip link` lists them).",
                reason="missing",
            )
        return trunk

    async def _keep_ip_off_trunk(self, trunk: Link) -> None:
        settings = await self._segment.trunk_settings(trunk)
        for line in await self._kernel.keep_ip_off(trunk.name, settings):
            self._report(line)

    async def _ensure_link(self, trunk: Link, link: Link | None) -> Link:
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
        await self._quiet(link)
        return link

    async def _refuse_second_link(self, trunk: Link) -> None:
        other = await self._kernel.find_vlan(trunk, self._vlan)
        if other is not None:
            raise DeviceError(
                f"VLAN {self._vlan} on {trunk.name} exists already as {other.name}: remove "
                f"{other.name}, or take {self._vlan} out of the pool in [vlans] of haas.toml.",
                reason="refused",
            )

    async def _ensure_bridge(self, bridge: Link | None) -> Link:
        if bridge is None:
            line = iplines.add_bridge(self._bridge_name)
            settings = {f"br_{key}": value for key, value in BRIDGE_SETTINGS.items()}
            await self._change(line, "add", ifname=self._bridge_name, kind="bridge", **settings)
            bridge = await self._created(self._bridge_name)
        await self._quiet(bridge)
        await self._filter(bridge, filters.BRIDGE)
        if bridge.arp:
            line = iplines.no_arp(bridge.name)
            await self._change(line, "set", index=bridge.index, flags=IFF_NOARP, change=IFF_NOARP)
        # VLANs are filtered only when all ports are admitted: see _ensure_ports.
        await self._set(bridge, [key for key in wrong_settings(bridge) if key != "vlan_filtering"])
        return bridge

    async def _set(self, bridge: Link, keys: Collection[str]) -> None:
        for key in keys:
            value = BRIDGE_SETTINGS[key]
            line = f"ip link set {bridge.name} type bridge {key} {value}"
            await self._change(
                line, "set", index=bridge.index, kind="bridge", **{f"br_{key}": value}
            )

    async def _quiet(self, link: Link) -> None:
        """Mark an interface, and keep the master's own IP off it."""
        if link.alias != iplines.mark(self._vlan) or link.makes_addresses:
            ipv6 = await self._kernel.has_ipv6()
            line = iplines.mark_line(link.name, self._vlan, ipv6=ipv6)
            settings = {"ifalias": iplines.mark(self._vlan), **no_addresses(ipv6)}
            await self._change(line, "set", index=link.index, **settings)
        for line in await self._kernel.keep_ip_off(link.name):
            self._report(line)
        for address in await self._segment.addresses(link):
            self._report(f"ip address delete {address} dev {link.name}")
            await self._kernel.remove_address(link, address)

    async def _filter(self, link: Link, wanted: tuple[Filter, ...]) -> None:
        for line in await self._kernel.set_filters(link, wanted):
            self._report(line)

    async def _take_back(self, bridge: Link) -> None:
        """Put the taps of running headnodes back in that lost their bridge when it was removed."""
        # Not those of a headnode that a job is changing: they may be for another of its networks.
        macs = [mac for mac, settled in self._segment.macs.items() if settled]
        if not bridge.up and macs:
            for tap in await self._kernel.taps_without_bridge():
                if taps.belongs_to(tap, macs):
                    line = iplines.enslave(tap.name, bridge.name)
                    await self._change(line, "set", index=tap.index, master=bridge.index)

    async def _ensure_ports(self, bridge: Link, link: Link) -> None:
        """Admit the ports that HaaS gave the bridge, and take out all others."""
        vlans = await self._kernel.port_vlans()
        for vlan, _ in vlans.get(bridge.index, []):
            self._report(expel_line(bridge, vlan))
            await self._kernel.expel(bridge, vlan)
        headnodes: list[tuple[Link, str]] = []
        for port in await self._kernel.ports(bridge):
            if mac := taps.belongs_to(port, self._segment.macs):
                headnodes.append((port, mac))
            elif port.index != link.index:
                await self._change(iplines.release(port.name), "set", index=port.index, master=0)
        if "vlan_filtering" in wrong_settings(bridge):
            # The filters give tags, which only a bridge that filters VLANs takes off again.
            for port in (link, *(tap for tap, _ in headnodes)):
                await self._admit(port, vlans.get(port.index, []))
            vlans = await self._kernel.port_vlans()
            await self._set(bridge, ["vlan_filtering"])
        await self._filter(link, filters.VLAN_LINK)
        await self._admit(link, vlans.get(link.index, []))
        for tap, mac in headnodes:
            found, any_source = vlans.get(tap.index, []), self._segment.any_source
            for line in await taps.admit(self._kernel, tap, mac, found, any_source):
                self._report(line)

    async def _admit(self, port: Link, vlans: Sequence[PortVlan]) -> None:
        for line in await taps.admit_port(self._kernel, port, vlans):
            self._report(line)

    # --- removing ---------------------------------------------------------------------------------

    async def remove(self) -> None:
        """Remove the bridge, then the VLAN interface; ignore what is gone already.

        Ports that HaaS did not give the bridge are taken out of it first.
        """
        trunk = await self._kernel.find(self._trunk_nic)
        bridge = await self._own_bridge()
        link = await self._own_link(trunk)
        if bridge is not None:
            await self._release_ports(bridge)
            await self._change(iplines.delete(bridge.name), "del", index=bridge.index)
        if link is not None:
            await self._change(iplines.delete(link.name), "del", index=link.index)

    async def _release_ports(self, bridge: Link) -> None:
        ports = await self._kernel.ports(bridge)
        used = [port.name for port in ports if taps.belongs_to(port, self._segment.macs)]
        if used:
            raise DeviceError(
                f"{bridge.name} cannot be removed while {_names(used)} of running virtual machines "
                "hangs on it: disconnect or stop them, then apply again.",
                reason="refused",
                taps=used,
            )
        for port in ports:
            if port.name != self._link_name:
                await self._change(iplines.release(port.name), "set", index=port.index, master=0)

    # --- what is ours -----------------------------------------------------------------------------

    async def _own_link(self, trunk: Link | None) -> Link | None:
        """Return the VLAN interface if it exists; refuse if HaaS did not make it."""
        link = await self._kernel.find(self._link_name)
        if link is not None and (what := await self._segment.foreign_link(link, trunk)):
            raise DeviceError(
                f"{link.name} on {self._host.phrase} is not VLAN {self._vlan} on "
                f"{self._trunk_nic}, but {what}: remove or rename it (`ip -d link show "
                f"{link.name}`), then apply again.",
                reason="refused",
            )
        return link

    async def _own_bridge(self) -> Link | None:
        """Return the bridge if it exists; refuse if HaaS did not make it."""
        bridge = await self._kernel.find(self._bridge_name)
        if bridge is not None and (what := await self._segment.foreign_bridge(bridge)):
            wanted = "a bridge" if bridge.kind != "bridge" else "HaaS's bridge"
            raise DeviceError(
                f"{bridge.name} on {self._host.phrase} is not {wanted}, but {what}: remove or "
                "rename it, then apply again.",
                reason="refused",
            )
        return bridge

    # --- helpers ----------------------------------------------------------------------------------

    async def _created(self, name: str) -> Link:
        made = await self._kernel.find(name)
        if made is None:
            raise DeviceError(
                f"{name} vanished from {self._host.phrase} as soon as it was made: see who else "
                f"configures {self._host.phrase}'s network, then apply again.",
                reason="mismatch",
            )
        return made

    async def _change(self, line: str, command: str, **settings: object) -> None:
        self._report(line)
        await self._kernel.change(line, command, **settings)


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
