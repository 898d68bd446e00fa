"""Builds the XML of a headnode's nics. No I/O."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence

from haas_rpcd.drivers.hypervisor import xmltree
from haas_rpcd.drivers.hypervisor.domain_xml import (
    Interface,
    parse_interface,
    read_mark,
    write_mark,
)
from haas_rpcd.model import HeadnodeNic

SPARE_SLOTS = 4
"""Nics that can be plugged into a running q35 headnode; libvirt's default leaves room for one.

A q35 machine accepts a hot-plugged device only on a free pcie-root-port, and ports cannot be added
while it runs (libvirt's docs/pci-hotplug; the error is "No more available PCI slots").
"""

BridgeName = Callable[[int], str]


def with_nics(xml: str, nics: Sequence[HeadnodeNic], bridge_name: BridgeName) -> str:
    """Return a domain's inactive XML with exactly these nics, and their names in the mark.

    A nic that stays keeps its PCI address, so that the guest finds it in the same place.
    """
    root = xmltree.parse(xml)
    devices = xmltree.devices(root)
    mark = read_mark(xml)
    old = {parse_interface(element).mac: element for element in devices.findall("interface")}
    model = _model(old.values())
    for element in devices.findall("interface"):
        devices.remove(element)
    for nic in sorted(nics):
        kept = old.get(nic.mac.lower())
        if kept is None or kept.get("type") != "bridge":
            devices.append(_new_interface(nic.mac, bridge_name(nic.vlan), model))
        else:
            devices.append(_on_bridge(kept, bridge_name(nic.vlan)))
    if mark is not None:
        write_mark(
            root,
            mark.headnode,
            ready=mark.ready,
            nics=nics,
            overlays=mark.overlays,
            devices=mark.devices,
        )
    return xmltree.text(root)


def new_interface_xml(nic: HeadnodeNic, bridge: str, domain_xml: str) -> str:
    """Return the XML that plugs a nic in, of the same model as the domain's others."""
    model = _model(xmltree.devices(xmltree.parse(domain_xml)).findall("interface"))
    return xmltree.text(_new_interface(nic.mac, bridge, model))


def moved_interface_xml(interface: Interface, bridge: str) -> str:
    """Return the XML that moves a live nic to another bridge, with its link up."""
    element = xmltree.parse(interface.xml)
    return xmltree.text(_on_bridge(element, bridge))


def unplugged_interface_xml(interface: Interface) -> str:
    """Return the XML that takes a live nic's link down."""
    element = xmltree.parse(interface.xml)
    xmltree.child(element, "link").set("state", "down")
    return xmltree.text(element)


def parked_interface_xml(interface: Interface, parking_bridge: str) -> str:
    """Return the XML that moves a live nic, with its link down, to the parking bridge."""
    element = _on_bridge(xmltree.parse(interface.xml), parking_bridge)
    xmltree.child(element, "link").set("state", "down")
    xmltree.child(element, "port").set("isolated", "yes")
    return xmltree.text(element)


def _on_bridge(element: ET.Element, bridge: str) -> ET.Element:
    moved = copy.deepcopy(element)
    moved.set("type", "bridge")
    for name in ("source", "port"):
        for child in moved.findall(name):
            moved.remove(child)
    ET.SubElement(moved, "source", {"bridge": bridge})
    link = moved.find("link")
    if link is not None:
        # Explicit, because without the element libvirt would leave the link down.
        link.set("state", "up")
    return moved


def _new_interface(mac: str, bridge: str, model: str) -> ET.Element:
    element = ET.Element("interface", {"type": "bridge"})
    ET.SubElement(element, "mac", {"address": mac})
    ET.SubElement(element, "source", {"bridge": bridge})
    ET.SubElement(element, "model", {"type": model})
    return element


def clone_interfaces(
    devices: ET.Element, nics: Sequence[HeadnodeNic], bridge_name: BridgeName
) -> None:
    """Replace the base's nics by the wanted ones.

    The first wanted nic takes the place of the base's first (slot, boot order, boot ROM), and so
    on: guests name nics by their slots, and the base's configuration uses these names.
    """
    bases = devices.findall("interface")
    model = _model(bases)
    for element in bases:
        devices.remove(element)
    for number, nic in enumerate(nics):
        made = _new_interface(nic.mac, bridge_name(nic.vlan), model)
        if number < len(bases):
            base = bases[number]
            made.find("model").attrib.update(_model_attributes(base))  # type: ignore[union-attr]
            for name in ("boot", "rom", "address"):
                made.extend(copy.deepcopy(base.findall(name)))
        devices.append(made)


def _model(interfaces: Iterable[ET.Element]) -> str:
    for element in interfaces:
        model = _model_attributes(element).get("type")
        if model:
            return model
    return "virtio"


def _model_attributes(interface: ET.Element) -> dict[str, str]:
    model = interface.find("model")
    return {} if model is None else dict(model.attrib)


def add_spare_slots(root: ET.Element) -> None:
    """Add free root ports to a q35 machine, so that nics can be plugged in while it runs."""
    if "q35" not in xmltree.attribute(root, "os/type", "machine"):
        return
    devices = xmltree.devices(root)
    ports = [
        int(controller.get("index", "-1"))
        for controller in devices.findall("controller[@type='pci']")
        if controller.get("model") == "pcie-root-port"
    ]
    taken = {int(address.get("bus", "0"), 16) for address in devices.iter("address")}
    homeless = sum(1 for nic in devices.findall("interface") if nic.find("address") is None)
    free = len([port for port in ports if port not in taken])
    for _ in range(SPARE_SLOTS + homeless - free):
        ET.SubElement(devices, "controller", {"type": "pci", "model": "pcie-root-port"})
