"""What a domain's XML says, and the names and marks that HaaS gives to headnodes. No I/O.

The format is libvirt's (https://libvirt.org/formatdomain.html). HaaS describes a headnode in the
domain's own ``<metadata>``. So a domain is recognized as ours by its content and not by its name,
and the names of nics and the paths of overlays survive together with the domain.
"""

from __future__ import annotations

import posixpath
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from haas_rpcd.drivers.hypervisor import xmltree
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import HeadnodeNic

NAMESPACE = "urn:haas:headnode:1"
_MARK = f"{{{NAMESPACE}}}headnode"
_NIC = f"{{{NAMESPACE}}}nic"
_OVERLAY = f"{{{NAMESPACE}}}overlay"
_DEVICE = f"{{{NAMESPACE}}}device"

ET.register_namespace("haas", NAMESPACE)
ET.register_namespace("qemu", "http://libvirt.org/schemas/domain/qemu/1.0")
ET.register_namespace("libosinfo", "http://libosinfo.org/xmlns/libvirt/domain/1.0")

NVRAM_FOLDER = "/var/lib/libvirt/qemu/nvram"
"""The folder of UEFI variables of libvirt's qemu driver (system instance)."""


@dataclass(frozen=True)
class Mark:
    """The description of the headnode that HaaS stores in the domain.

    ``ready`` is false while the overlays are being created. ``nic_names`` maps MACs to names of
    nics. ``overlays`` are the paths of the volumes created for the headnode: the overlays of its
    disks, and its copy of the UEFI variables. ``devices`` are the keys of those that it was made
    with (:mod:`haas_rpcd.drivers.hypervisor.additions`); None if an earlier release made it.
    """

    headnode: str
    ready: bool
    nic_names: Mapping[str, str]
    overlays: tuple[str, ...]
    devices: frozenset[str] | None = None

    def name_of(self, mac: str) -> str:
        """Return the name of the nic with this MAC; the MAC itself if HaaS did not create it."""
        return self.nic_names.get(mac, mac)


@dataclass(frozen=True)
class BaseDisk:
    """A writable disk of the base image, at ``path``, or in ``pool`` as ``volume``."""

    target: str
    format: str
    path: str | None = None
    pool: str | None = None
    volume: str | None = None


@dataclass(frozen=True)
class Interface:
    """One ``<interface>`` of a domain.

    ``bridge`` is None if it is on no bridge. ``tap`` is its end on the host while the domain runs.
    """

    mac: str
    bridge: str | None
    tap: str | None
    link_up: bool
    isolated: bool
    xml: str


def domain_name(headnode: str) -> str:
    """Return the domain's name for headnode ``project/headnode``: ``haas_project_headnode``.

    It is unique, because names in HaaS may contain ``.`` and ``-`` but no ``_``.
    """
    return "_".join(("haas", *headnode.split("/")))


def overlay_name(headnode: str, target: str) -> str:
    """Return the overlay's name for a headnode's disk: ``haas_project_headnode_vda.qcow2``."""
    return f"{domain_name(headnode)}_{target}.qcow2"


def variables_path(headnode: str, base_path: str) -> str:
    """Return the path of a headnode's UEFI variables: ``…/haas_project_headnode_VARS.fd``."""
    return posixpath.join(posixpath.dirname(base_path), f"{domain_name(headnode)}_VARS.fd")


# --- reading --------------------------------------------------------------------------------------


def read_mark(xml: str) -> Mark | None:
    """Return the mark of HaaS in a domain, or None if the domain is not ours."""
    mark = xmltree.parse(xml).find(f"metadata/{_MARK}")
    if mark is None:
        return None
    return Mark(
        headnode=mark.get("name", ""),
        ready=mark.get("state") == "ready",
        nic_names={nic.get("mac", ""): nic.get("name", "") for nic in mark.findall(_NIC)},
        overlays=tuple(overlay.get("path", "") for overlay in mark.findall(_OVERLAY)),
        devices=(
            frozenset(device.get("key", "") for device in mark.findall(_DEVICE))
            if mark.get("devices") == "known"
            else None
        ),
    )


def read_interfaces(xml: str) -> list[Interface]:
    """Return the domain's interfaces, in the domain's order."""
    devices = xmltree.devices(xmltree.parse(xml))
    return [parse_interface(element) for element in devices.findall("interface")]


def parse_interface(element: ET.Element) -> Interface:
    """Parse one ``<interface>``."""
    mac, source = element.find("mac"), element.find("source")
    link, port = element.find("link"), element.find("port")
    on_bridge = element.get("type") == "bridge" and source is not None
    return Interface(
        mac="" if mac is None else mac.get("address", "").lower(),
        bridge=source.get("bridge") if on_bridge and source is not None else None,
        tap=xmltree.attribute(element, "target", "dev") or None,
        link_up=link is None or link.get("state") != "down",
        isolated=port is not None and port.get("isolated") == "yes",
        xml=xmltree.text(element),
    )


def disks_to_overlay(base_xml: str) -> list[BaseDisk]:
    """Return the base's writable disks, each of which needs an overlay in a clone.

    CD-ROMs and read-only disks are shared by all clones. Raises DeviceError ``refused`` for a disk
    that cannot have an overlay.
    """
    base = xmltree.parse(base_xml)
    found = []
    for disk in xmltree.devices(base).findall("disk"):
        source = disk.find("source")
        if _is_read_only(disk) or source is None or not source.attrib:
            continue
        found.append(_base_disk(base.findtext("name", ""), disk, source))
    return found


def _is_read_only(disk: ET.Element) -> bool:
    return disk.get("device") == "cdrom" or disk.find("readonly") is not None


def _base_disk(image: str, disk: ET.Element, source: ET.Element) -> BaseDisk:
    target = xmltree.attribute(disk, "target", "dev")
    kind = disk.get("type", "")
    trouble = None
    if kind not in ("file", "block", "volume"):
        trouble = f"is of type {kind}"
    elif disk.get("device") == "lun":
        trouble = "is handed through to the guest (device='lun')"
    elif disk.find("encryption") is not None or source.find("encryption") is not None:
        trouble = "is encrypted by libvirt"
    if trouble:
        raise DeviceError(
            f"Disk {target} of {image} {trouble}, and no overlay can be made over it: use an image "
            "whose disks are files, volumes or block devices.",
            reason="refused",
        )
    return BaseDisk(
        target=target,
        # Without a driver's type libvirt treats a disk as raw, and never probes it.
        format=xmltree.attribute(disk, "driver", "type") or "raw",
        path=source.get("file") or source.get("dev"),
        pool=source.get("pool"),
        volume=source.get("volume"),
    )


def nvram_path(xml: str) -> str | None:
    """Return the path of the domain's UEFI variables, or None if it does not boot by UEFI.

    libvirt 9.0 omits the path if the domain is off and libvirt chose the firmware itself
    (``firmware='efi'``, as virt-install writes it). Then it is the default of the qemu driver.
    """
    root = xmltree.parse(xml)
    path = (root.findtext("os/nvram") or "").strip()
    if not path and xmltree.attribute(root, "os", "firmware") == "efi":
        path = f"{NVRAM_FOLDER}/{root.findtext('name', '')}_VARS.fd"
    return path or None


# --- writing --------------------------------------------------------------------------------------


def point_to_file(disk: ET.Element, path: str) -> None:
    """Let a disk be the file at a path, whatever it was before."""
    disk.set("type", "file")
    for name in ("source", "backingStore", "mirror"):
        for element in disk.findall(name):
            disk.remove(element)
    ET.SubElement(disk, "source", {"file": path})


def set_variables(root: ET.Element, path: str | None) -> None:
    """Let a domain's UEFI variables be the file at a path; None leaves it to libvirt."""
    nvram = xmltree.child(xmltree.child(root, "os"), "nvram")
    for source in nvram.findall("source"):
        nvram.remove(source)
    nvram.attrib.pop("type", None)
    nvram.text = path


# --- our own element ------------------------------------------------------------------------------


def mark_ready(xml: str) -> str:
    """Mark the overlays in a domain's XML as complete."""
    root = xmltree.parse(xml)
    mark = root.find(f"metadata/{_MARK}")
    if mark is not None:
        mark.set("state", "ready")
    return xmltree.text(root)


def write_mark(
    root: ET.Element,
    headnode: str,
    *,
    ready: bool,
    nics: Iterable[HeadnodeNic],
    overlays: Iterable[str],
    devices: Iterable[str] | None,
) -> None:
    """Write the mark of HaaS into a domain, in place of an older one."""
    metadata = xmltree.child(root, "metadata")
    for old in metadata.findall(_MARK):
        metadata.remove(old)
    state = "ready" if ready else "making"
    mark = ET.SubElement(metadata, _MARK, {"name": headnode, "state": state})
    for nic in sorted(nics):
        ET.SubElement(mark, _NIC, {"name": nic.nic, "mac": nic.mac.lower()})
    for path in overlays:
        ET.SubElement(mark, _OVERLAY, {"path": path})
    if devices is not None:
        mark.set("devices", "known")
        for key in sorted(devices):
            ET.SubElement(mark, _DEVICE, {"key": key})
