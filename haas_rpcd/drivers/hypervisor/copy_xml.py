"""The domain XML of a headnode that is copied to another hypervisor. No I/O."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Container, Mapping

from haas_rpcd.drivers.hypervisor import additions, domain_xml, xmltree
from haas_rpcd.drivers.hypervisor.domain_xml import NAMESPACE, Mark

_MARK = f"metadata/{{{NAMESPACE}}}headnode"
_BOOT_FILES = ("kernel", "initrd", "dtb", "loader")
_TOKEN = "copy"  # noqa: S105 - an attribute's name


def disk_files(xml: str) -> dict[str, str]:
    """Return the files of a domain's disks by their targets, such as ``vda``."""
    disks = xmltree.devices(xmltree.parse(xml)).findall("disk")
    return {
        xmltree.attribute(disk, "target", "dev"): file
        for disk in disks
        if (file := xmltree.attribute(disk, "source", "file"))
    }


def copied(xml: str, mark: Mark, image: str, places: Mapping[str, str], token: str) -> str:
    """Return the XML of a copy, not ready yet, from the inactive XML of the original.

    ``places`` maps the original's files to those of the copy. ``image`` is the definition of the
    base image where it goes: what all clones share, such as CD-ROMs, is taken from there. ``token``
    says which move it is of. What somebody added to the original by hand is left out.
    """
    root = xmltree.parse(additions.without_added(xml, mark.devices) or xml)
    _share(root, xmltree.parse(image), places)
    for disk in xmltree.devices(root).findall("disk"):
        for store in disk.findall("backingStore"):
            disk.remove(store)
        for source in disk.findall("source"):
            if source.get("file") in places:
                source.set("file", places[source.get("file", "")])
    nvram = root.find("os/nvram")
    if nvram is not None and (nvram.text or "").strip() in places:
        nvram.text = places[(nvram.text or "").strip()]
    element = root.find(_MARK)
    if element is not None:
        element.set("state", "making")
        element.set(_TOKEN, token)
        for overlay in element.findall(f"{{{NAMESPACE}}}overlay"):
            overlay.set("path", places.get(overlay.get("path", ""), overlay.get("path", "")))
    return xmltree.text(root)


def _share(root: ET.Element, image: ET.Element, own: Container[str]) -> None:
    """Let a domain have the image's disks, but for its own, and what the image boots by."""
    theirs = {
        xmltree.attribute(disk, "target", "dev"): disk
        for disk in xmltree.devices(image).findall("disk")
    }
    for disk in xmltree.devices(root).findall("disk"):
        shared = theirs.get(xmltree.attribute(disk, "target", "dev"))
        if shared is None or xmltree.attribute(disk, "source", "file") in own:
            continue
        for source in disk.findall("source"):
            disk.remove(source)
        disk.set("type", shared.get("type", "file"))
        disk.extend(copy.deepcopy(shared.findall("source")))
    for name in _BOOT_FILES:
        mine, shared = root.find(f"os/{name}"), image.find(f"os/{name}")
        if mine is not None and shared is not None:
            mine.text = shared.text


def is_copy(xml: str, token: str) -> bool:
    """Return whether a domain is a copy, and complete, of the move with this token."""
    mark, element = domain_xml.read_mark(xml), xmltree.parse(xml).find(_MARK)
    return mark is not None and mark.ready and element is not None and element.get(_TOKEN) == token
