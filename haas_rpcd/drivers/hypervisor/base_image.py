"""The base images of one libvirt, and what they consist of. All calls here block."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from haas_rpcd.drivers.hypervisor import domain_xml, image_xml, transfer
from haas_rpcd.drivers.hypervisor.long_work import Counted
from haas_rpcd.drivers.hypervisor.lookup import lookup
from haas_rpcd.drivers.hypervisor.storage import Storage
from haas_rpcd.drivers.hypervisor.transfer import FileKey, VolumeFacts
from haas_rpcd.errors import DeviceError

Hashes = Mapping[FileKey, str]
"""The hashes of contents that were computed before."""


class ImageFile(NamedTuple):
    """A file of an image. ``used``: the bytes that are not holes. ``content``: its hash."""

    facts: VolumeFacts
    format: str
    used: int
    content: str


class ImageContent(NamedTuple):
    """A base image: its definition, its files by their keys, and what identifies all of that."""

    xml: str
    files: dict[str, ImageFile]
    digest: str

    @property
    def contents(self) -> dict[str, str]:
        """The hashes of its files."""
        return {key: file.content for key, file in self.files.items()}


def find_base(libvirt: Any, connection: Any, uri: str, image: str, copied: bool = False) -> Any:
    """Return the domain of a base image, which must be off.

    Raises DeviceError: ``missing``, ``refused``.
    """
    base = lookup(libvirt, (libvirt.VIR_ERR_NO_DOMAIN,), connection.lookupByName, image)
    if base is None:
        advice = (
            "apply again to have it copied anew."
            if copied
            else "define the base image there (virsh define), or create the headnode from another"
            " image."
        )
        raise DeviceError(f"There is no domain {image} on {uri}: {advice}", reason="missing")
    if base.isActive():
        raise DeviceError(
            f"The domain {image} on {uri} is running; shut it down (virsh shutdown "
            f"{image}), as clones of a running machine's disk would be corrupt.",
            reason="refused",
        )
    if base.hasManagedSaveImage(0):
        raise DeviceError(
            f"The domain {image} on {uri} was saved while it ran, and its disk is not "
            f"whole without its memory: start it and shut it down (virsh start {image}; virsh "
            f"shutdown {image}).",
            reason="refused",
        )
    return base


def variables_of(storage: Storage, base_xml: str) -> str | None:
    """Return the path of an image's UEFI variables, which contain its boot entries."""
    path = domain_xml.nvram_path(base_xml)
    return path if path is not None and storage.has_file(path) else None


class Reader:
    """Reads what base images of one libvirt consist of. ``go_on`` is called as the work goes on."""

    def __init__(
        self, libvirt: Any, connection: Any, uri: str, go_on: Callable[[], None], counted: Counted
    ) -> None:
        self._libvirt = libvirt
        self._connection = connection
        self._uri = uri
        self._go_on = go_on
        self._counted = counted
        self.storage = Storage(libvirt, connection, go_on)

    def definition(self, image: str) -> str:
        """Return the definition of an image. Raises DeviceError: ``missing``, ``refused``."""
        base = find_base(self._libvirt, self._connection, self._uri, image)
        xml: str = base.XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE)
        domain_xml.disks_to_overlay(xml)  # refuses disks that no clone can have
        return xml

    def describe(self, image: str, xml: str) -> dict[str, ImageFile]:
        """Return the files of an image, with empty hashes.

        Raises DeviceError: ``missing``, ``refused`` (a disk is over another file).
        """
        found = {}
        for file in image_xml.files(xml, variables_of(self.storage, xml)):
            path = self.storage.locate(image, file).path
            with self.storage.volume(path) as volume:
                _refuse_overlay(image, path, transfer.backing_of(volume))
                facts = transfer.facts(self._libvirt, volume)
                found[file.target] = ImageFile(facts, file.format, volume.info()[2], "")
        return found

    def read(self, image: str, known: Hashes) -> ImageContent:
        """Return what an image consists of; hash the files whose hashes are not ``known``.

        Raises DeviceError: ``missing``, ``refused``; and libvirtError.
        """
        xml = self.definition(image)
        files = self.describe(image, xml)
        known = {facts: content for facts, content in known.items() if _shows_changes(facts)}
        unknown = {file.facts for file in files.values() if file.facts not in known}
        # Tenants read this: it names no address.
        self._counted.begin(f"read {image}", sum(each.size for each in unknown))
        hashes: dict[FileKey, str] = dict(known)
        hashes.update((facts, self._hash(facts)) for facts in unknown)
        files = {
            key: file._replace(content=hashes[file.facts]) for key, file in sorted(files.items())
        }
        contents = {key: file.content for key, file in files.items()}
        return ImageContent(xml, files, image_xml.digest_of(xml, contents))

    def _hash(self, facts: VolumeFacts) -> str:
        with self.storage.volume(facts.path) as volume:
            return transfer.hash_of(self._libvirt, self._connection, volume, self.moved)

    def moved(self, count: int) -> None:
        """Count bytes, and raise Abandoned if nobody waits for them any more."""
        self._go_on()
        self._counted.done += count

    def is_unchanged(self, image: str, content: ImageContent) -> bool:
        """Return whether an image is unchanged since it was read. Raises DeviceError."""
        xml = self.definition(image)
        if image_xml.digest_of(xml, content.contents) != content.digest:
            return False
        now = {key: file.facts for key, file in self.describe(image, xml).items()}
        return now == {key: file.facts for key, file in content.files.items()}


def _shows_changes(facts: FileKey) -> bool:
    """Return whether the modification time shows changes: that of a block device does not."""
    return not facts[0].startswith("/dev/")


def _refuse_overlay(image: str, path: str, backing: str | None) -> None:
    if backing is not None:
        raise DeviceError(
            f"The disk {path} of {image} is over another file, {backing}, and is not copied: make"
            " it one file (qemu-img convert), or define the image on the other host by hand.",
            reason="refused",
        )


def place_in(folder: str, file: ImageFile) -> str:
    """Return the path of a file's copy in a folder."""
    return posixpath.join(folder, image_xml.file_name(file.content, file.format))
