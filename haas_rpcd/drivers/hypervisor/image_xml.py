"""What a base image consists of, and the definition of its copy on another host. No I/O.

A copy is a domain that is never started. Its mark says what it is a copy of, as headnodes have one
(:mod:`haas_rpcd.drivers.hypervisor.domain_xml`).
"""

from __future__ import annotations

import hashlib
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import NamedTuple

from haas_rpcd.drivers.hypervisor import domain_xml, xmltree
from haas_rpcd.drivers.hypervisor.domain_xml import NAMESPACE, BaseDisk

PREFIX = "haas-image_"
"""The prefix of the names of copies: of their domains and their files."""

_MARK = f"{{{NAMESPACE}}}image"
_FILE = f"{{{NAMESPACE}}}file"
_BOOT_FILES = ("kernel", "initrd", "dtb")
_VARIABLES = "variables"


class ImageCopy(NamedTuple):
    """What the mark of a copy says.

    ``digest`` identifies the content of the image. The copy is ``ready`` once it is whole.
    ``files`` are the paths of its disks and its other files.
    """

    image: str
    digest: str
    ready: bool
    files: tuple[str, ...]


def files(xml: str, variables: str | None) -> list[BaseDisk]:
    """Return the files of an image: its disks, with read-only ones, and what it boots by.

    The ``target`` of each is a key, such as ``disk vda`` or ``kernel``. ``variables`` is the path
    of its UEFI variables, if it has some.
    """
    root = xmltree.parse(xml)
    found = []
    for disk in xmltree.devices(root).findall("disk"):
        source = disk.find("source")
        if source is None or disk.get("type") not in ("file", "block", "volume"):
            continue
        path, volume = source.get("file") or source.get("dev"), source.get("volume")
        if path or volume:
            kind = xmltree.attribute(disk, "driver", "type") or "raw"
            found.append(BaseDisk(_key(disk), kind, path, source.get("pool"), volume))
    for name in _BOOT_FILES:
        if path := (root.findtext(f"os/{name}") or "").strip():
            found.append(BaseDisk(name, "raw", path))
    if variables is not None:
        found.append(BaseDisk(_VARIABLES, "raw", variables))
    return found


def _key(disk: ET.Element) -> str:
    return f"disk {xmltree.attribute(disk, 'target', 'dev')}"


def digest_of(xml: str, hashes: Mapping[str, str]) -> str:
    """Return what identifies the content of an image: its definition, and its files' hashes."""
    root = xmltree.parse(_placed(xml, dict.fromkeys(hashes, "")))
    for name in ("name", "uuid", "metadata"):
        for element in root.findall(name):
            root.remove(element)
    text = ET.canonicalize(xmltree.text(root), strip_text=True)
    parts = [text, *(f"{key} {value}" for key, value in sorted(hashes.items()))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def file_name(content: str, kind: str) -> str:
    """Return the name of a file of copies with this content, in this format."""
    return f"{PREFIX}{content[:16]}.{kind}"


def copy_name(image: str, digest: str) -> str:
    """Return the name of the domain of a copy."""
    return f"{PREFIX}{image}_{digest[:12]}"


def copy_xml(xml: str, image: str, digest: str, paths: Mapping[str, str], *, ready: bool) -> str:
    """Return the definition of a copy, made from the image's; ``paths`` are by the files' keys."""
    root = xmltree.parse(_placed(xml, paths))
    name = copy_name(image, digest)
    xmltree.set_text(root, "name", name)
    # The same one each time, so that defining it again replaces the definition.
    xmltree.set_text(root, "uuid", str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NAMESPACE}/{name}")))
    for element in root.findall("metadata"):
        root.remove(element)
    state = "ready" if ready else "making"
    attributes = {"name": image, "digest": digest, "state": state}
    mark = ET.SubElement(xmltree.child(root, "metadata"), _MARK, attributes)
    for path in sorted(set(paths.values())):
        ET.SubElement(mark, _FILE, {"path": path})
    return xmltree.text(root)


def _placed(xml: str, paths: Mapping[str, str]) -> str:
    """Return a definition whose files are at other paths, by their keys."""
    root = xmltree.parse(xml)
    for label in root.findall("seclabel"):
        root.remove(label)  # it belongs to the image's own host
    for disk in xmltree.devices(root).findall("disk"):
        path = paths.get(_key(disk))
        if path is None:
            continue
        domain_xml.point_to_file(disk, path)
    for name in _BOOT_FILES:
        if name in paths:
            xmltree.set_text(xmltree.child(root, "os"), name, paths[name])
    if _VARIABLES in paths:
        domain_xml.set_variables(root, paths[_VARIABLES])
    return xmltree.text(root)


def read_copy(xml: str) -> ImageCopy | None:
    """Return what a domain is a copy of; None if it is none."""
    mark = xmltree.parse(xml).find(f"metadata/{_MARK}")
    if mark is None:
        return None
    return ImageCopy(
        image=mark.get("name", ""),
        digest=mark.get("digest", ""),
        ready=mark.get("state") == "ready",
        files=tuple(file.get("path", "") for file in mark.findall(_FILE)),
    )


def without_mark(root: ET.Element) -> None:
    """Remove the mark of a copy from the definition of a clone of it."""
    metadata = root.find("metadata")
    if metadata is not None:
        for mark in metadata.findall(_MARK):
            metadata.remove(mark)
