"""Both ends of a copy of a headnode: the original, and what becomes the copy. Everything blocks."""

from __future__ import annotations

import posixpath
import xml.etree.ElementTree as ET
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from haas_rpcd.drivers import ignore
from haas_rpcd.drivers.hostnet.iplines import bridge_name
from haas_rpcd.drivers.hostnet.parking import PARKING_BRIDGE
from haas_rpcd.drivers.hypervisor import (
    copy_xml,
    domain_xml,
    image_copy,
    image_xml,
    qcow2,
    transfer,
    xmltree,
)
from haas_rpcd.drivers.hypervisor.domain_xml import Mark
from haas_rpcd.drivers.hypervisor.domains import Domains
from haas_rpcd.drivers.hypervisor.image_copy import SPARE
from haas_rpcd.drivers.hypervisor.long_work import Counted
from haas_rpcd.drivers.hypervisor.lookup import lookup, refuse_taken_name
from haas_rpcd.drivers.hypervisor.storage import Storage
from haas_rpcd.drivers.hypervisor.transfer import FileKey, Piece, VolumeFacts
from haas_rpcd.drivers.hypervisor.worker import Task
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import CopyChange, CopyHeadnode, HeadnodeSeen, SetHeadnodePower


@dataclass(frozen=True)
class Original:
    """A headnode where it is: its inactive XML, and the mark in it.

    ``files`` has what is copied, by path; ``bases`` what identifies the content of the base of each
    of its disks, by the disk's target (``vda``).
    """

    xml: str
    mark: Mark
    files: Mapping[str, VolumeFacts]
    bases: Mapping[str, str]

    def disk_of(self, path: str) -> str | None:
        """Return the target of the disk that is a file."""
        disks = copy_xml.disk_files(self.xml)
        return next((target for target, file in disks.items() if file == path), None)


@dataclass(frozen=True)
class Place:
    """Where a copy goes: its files by those of the original, and its bases by the disk's target.

    ``image`` is the definition of the base image there.
    """

    image: str
    files: Mapping[str, str]
    bases: Mapping[str, str]


class CopyEnd:
    """One end of a copy, at the hypervisor ``name``, for the length of one task.

    ``hashes`` are those of its files that are known; what is computed is added.
    """

    def __init__(
        self,
        libvirt: Any,
        connection: Any,
        name: str,
        task: Task[Any],
        counted: Counted,
        hashes: dict[FileKey, str],
    ) -> None:
        self._libvirt = libvirt
        self._connection = connection
        self._name = name
        self._task = task
        self._counted = counted
        self._hashes = hashes
        self._storage = Storage(libvirt, connection, task.go_on)

    # --- the original -----------------------------------------------------------------------------

    def original(self, change: CopyChange) -> Original:
        """Read a headnode that is to be copied from here. Raises DeviceError."""
        domain, xml, mark = self._ours(change)
        if isinstance(change, CopyHeadnode):
            self._check_off(domain, change)
        files, bases = {}, {}
        disks = {path: target for target, path in copy_xml.disk_files(xml).items()}
        for path in mark.overlays:
            files[path], backing = self._read(path)
            if path in disks and backing is not None:
                bases[disks[path]] = self._identity(*backing)
        return Original(xml, mark, files, bases)

    def check_unchanged(self, change: CopyHeadnode, original: Original) -> None:
        """Raise DeviceError unless the original is still off, and its files are as they were."""
        domain, _, _ = self._ours(change)
        self._check_off(domain, change)
        for path, facts in original.files.items():
            if self._read(path)[0] != facts:
                raise DeviceError(
                    f"{path} on {self._name} was changed while it was copied: see by whom, then"
                    " apply again.",
                    reason="refused",
                )

    def _ours(self, change: CopyChange) -> tuple[Any, str, Mark]:
        domain = self._find(change.uuid)
        if domain is None:
            raise DeviceError(
                f"The domain {domain_xml.domain_name(change.headnode)} is gone from {self._name}:"
                " stage the move once more, to have the headnode made anew.",
                reason="missing",
            )
        xml = domain.XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE)
        mark = domain_xml.read_mark(xml)
        if mark is None or mark.headnode != change.headnode or not mark.ready:
            raise DeviceError(
                f"{domain.name()} on {self._name} is only half made, or HaaS did not make it: take"
                " the move back, and apply.",
                reason="mismatch",
            )
        return domain, xml, mark

    def _check_off(self, domain: Any, change: CopyChange) -> None:
        if domain.isActive() or domain.hasManagedSaveImage(0):
            raise DeviceError(
                f"{domain.name()} on {self._name} was started by somebody, and is copied only while"
                " it is off: apply again.",
                reason="refused",
            )

    def pieces(self, path: str, facts: VolumeFacts) -> Generator[Piece, None, None]:
        """Yield the whole content of a file. Raises DeviceError and libvirtError."""
        done = 0
        with (
            self._storage.volume(path) as volume,
            closing(transfer.read(self._libvirt, self._connection, volume)) as pieces,
        ):
            for piece in pieces:
                count = piece if isinstance(piece, int) else len(piece)
                self._moved(count)
                done += count
                yield piece
        if done != facts.size:
            raise DeviceError(
                f"{path} on {self._name} ended after {done:,} of {facts.size:,} bytes: see who"
                " changes it, then apply again.",
                reason="refused",
            )

    # --- the copy ---------------------------------------------------------------------------------

    def place(self, change: CopyChange, original: Original) -> Place:
        """Find where the files of a copy go here, and check that there is room for them.

        Disks go to their base's folder, UEFI variables to that of the image's. Raises DeviceError:
        its reason is ``mismatch`` if there is no base of the same content.
        """
        self._check_free(change)
        definition, bases = self._bases(change, original)
        variables = domain_xml.nvram_path(definition)
        files = {}
        for path in original.files:
            beside = bases.get(original.disk_of(path) or "") or variables or path
            files[path] = posixpath.join(posixpath.dirname(beside), posixpath.basename(path))
        self._check_room(original, files)
        return Place(definition, files, bases)

    def _check_free(self, change: CopyChange) -> None:
        """Check that no other domain is in the copy's way."""
        name = domain_xml.domain_name(change.headnode)
        there = self._find(change.uuid)
        if there is not None and there.isActive():
            raise DeviceError(
                f"{name} runs on {self._name} already, from where it was not removed: switch it off"
                f" there (virsh destroy {name}), then apply again.",
                reason="refused",
            )
        other = self._lookup(self._connection.lookupByName, name)
        refuse_taken_name(other, name, change.uuid, self._name)

    def _bases(self, change: CopyChange, original: Original) -> tuple[str, dict[str, str]]:
        """Return the definition of the image, and the paths of its disks by their targets.

        Raises DeviceError ``mismatch`` if none here has the content of the original's bases.
        """
        for xml in self._images(change.image):
            found = {}
            for disk in domain_xml.disks_to_overlay(xml):
                try:
                    located = self._storage.locate(change.image, disk)
                except DeviceError:
                    break  # it lacks a disk; a copy of it may be whole
                if disk.target in original.bases:
                    if self._identity(located.path, located.format) != original.bases[disk.target]:
                        break
                    found[disk.target] = located.path
            if found.keys() == original.bases.keys():
                return xml, found
        raise DeviceError(
            f"{self._name} has no image {change.image} with the content that {change.headnode} was"
            f" made from: copy the files of its base from {change.source}, as they are, and define"
            " them there under this name.",
            reason="mismatch",
        )

    def _images(self, image: str) -> Iterator[str]:
        """Yield the definitions of an image, and of the copies of it."""
        inactive = self._libvirt.VIR_DOMAIN_XML_INACTIVE
        own = self._lookup(self._connection.lookupByName, image)
        if own is not None and not own.isActive():
            yield own.XMLDesc(inactive)
        for domain, mark in image_copy.copies(self._libvirt, self._connection):
            if mark.ready and mark.image == image:
                yield domain.XMLDesc(inactive)

    def _check_room(self, original: Original, files: Mapping[str, str]) -> None:
        wanted: dict[str, int] = {}
        for path, facts in original.files.items():
            folder = posixpath.dirname(files[path])
            wanted[folder] = wanted.get(folder, SPARE) + facts.size
        for folder, size in wanted.items():
            free = self._storage.free_space(folder)
            if free < size:
                raise DeviceError(
                    f"{self._name} has {free >> 20} MiB free in {folder}, and the copy takes"
                    f" {size >> 20} MiB: free some space there, then apply again.",
                    reason="refused",
                )

    def define(self, xml: str) -> None:
        """Define the copy, in place of what is left of an earlier one."""
        self._task.go_on()
        self._connection.defineXML(xml)

    def write(self, path: str, size: int, pieces: Iterator[Piece], base: str | None) -> None:
        """Write a file of the copy; ``base``: the path of its base, if it is an overlay."""
        if base is not None:
            pieces = _rebased(pieces, base, path)
        with self._storage.new_file(path, size) as volume:
            transfer.write(self._libvirt, self._connection, volume, pieces)

    def check_bases(self, bases: Iterable[str]) -> None:
        """Check that bases are still there: a copy of an image goes when nothing is over it."""
        for path in bases:
            self._read(path)

    def seen(self, change: CopyHeadnode) -> HeadnodeSeen:
        """Return what is here of a copy: nothing, unless it is complete and of this move."""
        domain = self._find(change.uuid)
        inactive = self._libvirt.VIR_DOMAIN_XML_INACTIVE
        if domain is None or not copy_xml.is_copy(domain.XMLDesc(inactive), change.token):
            return HeadnodeSeen(defined=False)
        domains = Domains(
            self._libvirt,
            self._connection,
            uri=self._name,
            bridge_name=bridge_name,
            parking_bridge=PARKING_BRIDGE,
            task=self._task,
            report=ignore,
        )
        return domains.observe(SetHeadnodePower(change.headnode, change.uuid, False))

    # --- files ------------------------------------------------------------------------------------

    def _read(self, path: str) -> tuple[VolumeFacts, tuple[str, str] | None]:
        """Return what a file is, and the path and the format of its backing file, if any."""
        with self._storage.volume(path) as volume:
            if volume is None:
                raise DeviceError(
                    f"The file {path} is gone from {self._name}: put it back, then apply again.",
                    reason="missing",
                )
            root = ET.fromstring(volume.XMLDesc(0))  # noqa: S314 (from libvirt itself)
            backing = root.findtext("backingStore/path")
            kind = xmltree.attribute(root, "backingStore/format", "type") or "raw"
            return transfer.facts(self._libvirt, volume), (backing, kind) if backing else None

    def _identity(self, path: str, kind: str) -> str:
        """Return what identifies the content of a base: the name that a copy of it would have."""
        if posixpath.basename(path).startswith(image_xml.PREFIX):
            return posixpath.basename(path)
        facts, backing = self._read(path)
        if backing is not None:
            raise DeviceError(
                f"The base {path} on {self._name} is over another file, and is not copied: use an"
                " image whose disk is one file.",
                reason="refused",
            )
        if facts not in self._hashes:
            self._counted.begin(f"read {path} on {self._name}", facts.size)
            with self._storage.volume(path) as volume:
                self._hashes[facts] = transfer.hash_of(
                    self._libvirt, self._connection, volume, self._moved
                )
        return image_xml.file_name(self._hashes[facts], kind)

    def _moved(self, count: int) -> None:
        self._task.go_on()
        self._counted.done += count

    def _find(self, uuid: str) -> Any:
        return self._lookup(self._connection.lookupByUUIDString, uuid)

    def _lookup(self, find: Any, key: str) -> Any:
        return lookup(self._libvirt, (self._libvirt.VIR_ERR_NO_DOMAIN,), find, key)


def _rebased(pieces: Iterator[Piece], base: str, path: str) -> Iterator[Piece]:
    """Pass an overlay on, with another path of its base. Raises DeviceError."""
    try:
        yield from qcow2.over(pieces, base)
    except ValueError as error:
        raise DeviceError(
            f"The overlay {path} can't be put over {base}: {error}.", reason="refused"
        ) from None
