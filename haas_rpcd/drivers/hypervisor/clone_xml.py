"""Builds a headnode's domain XML from that of its base image. No I/O."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from haas_rpcd.drivers.hypervisor import additions, image_xml, xmltree
from haas_rpcd.drivers.hypervisor.domain_xml import (
    domain_name,
    point_to_file,
    set_variables,
    write_mark,
)
from haas_rpcd.drivers.hypervisor.nic_xml import BridgeName, add_spare_slots, clone_interfaces
from haas_rpcd.model import HeadnodeNic


def clone(
    base_xml: str,
    *,
    headnode: str,
    uuid: str,
    nics: Sequence[HeadnodeNic],
    overlays: Mapping[str, str],
    bridge_name: BridgeName,
    variables: str | None = None,
) -> str:
    """Return the headnode's domain XML, made from the base image's inactive XML.

    ``overlays`` maps a disk's target (``vda``) to the path of its overlay. ``variables`` is the
    path of the clone's copy of the base's UEFI variables; without, it starts with the firmware's.
    The type, machine, CPU and everything else are the base's. What clones would otherwise share is
    made the clone's own, or left out: see the ``_own_…`` functions.
    """
    root = xmltree.parse(base_xml)
    devices = xmltree.devices(root)
    xmltree.set_text(root, "name", domain_name(headnode))
    xmltree.set_text(root, "uuid", uuid)
    image_xml.without_mark(root)
    _own_identity(root)
    _own_firmware(root, variables)
    _own_disks(devices, overlays)
    _own_consoles(devices)
    _own_shares(devices)
    clone_interfaces(devices, sorted(nics), bridge_name)
    add_spare_slots(root)
    made = [*overlays.values(), *([variables] if variables else [])]
    own = [key for key, _ in additions.watched(root)]
    write_mark(root, headnode, ready=False, nics=nics, overlays=made, devices=own)
    return xmltree.text(root)


def _own_identity(root: ET.Element) -> None:
    """Give the clone a fresh generation id, and remove the base's UUID and security labels."""
    genid = root.find("genid")
    if genid is not None:
        genid.text = None  # if it is empty, libvirt creates one
    for system in root.findall("sysinfo/system"):
        for entry in [e for e in system.findall("entry") if e.get("name") == "uuid"]:
            system.remove(entry)  # libvirt refuses a UUID that is not the domain's
    for label in root.findall("seclabel"):
        # A label belongs to the base; without one, the host's default labels the domain.
        if label.get("type") != "none":
            root.remove(label)


def _own_firmware(root: ET.Element, variables: str | None) -> None:
    """Give the clone its own NVRAM file; libvirt creates it from the template if missing."""
    if variables is not None or root.find("os/nvram") is not None:
        set_variables(root, variables)


def _own_disks(devices: ET.Element, overlays: Mapping[str, str]) -> None:
    for disk in devices.findall("disk"):
        path = overlays.get(xmltree.attribute(disk, "target", "dev"))
        if path is None:
            continue
        point_to_file(disk, path)
        for name in ("shareable", "auth"):
            for element in disk.findall(name):
                disk.remove(element)
        driver = disk.find("driver")
        if driver is None:
            driver = ET.SubElement(disk, "driver", {"name": "qemu"})
        driver.set("type", "qcow2")


def _own_consoles(devices: ET.Element) -> None:
    """Remove fixed ports, paths and files on the master, which only one clone could use."""
    for graphics in devices.findall("graphics"):
        if graphics.get("type") in ("vnc", "spice", "rdp"):
            graphics.attrib.pop("tlsPort", None)
            graphics.set("port", "-1")
            graphics.set("autoport", "yes")
        if graphics.get("websocket") is not None:
            graphics.set("websocket", "-1")
        graphics.attrib.pop("socket", None)
        for listen in graphics.findall("listen"):
            listen.attrib.pop("socket", None)
    for name in ("serial", "parallel", "console", "channel"):
        for device in devices.findall(name):
            _own_character_device(device)


def _own_character_device(device: ET.Element) -> None:
    device.attrib.pop("tty", None)
    for element in [*device.findall("source"), *device.findall("log"), *device.findall("protocol")]:
        device.remove(element)
    if device.get("type") == "unix" and device.tag == "channel":
        return  # the guest agent's: libvirt derives a path from the domain's name
    if device.get("type") not in ("pty", "null", "vc", "spicevmc", "qemu-vdagent"):
        device.set("type", "pty")


def _own_shares(devices: ET.Element) -> None:
    """Remove whatever would connect clones of different projects, bypassing the network."""
    for memory in devices.findall("shmem"):
        devices.remove(memory)
    for folder in devices.findall("filesystem"):
        if folder.find("readonly") is None:
            devices.remove(folder)
    for tpm in devices.findall("tpm/backend[@type='emulator']"):
        for source in tpm.findall("source"):
            tpm.remove(source)  # the path of the state; libvirt derives one from the new UUID
