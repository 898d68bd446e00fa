"""Reads what is there of a VLAN on the master, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haas_rpcd.drivers.hostnet import filters, sysctls, taps
from haas_rpcd.drivers.hostnet.filters import Filter
from haas_rpcd.drivers.hostnet.link import Link
from haas_rpcd.drivers.hostnet.network import ADMITTED, HostNetwork, PortVlan
from haas_rpcd.drivers.hostnet.segment import Segment, wrong_settings
from haas_rpcd.model import BridgeSeen


@dataclass(frozen=True)
class View:
    """What is read once for all VLANs: the trunk nic, addresses, and VLANs of bridges' ports."""

    trunk: Link | None
    addresses: Mapping[int, Sequence[str]]
    port_vlans: Mapping[int, Sequence[PortVlan]]

    @classmethod
    async def read(cls, kernel: HostNetwork, trunk_nic: str) -> View:
        """Read it. Raises DeviceError."""
        return cls(
            await kernel.find(trunk_nic), await kernel.addresses(), await kernel.port_vlans()
        )


async def inspect(segment: Segment, view: View) -> BridgeSeen:
    """Return whether anything of a VLAN is there, and what is wrong with it. Raises DeviceError.

    An interface of somebody else's counts as nothing.
    """
    link = await segment.kernel.find(segment.link_name)
    bridge = await segment.kernel.find(segment.bridge_name)
    if link is None and bridge is None:
        return BridgeSeen(present=False)
    faults = await _trunk_faults(segment, view)
    link_is_ours, found = await _link_faults(segment, view, link)
    faults += found
    bridge_is_ours, found = await _bridge_faults(segment, view, bridge)
    faults += found
    if link_is_ours and bridge_is_ours and link and bridge and link.master != bridge.index:
        faults.append(f"{link.name} is not in {bridge.name}")
    return BridgeSeen(link_is_ours or bridge_is_ours, tuple(faults))


async def _trunk_faults(segment: Segment, view: View) -> list[str]:
    if (trunk := view.trunk) is None:
        return [f"the trunk nic {segment.trunk_nic} is missing"]
    faults = [] if trunk.up else [f"{trunk.name} is down"]
    settings = await segment.trunk_settings(trunk)
    return faults + await _wrong_sysctls(segment.kernel, trunk.name, settings)


async def _link_faults(segment: Segment, view: View, link: Link | None) -> tuple[bool, list[str]]:
    if link is None:
        return False, [f"{segment.link_name} is missing"]
    if what := await segment.foreign_link(link, view.trunk):
        return False, [f"{link.name} is not of HaaS, but {what}"]
    return True, await _faults(segment, view, link, filters.VLAN_LINK)


async def _bridge_faults(
    segment: Segment, view: View, bridge: Link | None
) -> tuple[bool, list[str]]:
    if bridge is None:
        return False, [f"{segment.bridge_name} is missing"]
    if what := await segment.foreign_bridge(bridge):
        return False, [f"{bridge.name} is not of HaaS, but {what}"]
    faults = await _faults(segment, view, bridge, filters.BRIDGE)
    faults += [
        f"{key} of {bridge.name} is {bridge.settings.get(key, 'not known')}"
        for key in wrong_settings(bridge)
    ]
    if bridge.arp:
        faults.append(f"{bridge.name} has ARP on")
    return True, faults + await _port_faults(segment, view, bridge)


async def _faults(segment: Segment, view: View, link: Link, wanted: Sequence[Filter]) -> list[str]:
    faults = [] if link.up else [f"{link.name} is down"]
    if link.alias is None:
        faults.append(f"{link.name} is as a former release of HaaS made it")
    if link.makes_addresses:
        faults.append(f"{link.name} makes itself addresses")
    if await segment.kernel.filters(link) != list(wanted):
        faults.append(f"{link.name} does not have the filters of HaaS")
    faults += [f"{link.name} has the address {one}" for one in view.addresses.get(link.index, [])]
    return faults + await _wrong_sysctls(segment.kernel, link.name, sysctls.NO_IP)


async def _port_faults(segment: Segment, view: View, bridge: Link) -> list[str]:
    faults = []
    if view.port_vlans.get(bridge.index):
        faults.append(f"the master is a member of {bridge.name}")
    for port in await segment.kernel.ports(bridge):
        found = view.port_vlans.get(port.index, [])
        if port.name == segment.link_name:
            if found != ADMITTED:
                faults.append(f"{port.name} is not admitted")
        elif mac := taps.belongs_to(port, segment.macs):
            wrong = await taps.faults(segment.kernel, port, mac, found, segment.any_source)
            # libvirt has just made it, and the job that started the headnode will admit it.
            faults += wrong if segment.macs[mac] else []
        else:
            faults.append(f"{port.name} is in it, which HaaS did not put there")
    return faults


async def _wrong_sysctls(kernel: HostNetwork, name: str, settings: Mapping[str, str]) -> list[str]:
    return [
        f"{template.format(name)} is {value}"
        for template, value in await kernel.wrong_sysctls(name, settings)
    ]
