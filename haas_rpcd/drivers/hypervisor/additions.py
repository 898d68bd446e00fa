"""Devices that somebody added to a headnode by hand, and that lead past its networks. No I/O.

A device of the master may be a nic on any network; a disk may be another tenant's; folders, memory
and sockets of the master connect machines that are kept apart. What a headnode had when it was made
is in its mark. Its CD-ROMs may be changed, and so may its memory, its processors and whether
libvirt starts it, as none of these affects anybody else.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Collection, Iterator

from haas_rpcd.drivers.hypervisor import xmltree

PHRASES = {
    "disk": "another disk",
    "filesystem": "a folder of the master",
    "hostdev": "a device of the master",
    "redirdev": "a redirected device",
    "shmem": "shared memory",
    "vsock": "a socket to the master",
}
"""What is watched, by its element, and what it is called. Tenants read this: it names nothing."""


def watched(root: ET.Element) -> Iterator[tuple[str, ET.Element]]:
    """Yield the devices that are watched, each with a key: a disk's target, else a number."""
    numbers: Counter[str] = Counter()
    for element in xmltree.devices(root):
        if element.tag == "disk" and element.get("device") not in ("cdrom", "floppy"):
            yield f"disk {xmltree.attribute(element, 'target', 'dev')}", element
        elif element.tag in PHRASES and element.tag != "disk":
            numbers[element.tag] += 1
            yield f"{element.tag} {numbers[element.tag]}", element


def added(xml: str, known: Collection[str] | None) -> list[ET.Element]:
    """Return the devices that are not among the ``known`` keys; none if it has no such record."""
    if known is None:
        return []
    return [element for key, element in watched(xmltree.parse(xml)) if key not in known]


def phrases(elements: Collection[ET.Element]) -> tuple[str, ...]:
    """Return what devices are called, each phrase once."""
    return tuple(sorted({PHRASES[element.tag] for element in elements}))


def without_added(xml: str, known: Collection[str] | None) -> str | None:
    """Return a domain's XML without what was added; None if nothing was."""
    if known is None:
        return None
    root = xmltree.parse(xml)
    surplus = [element for key, element in watched(root) if key not in known]
    for element in surplus:
        xmltree.devices(root).remove(element)
    return xmltree.text(root) if surplus else None
