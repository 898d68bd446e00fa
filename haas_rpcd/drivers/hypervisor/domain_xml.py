"""From a base image's domain XML to a headnode's, and from a domain's XML to what it says. No I/O.

The format is libvirt's (https://libvirt.org/formatdomain.html). What a headnode is, HaaS writes
into the domain's own ``<metadata>``: so a domain is known to be ours by what stands in it, not by
its name, and the nics' names and the overlays' paths survive wherever the domain does.
"""

from __future__ import annotations

import copy
import posixpath
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from haas_rpcd.errors import DeviceError
from haas_rpcd.model import HeadnodeNic

NAMESPACE = "urn:haas:headnode:1"
_MARK = f"{{{NAMESPACE}}}headnode"
_NIC = f"{{{NAMESPACE}}}nic"
_OVERLAY = f"{{{NAMESPACE}}}overlay"

ET.register_namespace("haas", NAMESPACE)
ET.register_namespace("qemu", "http://libvirt.org/schemas/domain/qemu/1.0")
ET.register_namespace("libosinfo", "http://libosinfo.org/xmlns/libvirt/domain/1.0")

SPARE_SLOTS = 4
"""How many nics can be plugged into a running q35 headnode; libvirt by itself leaves room for one.

A q35 machine takes a hot-plugged device only on a free pcie-root-port, and ports cannot be added
while it runs (libvirt's docs/pci-hotplug; without: "No more available PCI slots").
"""

NVRAM_FOLDER = "/var/lib/libvirt/qemu/nvram"
"""Where libvirt's qemu driver keeps UEFI variables (system instance)."""

BridgeName = Callable[[int], str]


@dataclass(frozen=True)
class Mark:
    """What HaaS wrote into the domain: whose it is and which disks were made for it.

    ``ready`` is false while its overlays are being made. ``nic_names`` maps MAC to nic name;
    ``overlays`` are the paths of the volumes that were made for the headnode: the overlays of its
    disks, and its copy of the UEFI variables.
    """

    headnode: str
    ready: bool
    nic_names: Mapping[str, str]
    overlays: tuple[str, ...]

    def name_of(self, mac: str) -> str:
        """Name the nic with that MAC; one that HaaS did not make goes by the MAC itself."""
        return self.nic_names.get(mac, mac)


@dataclass(frozen=True)
class BaseDisk:
    """A writable disk of the base image. Either ``path``, or ``pool`` and ``volume``, say where."""

    target: str
    format: str
    path: str | None = None
    pool: str | None = None
    volume: str | None = None


@dataclass(frozen=True)
class Interface:
    """One ``<interface>`` of a domain. ``bridge`` is None where it hangs on no bridge."""

    mac: str
    bridge: str | None
    link_up: bool
    isolated: bool
    xml: str


def domain_name(headnode: str) -> str:
    """Name the domain of headnode ``project/headnode``: ``haas_project_headnode``.

    Unique, because names of HaaS may contain ``.`` and ``-`` but no ``_``.
    """
    return "_".join(("haas", *headnode.split("/")))


def overlay_name(headnode: str, target: str) -> str:
    """Name the overlay for one disk of a headnode: ``haas_project_headnode_vda.qcow2``."""
    return f"{domain_name(headnode)}_{target}.qcow2"


def variables_path(headnode: str, base_path: str) -> str:
    """Say where the copy of a base's UEFI variables goes: ``…/haas_project_headnode_VARS.fd``."""
    return posixpath.join(posixpath.dirname(base_path), f"{domain_name(headnode)}_VARS.fd")


# --- reading --------------------------------------------------------------------------------------


def read_mark(xml: str) -> Mark | None:
    """Return what HaaS wrote into this domain, or None if the domain is not ours."""
    mark = _parse(xml).find(f"metadata/{_MARK}")
    if mark is None:
        return None
    return Mark(
        headnode=mark.get("name", ""),
        ready=mark.get("state") == "ready",
        nic_names={nic.get("mac", ""): nic.get("name", "") for nic in mark.findall(_NIC)},
        overlays=tuple(overlay.get("path", "") for overlay in mark.findall(_OVERLAY)),
    )


def read_interfaces(xml: str) -> list[Interface]:
    """Return the domain's interfaces, in the order in which the domain has them."""
    return [_interface(element) for element in _devices(_parse(xml)).findall("interface")]


def _interface(element: ET.Element) -> Interface:
    mac, source = element.find("mac"), element.find("source")
    link, port = element.find("link"), element.find("port")
    on_bridge = element.get("type") == "bridge" and source is not None
    return Interface(
        mac="" if mac is None else mac.get("address", "").lower(),
        bridge=source.get("bridge") if on_bridge and source is not None else None,
        link_up=link is None or link.get("state") != "down",
        isolated=port is not None and port.get("isolated") == "yes",
        xml=ET.tostring(element, encoding="unicode"),
    )


def disks_to_overlay(base_xml: str) -> list[BaseDisk]:
    """Return the base's writable disks, each of which needs an overlay in a clone.

    Discs in a CD-ROM drive and read-only disks are shared as they are. Raises DeviceError
    (refused) for a disk over which no overlay can be made.
    """
    base = _parse(base_xml)
    found = []
    for disk in _devices(base).findall("disk"):
        source = disk.find("source")
        if _is_read_only(disk) or source is None or not source.attrib:
            continue
        found.append(_base_disk(base.findtext("name", ""), disk, source))
    return found


def _is_read_only(disk: ET.Element) -> bool:
    return disk.get("device") == "cdrom" or disk.find("readonly") is not None


def _base_disk(image: str, disk: ET.Element, source: ET.Element) -> BaseDisk:
    target = _attribute(disk, "target", "dev")
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
        # Without a driver's type libvirt takes a disk for raw, and never looks into it.
        format=_attribute(disk, "driver", "type") or "raw",
        path=source.get("file") or source.get("dev"),
        pool=source.get("pool"),
        volume=source.get("volume"),
    )


def nvram_path(xml: str) -> str | None:
    """Return the path where the domain's UEFI variables would be, or None if it boots without.

    libvirt 9.0 does not say it of a domain that is off and whose firmware it chose by itself
    (``firmware='efi'``, as virt-install writes it); then it is where libvirt's qemu driver puts it.
    """
    root = _parse(xml)
    path = (root.findtext("os/nvram") or "").strip()
    if not path and _attribute(root, "os", "firmware") == "efi":
        path = f"{NVRAM_FOLDER}/{root.findtext('name', '')}_VARS.fd"
    return path or None


# --- cloning --------------------------------------------------------------------------------------


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
    """Make the headnode's domain XML out of the base image's (its inactive one).

    ``overlays`` maps a disk's target (``vda``) to the path of its overlay. ``variables`` is the
    path of the clone's own copy of the base's UEFI variables (else it starts with the firmware's).
    The domain's type, machine, CPU and all else are the base's. What would be shared with other
    clones is made the clone's own, or left out: see the ``_own_…`` functions.
    """
    root = _parse(base_xml)
    devices = _devices(root)
    _set_text(root, "name", domain_name(headnode))
    _set_text(root, "uuid", uuid)
    _own_identity(root)
    _own_firmware(root, variables)
    _own_disks(devices, overlays)
    _own_consoles(devices)
    _own_shares(devices)
    _clone_interfaces(devices, sorted(nics), bridge_name)
    _spare_slots(root)
    made = [*overlays.values(), *([variables] if variables else [])]
    _write_mark(root, headnode, ready=False, nics=nics, overlays=made)
    return ET.tostring(root, encoding="unicode")


def mark_ready(xml: str) -> str:
    """Write into the domain that its overlays are complete."""
    root = _parse(xml)
    mark = root.find(f"metadata/{_MARK}")
    if mark is not None:
        mark.set("state", "ready")
    return ET.tostring(root, encoding="unicode")


def _own_identity(root: ET.Element) -> None:
    """Fresh generation id, no second copy of the old UUID, no label of another domain's process."""
    genid = root.find("genid")
    if genid is not None:
        genid.text = None  # empty: libvirt makes one
    for system in root.findall("sysinfo/system"):
        for entry in [e for e in system.findall("entry") if e.get("name") == "uuid"]:
            system.remove(entry)  # libvirt refuses it when it is not the domain's
    for label in root.findall("seclabel"):
        # A static label, or the instance of a dynamic one, is the base's; without, a domain gets
        # its own by the host's default.
        if label.get("type") != "none":
            root.remove(label)


def _own_firmware(root: ET.Element, variables: str | None) -> None:
    """UEFI variables of its own, of which libvirt makes fresh ones where none are there."""
    nvram = root.find("os/nvram")
    if nvram is None and variables is not None:
        nvram = ET.SubElement(_child(root, "os"), "nvram")
    if nvram is None:
        return
    for source in nvram.findall("source"):
        nvram.remove(source)
    nvram.attrib.pop("type", None)
    nvram.text = variables


def _own_disks(devices: ET.Element, overlays: Mapping[str, str]) -> None:
    for disk in devices.findall("disk"):
        path = overlays.get(_attribute(disk, "target", "dev"))
        if path is None:
            continue
        disk.set("type", "file")
        for name in ("source", "backingStore", "mirror", "shareable", "auth"):
            for element in disk.findall(name):
                disk.remove(element)
        ET.SubElement(disk, "source", {"file": path})
        driver = disk.find("driver")
        if driver is None:
            driver = ET.SubElement(disk, "driver", {"name": "qemu"})
        driver.set("type", "qcow2")


def _own_consoles(devices: ET.Element) -> None:
    """No fixed port, path or file on the master that two clones would fight over."""
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
        return  # the guest agent's: libvirt makes a path from the domain's name
    if device.get("type") not in ("pty", "null", "vc", "spicevmc", "qemu-vdagent"):
        device.set("type", "pty")


def _own_shares(devices: ET.Element) -> None:
    """Leave out what would join clones of different projects behind the network's back."""
    for memory in devices.findall("shmem"):
        devices.remove(memory)
    for folder in devices.findall("filesystem"):
        if folder.find("readonly") is None:
            devices.remove(folder)
    for tpm in devices.findall("tpm/backend[@type='emulator']"):
        for source in tpm.findall("source"):
            tpm.remove(source)  # the state's path; libvirt makes one from the new UUID


# --- nics -----------------------------------------------------------------------------------------


def with_nics(xml: str, nics: Sequence[HeadnodeNic], bridge_name: BridgeName) -> str:
    """Have the domain (its inactive XML) hold exactly these nics, and know their names.

    A nic that stays keeps its place in the machine, so that the guest finds it where it was.
    """
    root = _parse(xml)
    devices = _devices(root)
    mark = read_mark(xml)
    old = {_interface(element).mac: element for element in devices.findall("interface")}
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
        _write_mark(root, mark.headnode, ready=mark.ready, nics=nics, overlays=mark.overlays)
    return ET.tostring(root, encoding="unicode")


def new_interface_xml(nic: HeadnodeNic, bridge: str, domain_xml: str) -> str:
    """Make the XML by which a nic is plugged in, of the model that the domain's others have."""
    model = _model(_devices(_parse(domain_xml)).findall("interface"))
    return ET.tostring(_new_interface(nic.mac, bridge, model), encoding="unicode")


def moved_interface_xml(interface: Interface, bridge: str) -> str:
    """Make the XML by which a live nic moves to another bridge, with its link up."""
    element = _parse(interface.xml)
    return ET.tostring(_on_bridge(element, bridge), encoding="unicode")


def unplugged_interface_xml(interface: Interface) -> str:
    """Make the XML by which a live nic's link goes down where it is."""
    element = _parse(interface.xml)
    _child(element, "link").set("state", "down")
    return ET.tostring(element, encoding="unicode")


def parked_interface_xml(interface: Interface, parking_bridge: str) -> str:
    """Make the XML by which a live nic, its link down, moves to the bridge that leads nowhere."""
    element = _on_bridge(_parse(interface.xml), parking_bridge)
    _child(element, "link").set("state", "down")
    _child(element, "port").set("isolated", "yes")
    return ET.tostring(element, encoding="unicode")


def _on_bridge(element: ET.Element, bridge: str) -> ET.Element:
    moved = copy.deepcopy(element)
    moved.set("type", "bridge")
    for name in ("source", "port"):
        for child in moved.findall(name):
            moved.remove(child)
    ET.SubElement(moved, "source", {"bridge": bridge})
    link = moved.find("link")
    if link is not None:
        # Said outright: leaving the element out would leave a link that is down as it is.
        link.set("state", "up")
    return moved


def _new_interface(mac: str, bridge: str, model: str) -> ET.Element:
    element = ET.Element("interface", {"type": "bridge"})
    ET.SubElement(element, "mac", {"address": mac})
    ET.SubElement(element, "source", {"bridge": bridge})
    ET.SubElement(element, "model", {"type": model})
    return element


def _clone_interfaces(
    devices: ET.Element, nics: Sequence[HeadnodeNic], bridge_name: BridgeName
) -> None:
    """Put the wanted nics in the place of the base's.

    The first wanted nic sits where the base's first sat (slot, boot order, boot ROM), and so on:
    guests name their nics by the slot, and the base's configuration speaks of those names.
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


def _spare_slots(root: ET.Element) -> None:
    """Give a q35 machine free root ports, so that nics can be plugged in while it runs."""
    if "q35" not in _attribute(root, "os/type", "machine"):
        return
    devices = _devices(root)
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


# --- our own element ------------------------------------------------------------------------------


def _write_mark(
    root: ET.Element,
    headnode: str,
    *,
    ready: bool,
    nics: Iterable[HeadnodeNic],
    overlays: Iterable[str],
) -> None:
    metadata = _child(root, "metadata")
    for old in metadata.findall(_MARK):
        metadata.remove(old)
    state = "ready" if ready else "making"
    mark = ET.SubElement(metadata, _MARK, {"name": headnode, "state": state})
    for nic in sorted(nics):
        ET.SubElement(mark, _NIC, {"name": nic.nic, "mac": nic.mac.lower()})
    for path in overlays:
        ET.SubElement(mark, _OVERLAY, {"path": path})


# --- small change ---------------------------------------------------------------------------------


def _parse(xml: str) -> ET.Element:
    return ET.fromstring(xml)  # noqa: S314 (from libvirt itself)


def _devices(root: ET.Element) -> ET.Element:
    return _child(root, "devices")


def _child(parent: ET.Element, name: str) -> ET.Element:
    found = parent.find(name)
    return ET.SubElement(parent, name) if found is None else found


def _set_text(root: ET.Element, name: str, text: str) -> None:
    _child(root, name).text = text


def _attribute(parent: ET.Element, path: str, name: str) -> str:
    found = parent.find(path)
    return "" if found is None else found.get(name, "")
