"""Copies a base image to another libvirt. All calls here block, in a thread of its own.

The copy is defined before its files are written, marked as not ready, and marked as ready once all
of them are whole. So one that was interrupted is known as such, whatever ended it, is never cloned,
and is removed before the next copy is made.
"""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from haas_rpcd.drivers.hypervisor import image_xml, transfer
from haas_rpcd.drivers.hypervisor.base_image import (
    Hashes,
    ImageContent,
    ImageFile,
    Reader,
    place_in,
)
from haas_rpcd.drivers.hypervisor.image_xml import ImageCopy
from haas_rpcd.drivers.hypervisor.long_work import Counted
from haas_rpcd.drivers.hypervisor.lookup import lookup
from haas_rpcd.drivers.hypervisor.storage import Storage
from haas_rpcd.drivers.hypervisor.transfer import Place
from haas_rpcd.errors import DeviceError

SPARE = 64 * 2**20
"""Bytes that must stay free on a host beside a copy."""


class Copied(NamedTuple):
    """A domain from which clones of an image can be made, and the hashes that were computed.

    ``to_finish``: its definition once what was written is safe on the host's disk; None if it was
    there already.
    """

    domain: str
    hashes: dict[transfer.FileKey, str]
    to_finish: str | None = None


def copies(libvirt: Any, connection: Any) -> Iterator[tuple[Any, ImageCopy]]:
    """Yield the copies of images on a libvirt, each with its domain."""
    for domain in connection.listAllDomains():
        if domain.name().startswith(image_xml.PREFIX):
            mark = image_xml.read_copy(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
            if mark is not None:
                yield domain, mark


def remove_copy(storage: Storage, domain: Any, mark: ImageCopy, in_use: set[str]) -> None:
    """Remove a copy, but for its files that are ``in_use`` elsewhere."""
    for path in mark.files:
        if path not in in_use:
            storage.delete(path)
    domain.undefineFlags(0)


def remove_unfinished(libvirt: Any, connection: Any, go_on: Callable[[], None]) -> list[str]:
    """Remove the copies that were interrupted; return their names. None may be under way."""
    found = list(copies(libvirt, connection))
    in_use = {path for _, mark in found if mark.ready for path in mark.files}
    storage = Storage(libvirt, connection, go_on)
    removed = []
    for domain, mark in found:
        if not mark.ready:
            removed.append(domain.name())
            remove_copy(storage, domain, mark, in_use)
    return removed


def remove_older(
    libvirt: Any, connection: Any, current: Callable[[str], str], go_on: Callable[[], None]
) -> list[str]:
    """Remove copies that no headnode needs any more; return their names.

    ``current`` returns the domain that clones of an image are made from now, or the image itself if
    that is not known. Nothing may be cloned meanwhile.
    """
    found = list(copies(libvirt, connection))
    storage = Storage(libvirt, connection, go_on)
    removed = []
    for domain, mark in found:
        if not mark.ready or current(mark.image) in (mark.image, domain.name()):
            continue
        others = {path for other, one in found if other is not domain for path in one.files}
        folders = {posixpath.dirname(path) for path in mark.files}
        backing = {path for folder in folders for path in storage.backing_files(folder)}
        if backing.isdisjoint(mark.files):
            removed.append(domain.name())
            remove_copy(storage, domain, mark, others)
    return removed


class Copying:
    """Provides one image on a host. ``content`` is what the master has of it."""

    def __init__(
        self,
        libvirt: Any,
        source: Reader,
        target: Reader,
        *,
        source_connection: Any,
        connection: Any,
        host: str,
        image: str,
        content: ImageContent,
        counted: Counted,
        go_on: Callable[[], None],
    ) -> None:
        self._libvirt = libvirt
        self._source, self._target = source, target
        self._source_connection, self._connection = source_connection, connection
        self._host = host
        self._image = image
        self._content = content
        self._counted = counted
        self._go_on = go_on

    def provide(self, known: Hashes) -> Copied:
        """Return a domain on the host with the content of the image; make a copy if there is none.

        The copy is whole, but does not count as ready yet.

        ``known`` are hashes of the host's own files. Raises DeviceError and libvirtError.
        """
        name = image_xml.copy_name(self._image, self._content.digest)
        ready = {
            domain.name(): mark
            for domain, mark in copies(self._libvirt, self._connection)
            if mark.ready
        }
        if name in ready and self._is_whole(ready.pop(name)):
            return Copied(name, {})
        by_hand, hashes = self._compare_with_one_by_hand(known)
        if by_hand:
            return Copied(self._image, hashes)
        remove_unfinished(self._libvirt, self._connection, self._go_on)
        paths = self._copy(list(ready.values()))
        return Copied(name, hashes, self._definition(paths, ready=True))

    def _is_whole(self, mark: ImageCopy) -> bool:
        """Return whether the files of a copy are there, as long as they were written."""
        sizes = {place_in("", file): file.facts.size for file in self._content.files.values()}
        for path in mark.files:
            with self._target.storage.volume(path) as volume:
                size = None if volume is None else transfer.facts(self._libvirt, volume).size
            if size != sizes.get(posixpath.basename(path)):
                return False
        return True

    def _compare_with_one_by_hand(self, known: Hashes) -> tuple[bool, dict[transfer.FileKey, str]]:
        """Return whether the host has the image under its own name; and the hashes of its files.

        Its definition counts as it is: whoever defined it there knows the host.
        """
        absent = (self._libvirt.VIR_ERR_NO_DOMAIN,)
        if lookup(self._libvirt, absent, self._connection.lookupByName, self._image) is None:
            return False, {}
        try:
            xml = self._target.definition(self._image)
            files = self._target.describe(self._image, xml)
        except DeviceError:
            return False, {}  # it runs, or lacks a disk
        ours = {key: (f.facts.size, f.format) for key, f in self._content.files.items()}
        if {key: (f.facts.size, f.format) for key, f in files.items()} != ours:
            return False, {}
        there = self._target.read(self._image, known)
        hashes: dict[transfer.FileKey, str] = {
            file.facts: file.content for file in there.files.values()
        }
        return there.contents == self._content.contents, hashes

    def _copy(self, ready: list[ImageCopy]) -> dict[str, str]:
        """Copy the files that are not there yet; return the paths of all, by their keys."""
        storage = self._target.storage
        folder = storage.image_folder()
        there = {path for mark in ready for path in mark.files}
        paths = {key: place_in(folder, file) for key, file in self._content.files.items()}
        to_send = {
            place_in(folder, file): file
            for file in self._content.files.values()
            if place_in(folder, file) not in there
        }
        self._check_space(folder, to_send.values())
        self._define(paths)
        try:
            self._counted.begin(
                f"copy {self._image} to {self._host}",
                sum(file.facts.size for file in to_send.values()),
            )
            for path, file in to_send.items():
                self._send(path, file)
            if not self._source.is_unchanged(self._image, self._content):
                self._refuse_changed()
        except (DeviceError, self._libvirt.libvirtError):
            with contextlib.suppress(self._libvirt.libvirtError):  # the connection is lost
                remove_unfinished(self._libvirt, self._connection, self._go_on)
            raise
        return paths

    def _check_space(self, folder: str, files: Iterable[ImageFile]) -> None:
        needed = sum(file.used for file in files)  # 0 if all of it is there already
        free = self._target.storage.free_space(folder)
        if needed and free < needed + SPARE:
            raise DeviceError(
                f"{self._host} has {free >> 20} MiB free in {folder}, and the image {self._image}"
                f" takes {needed >> 20} MiB: free some space there, then apply again.",
                reason="refused",
            )

    def _definition(self, paths: dict[str, str], *, ready: bool) -> str:
        content = self._content
        return image_xml.copy_xml(content.xml, self._image, content.digest, paths, ready=ready)

    def _define(self, paths: dict[str, str]) -> None:
        self._go_on()
        try:
            self._connection.defineXML(self._definition(paths, ready=False))
        except self._libvirt.libvirtError as error:
            raise DeviceError(
                f"{self._host} cannot have the image {self._image} as the master has it: {error}."
                " Change the image, or define one of the same name and disks there by hand.",
                reason="refused",
            ) from error

    def _send(self, path: str, file: ImageFile) -> None:
        with (
            self._source.storage.volume(file.facts.path) as original,
            self._target.storage.new_file(path, file.facts.size) as new,
        ):
            if original is None:
                self._refuse_changed()
            sent = transfer.copy(
                self._libvirt,
                Place(self._source_connection, original),
                Place(self._connection, new),
                self._source.moved,
            )
        if sent != file.content:
            self._refuse_changed()

    def _refuse_changed(self) -> None:
        raise DeviceError(
            f"The image {self._image} was changed while it was copied to {self._host}: leave it"
            " alone, and apply again.",
            reason="refused",
        )
