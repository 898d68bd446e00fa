"""The nics of a headnode's domain: plugged, moved and parked. Blocks, in a worker's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from haas_rpcd.drivers import Report
from haas_rpcd.drivers.hypervisor import domain_xml, nic_xml
from haas_rpcd.drivers.hypervisor.domain_xml import Interface
from haas_rpcd.drivers.hypervisor.worker import Task
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import HeadnodeNic


class Nics:
    """Changes the nics of domains, for the length of one task."""

    def __init__(
        self,
        libvirt: Any,
        bridge_name: Callable[[int], str],
        parking_bridge: str,
        task: Task[Any],
        report: Report,
    ) -> None:
        self._libvirt = libvirt
        self._bridge_name = bridge_name
        self._parking_bridge = parking_bridge
        self._task = task
        self._report = report

    def must_park(self, domain: Any, nics: tuple[HeadnodeNic, ...]) -> bool:
        """Return whether setting these nics removes one from a running domain."""
        return bool(domain.isActive() and self._unwanted(domain, nics))

    def set(self, domain: Any, nics: tuple[HeadnodeNic, ...], define: Callable[[str], Any]) -> None:
        """Give a domain exactly these nics. If it runs, unwanted nics leave before others join.

        ``define`` stores the domain's persistent XML.
        """
        running = domain.isActive()
        if running:
            for interface in self._unwanted(domain, nics):
                self._park(domain, interface)
        old = domain.XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE)
        new = nic_xml.with_nics(old, nics, self._bridge_name)
        if self._persistent(old) != self._persistent(new):
            define(new)
        if running:
            self._join(domain, nics)
        else:
            self._report_differences(old, nics)

    def _unwanted(self, domain: Any, nics: tuple[HeadnodeNic, ...]) -> list[Interface]:
        wanted = {nic.mac.lower() for nic in nics}
        return [
            interface
            for interface in domain_xml.read_interfaces(domain.XMLDesc(0))
            if not self.is_parked(interface)
            and (interface.mac not in wanted or interface.bridge is None)
        ]

    def _park(self, domain: Any, interface: Interface) -> None:
        """Remove a running headnode's nic from its network at once, whatever the guest does."""
        self._report(
            f"park {interface.mac} of {domain.name()}: link down, to {self._parking_bridge}"
        )
        try:
            self._update(domain, nic_xml.unplugged_interface_xml(interface))
            self._update(domain, nic_xml.parked_interface_xml(interface, self._parking_bridge))
        except self._libvirt.libvirtError as error:
            raise DeviceError(
                f"The nic {interface.mac} of {domain.name()} could not be taken off its network "
                f"while the headnode runs ({error}): stop the headnode, then apply again.",
                reason="refused",
            ) from error

    def _join(self, domain: Any, nics: tuple[HeadnodeNic, ...]) -> None:
        live_xml = domain.XMLDesc(0)
        live = {one.mac: one for one in domain_xml.read_interfaces(live_xml)}
        for nic in nics:
            bridge = self._bridge_name(nic.vlan)
            present = live.get(nic.mac.lower())
            if present is None:
                self._report(f"attach {nic.nic} {nic.mac} to {bridge}")
                self._attach(domain, nic_xml.new_interface_xml(nic, bridge, live_xml), nic)
            elif present.bridge != bridge or not present.link_up or present.isolated:
                self._report(f"move {nic.nic} {nic.mac} to {bridge}")
                self._update(domain, nic_xml.moved_interface_xml(present, bridge))

    def _update(self, domain: Any, xml: str) -> None:
        self._task.go_on()
        domain.updateDeviceFlags(xml, self._libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def _attach(self, domain: Any, xml: str, nic: HeadnodeNic) -> None:
        self._task.go_on()
        try:
            domain.attachDeviceFlags(xml, self._libvirt.VIR_DOMAIN_AFFECT_LIVE)
        except self._libvirt.libvirtError as error:
            raise DeviceError(
                f"{nic.nic} could not be plugged into {domain.name()} while it runs ({error}): "
                "stop the headnode and start it again, and it has the nic.",
                reason="refused",
            ) from error

    def _persistent(self, xml: str) -> object:
        mark = domain_xml.read_mark(xml)
        nics = [(one.mac, one.bridge, one.link_up) for one in domain_xml.read_interfaces(xml)]
        return sorted(nics, key=str), mark

    def _report_differences(self, old_xml: str, nics: tuple[HeadnodeNic, ...]) -> None:
        old = {one.mac: one.bridge for one in domain_xml.read_interfaces(old_xml)}
        for mac in old.keys() - {nic.mac.lower() for nic in nics}:
            self._report(f"detach {mac}")
        for nic in nics:
            if old.get(nic.mac.lower()) != self._bridge_name(nic.vlan):
                self._report(f"attach {nic.nic} {nic.mac} to {self._bridge_name(nic.vlan)}")

    def is_parked(self, interface: Interface) -> bool:
        """Return whether an interface is on the parking bridge with its link down."""
        return interface.bridge == self._parking_bridge and not interface.link_up
