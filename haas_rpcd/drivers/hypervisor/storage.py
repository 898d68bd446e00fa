"""Overlays: copy-on-write volumes over the disks of a base image, by libvirt's storage API.

Only this API is used, so that it works over a remote URI as well. Creating a qcow2 overlay takes
the same short time for a base of any size (https://libvirt.org/formatstorage.html,
``backingStore``). All calls here block.
"""

from __future__ import annotations

import hashlib
import posixpath
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from haas_rpcd.drivers.hypervisor import transfer
from haas_rpcd.drivers.hypervisor.domain_xml import BaseDisk
from haas_rpcd.drivers.hypervisor.lookup import lookup
from haas_rpcd.errors import DeviceError

FOLDER_POOLS = ("dir", "fs", "netfs")
"""The types of storage pools whose volumes are files, as overlays are."""

DEFAULT_POOL = "default"
"""The pool for overlays over disks that are not files."""

IMAGE_FOLDER = "/var/lib/libvirt/images"
"""Where copies of images are put if there is no default pool: libvirt's own folder for disks."""

TEMPORARY_POOL = "haas-temporary"
"""The prefix of the names of transient pools."""


@dataclass
class _Use:
    """How often a folder's pool is in use in this process, and whether it was started for that."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    count: int = 0
    started: bool = False


_uses: dict[tuple[str, str], _Use] = {}
"""By the URI of libvirt and the folder. A copy reads from one for minutes, beside other users."""


@dataclass(frozen=True)
class Located:
    """A disk of the base image, and the folder for its overlay. ``size`` in bytes."""

    path: str
    format: str
    size: int
    folder: str


class Storage:
    """The storage of one hypervisor. ``go_on`` is called before each change."""

    def __init__(self, libvirt: Any, connection: Any, go_on: Callable[[], None]) -> None:
        self._libvirt = libvirt
        self._connection = connection
        self._go_on = go_on

    def locate(self, image: str, disk: BaseDisk) -> Located:
        """Find a disk of the base image. Raises DeviceError: ``missing``, ``refused``."""
        if disk.pool is not None and disk.volume is not None:
            return self._locate_volume(image, disk)
        path = disk.path or ""
        folder = posixpath.dirname(path)
        if path.startswith("/dev/"):
            volume = self._lookup(self._connection.storageVolLookupByPath, path)
            if volume is None:
                raise DeviceError(
                    f"The block device {path} of {image} is in no storage pool of libvirt: define "
                    "a pool that has it (virsh pool-define-as), or use an image on a file.",
                    reason="missing",
                )
            return Located(path, disk.format, volume.info()[1], self._default_folder(image, disk))
        with self._pool(folder) as pool:
            volume = self._volume(pool, posixpath.basename(path))
            if volume is None:
                raise DeviceError(
                    f"The disk {path} of {image} does not exist: put it back, or point the image "
                    f"at its disk (virsh edit {image}).",
                    reason="missing",
                )
            return Located(path, disk.format, volume.info()[1], folder)

    def has_file(self, path: str) -> bool:
        """Return whether a file exists; its folder need not be a storage pool."""
        with self._pool(posixpath.dirname(path), may_lack=True) as pool:
            return pool is not None and self._volume(pool, posixpath.basename(path)) is not None

    def make_overlay(self, base: Located, path: str) -> None:
        """Create an overlay over the base's disk, and replace an existing one."""
        with self._pool(posixpath.dirname(path)) as pool:
            self._delete(pool, posixpath.basename(path))
            self._go_on()
            pool.createXML(_overlay_xml(posixpath.basename(path), base), 0)

    def copy(self, path: str, to: str) -> None:
        """Copy a small file within its folder, and replace an existing one."""
        with self._pool(posixpath.dirname(path)) as pool:
            original = self._volume(pool, posixpath.basename(path))
            self._delete(pool, posixpath.basename(to))
            self._go_on()
            pool.createXMLFrom(_copy_xml(posixpath.basename(to), original.info()[1]), original, 0)

    @contextmanager
    def volume(self, path: str) -> Iterator[Any]:
        """Yield the volume at a path while it is read or written; None if it does not exist."""
        if path.startswith("/dev/"):
            yield self._lookup(self._connection.storageVolLookupByPath, path)
            return
        with self._pool(posixpath.dirname(path), may_lack=True) as pool:
            yield None if pool is None else self._volume(pool, posixpath.basename(path))

    @contextmanager
    def new_file(self, path: str, size: int) -> Iterator[Any]:
        """Yield a new volume of so many bytes, all of them a hole; replace an existing one.

        Raises DeviceError ``missing`` if the folder does not exist.
        """
        folder, name = posixpath.split(path)
        with self._pool(folder) as pool:
            self._delete(pool, name)
            self._go_on()
            yield pool.createXML(transfer.empty_file_xml(name, size), 0)

    def free_space(self, folder: str) -> int:
        """Return how many bytes are free in a folder. Raises DeviceError ``missing``."""
        with self._pool(folder) as pool:
            pool.refresh(0)
            return int(pool.info()[3])

    def image_folder(self) -> str:
        """Return the folder for copies of images: the default pool's, or libvirt's own."""
        pool = self._lookup(self._connection.storagePoolLookupByName, DEFAULT_POOL)
        if pool is not None:
            kind, folder = _pool_facts(pool)
            if kind in FOLDER_POOLS:
                return folder
        return IMAGE_FOLDER

    def backing_files(self, folder: str) -> set[str]:
        """Return the paths of all files in a folder that others there are overlays of."""
        with self._pool(folder, may_lack=True) as pool:
            if pool is None:
                return set()
            pool.refresh(0)
            described = [ET.fromstring(one.XMLDesc(0)) for one in pool.listAllVolumes()]  # noqa: S314
            return {path for one in described if (path := one.findtext("backingStore/path"))}

    def delete(self, path: str) -> None:
        """Delete a volume, if it exists."""
        with self._pool(posixpath.dirname(path), may_lack=True) as pool:
            if pool is not None:
                self._delete(pool, posixpath.basename(path))

    def _delete(self, pool: Any, name: str) -> None:
        volume = self._volume(pool, name)
        if volume is not None:
            self._go_on()
            volume.delete(0)

    def _locate_volume(self, image: str, disk: BaseDisk) -> Located:
        pool = self._lookup(self._connection.storagePoolLookupByName, disk.pool)
        if pool is None or not pool.isActive():
            raise DeviceError(
                f"The storage pool {disk.pool} of {image}'s disk {disk.target} is not there, or "
                f"not started: start it with  virsh pool-start {disk.pool}  .",
                reason="missing",
            )
        volume = self._volume(pool, str(disk.volume))
        if volume is None:
            raise DeviceError(
                f"The disk {disk.volume} of {image} does not exist in the storage pool "
                f"{disk.pool}: put it back, or point the image at its disk (virsh edit {image}).",
                reason="missing",
            )
        path = volume.path()
        in_folder = _pool_facts(pool)[0] in FOLDER_POOLS
        folder = posixpath.dirname(path) if in_folder else self._default_folder(image, disk)
        return Located(path, disk.format, volume.info()[1], folder)

    def _default_folder(self, image: str, disk: BaseDisk) -> str:
        pool = self._lookup(self._connection.storagePoolLookupByName, DEFAULT_POOL)
        if pool is not None:
            kind, folder = _pool_facts(pool)
            if kind in FOLDER_POOLS:
                return folder
        raise DeviceError(
            f"Disk {disk.target} of {image} is not a file, and libvirt has no storage pool "
            f'"{DEFAULT_POOL}" on a folder to put the overlay in: define one '
            f"(virsh pool-define-as {DEFAULT_POOL} dir --target /var/lib/libvirt/images).",
            reason="refused",
        )

    def _volume(self, pool: Any, name: str) -> Any:
        """Return the volume or None. A pool must be refreshed to see files of other origin."""
        found = self._lookup(pool.storageVolLookupByName, name)
        if found is None:
            pool.refresh(0)
            found = self._lookup(pool.storageVolLookupByName, name)
        return found

    @contextmanager
    def _pool(self, folder: str, may_lack: bool = False) -> Iterator[Any]:
        """Yield the storage pool for this folder; create a transient one if there is none.

        If the folder does not exist, yield None if ``may_lack``, else raise DeviceError.
        """
        key = (self._connection.getURI(), posixpath.normpath(folder))
        use = _uses.setdefault(key, _Use())
        with use.lock:
            pool = self._pool_on(folder)
            if pool is None or not pool.isActive():
                pool = self._start_pool(folder, pool, may_lack)
                use.started = pool is not None
            use.count += pool is not None
        if pool is None:
            yield None
            return
        try:
            yield pool
        finally:
            with use.lock:
                use.count -= 1
                if use.started and not use.count:
                    use.started = False
                    pool.destroy()  # stops the pool, but keeps the files in its folder

    def _start_pool(self, folder: str, pool: Any, may_lack: bool) -> Any:
        self._go_on()
        try:
            if pool is None:
                return self._connection.storagePoolCreateXML(_pool_xml(folder), 0)
            pool.create(0)
        except self._libvirt.libvirtError as error:
            if may_lack:
                return None
            raise DeviceError(
                f"The folder {folder} of a base image's disk cannot be used: {error}.",
                reason="missing",
            ) from error
        return pool

    def _pool_on(self, folder: str) -> Any:
        for pool in self._connection.listAllStoragePools():
            kind, target = _pool_facts(pool)
            if kind in FOLDER_POOLS and target == posixpath.normpath(folder):
                return pool
        return None

    def _lookup(self, find: Callable[..., Any], *names: Any) -> Any:
        absent = self._libvirt.VIR_ERR_NO_STORAGE_POOL, self._libvirt.VIR_ERR_NO_STORAGE_VOL
        return lookup(self._libvirt, absent, find, *names)


def _pool_facts(pool: Any) -> tuple[str, str]:
    root = ET.fromstring(pool.XMLDesc(0))  # noqa: S314 (from libvirt itself)
    return root.get("type", ""), posixpath.normpath(root.findtext("target/path") or "/")


def _pool_xml(folder: str) -> str:
    root = ET.Element("pool", {"type": "dir"})
    key = hashlib.sha256(folder.encode()).hexdigest()[:8]
    ET.SubElement(root, "name").text = f"{TEMPORARY_POOL}-{key}"
    ET.SubElement(ET.SubElement(root, "target"), "path").text = folder
    return ET.tostring(root, encoding="unicode")


def _overlay_xml(name: str, base: Located) -> str:
    root = _volume_element(name, base.size, "qcow2")
    backing = ET.SubElement(root, "backingStore")
    ET.SubElement(backing, "path").text = base.path
    ET.SubElement(backing, "format", {"type": base.format})
    return ET.tostring(root, encoding="unicode")


def _copy_xml(name: str, size: int) -> str:
    return ET.tostring(_volume_element(name, size, "raw"), encoding="unicode")


def _volume_element(name: str, size: int, kind: str) -> ET.Element:
    root = ET.Element("volume")
    ET.SubElement(root, "name").text = name
    ET.SubElement(root, "capacity", {"unit": "bytes"}).text = str(size)
    ET.SubElement(ET.SubElement(root, "target"), "format", {"type": kind})
    return root
