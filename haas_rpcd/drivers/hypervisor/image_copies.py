"""The copies of the master's base images on one other hypervisor.

They are made beside everything else that is done there: in threads and over connections of their
own, so that other headnodes of the host, and its checks, go on while gigabytes are sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from haas_rpcd.drivers import Transferred
from haas_rpcd.drivers.hypervisor import image_copy
from haas_rpcd.drivers.hypervisor.base_image import ImageContent, Reader
from haas_rpcd.drivers.hypervisor.connecting import Reach, load_libvirt
from haas_rpcd.drivers.hypervisor.image_copy import Copied, Copying
from haas_rpcd.drivers.hypervisor.long_work import TICK, Counted, connected, work
from haas_rpcd.drivers.hypervisor.transfer import FileKey
from haas_rpcd.drivers.hypervisor.worker import Task
from haas_rpcd.errors import DeviceError
from haas_rpcd.tasks import cancel_and_wait, start_apart

log = logging.getLogger(__name__)

TIDY_LIMIT = 10.0
"""Seconds for removing what is left of a copy that was interrupted."""


class Hashes(Protocol):
    """Keeps hashes that were computed, by hypervisor."""

    async def load(self, hypervisor: str) -> Mapping[FileKey, str]:
        """Return the hashes of a hypervisor's files."""
        ...

    async def save(self, hypervisor: str, hashes: Mapping[FileKey, str]) -> None:
        """Keep the hashes of some of a hypervisor's files."""
        ...


class ImageSource:
    """The master's libvirt, from which images are copied. Each is read once for all hosts."""

    def __init__(self, name: str, uri: str, hashes: Hashes) -> None:
        self.uri = uri
        self._name = name
        self.hashes = hashes
        self._reading = asyncio.Lock()

    async def read(self, image: str, counted: Counted) -> ImageContent:
        """Return what an image consists of. Raises DeviceError."""
        async with self._reading:
            known = await self.hashes.load(self._name)

            def read(task: Task[Any]) -> ImageContent:
                libvirt = load_libvirt()
                with connected(libvirt, self.uri) as connection:
                    reader = Reader(libvirt, connection, self.uri, task.go_on, counted)
                    return reader.read(image, known)

            content = await work(f"read {image}", self.uri, read, counted)
            new: dict[FileKey, str] = {file.facts: file.content for file in content.files.values()}
            await self.hashes.save(self._name, new)
            return content


class _Copy:
    """A copy that is being made, for all who wait for it."""

    def __init__(self) -> None:
        self.counted = Counted()
        self.waiting = 0
        self.task: asyncio.Task[str] | None = None


class ImageCopies:
    """Provides images on the hypervisor ``host``, whose libvirt is at ``uri``.

    ``sync`` has the host write what it has in memory to its disks: a copy that counts as ready must
    survive a power failure.
    """

    def __init__(
        self,
        host: str,
        uri: str,
        reach: Reach,
        source: ImageSource,
        sync: Callable[[], Awaitable[None]],
    ) -> None:
        self._sync = sync
        self._host = host
        self._uri = uri
        self._reach = reach
        self._source = source
        self._copies: dict[str, _Copy] = {}
        self._one_at_a_time = asyncio.Lock()
        self._domains: dict[str, str] = {}
        self._tidied = False
        self._ending: set[asyncio.Task[Any]] = set()

    def domain_of(self, image: str) -> str:
        """Return the domain that clones of an image are made from: a copy, or its own name."""
        return self._domains.get(image, image)

    def under_way(self) -> list[tuple[str, Transferred]]:
        """Return the images that are being copied, and how far each is."""
        return [(image, _transferred(copy.counted)) for image, copy in self._copies.items()]

    async def provide(
        self, image: str, report: Callable[[Transferred], None], stopped: Callable[[], bool]
    ) -> None:
        """Provide the image as the master has it; concurrent callers share one copy.

        Returns early once ``stopped`` returns true; the copy ends when nobody waits for it.
        Raises DeviceError.
        """
        copy = self._copies.get(image)
        if copy is None or copy.task is None or copy.task.done():
            copy = self._copies[image] = _Copy()
            copy.task = start_apart(self._make(image, copy), f"copy {image} to {self._host}")
        copy.waiting += 1
        try:
            reported = None
            while not copy.task.done():
                await asyncio.wait({copy.task}, timeout=TICK)
                now = _transferred(copy.counted)
                if now != reported and now.total:
                    report(now)
                    reported = now
                if stopped():
                    return
            if copy.task.cancelled():
                raise DeviceError(
                    f"The copy of {image} to {self._host} was given up: apply again.",
                    reason="unreachable",
                )
            copy.task.result()
        finally:
            copy.waiting -= 1
            if not copy.waiting:
                self._end(image, copy)

    def _end(self, image: str, copy: _Copy) -> None:
        """Cancel a copy that nobody waits for. It removes its files in the background.

        The next one begins after that.
        """
        if self._copies.get(image) is copy:
            del self._copies[image]
        if copy.task is not None and not copy.task.done():
            copy.task.cancel()
            self._ending.add(copy.task)
            copy.task.add_done_callback(self._ending.discard)

    async def _make(self, image: str, copy: _Copy) -> str:
        async with self._one_at_a_time:
            try:
                made = await self._provide(image, copy.counted)
            except DeviceError as error:
                if error.reason == "timeout":  # others have removed what they made
                    await self._tidy()
                raise
            except asyncio.CancelledError:
                await self._tidy()
                raise
        self._domains[image] = made.domain
        return made.domain

    async def _provide(self, image: str, counted: Counted) -> Copied:
        try:
            content = await self._source.read(image, counted)
        except DeviceError as error:
            # If the master does not answer, the content of its image is not known.
            if error.reason in ("missing", "refused") and await self._has_its_own(image):
                log.info("%s: %s is used as it is there: %s", self._host, image, error.message)
                return Copied(image, {})
            raise
        known = await self._source.hashes.load(self._host)
        uri = await self._reach()

        def provide(task: Task[Any]) -> Copied:
            libvirt = load_libvirt()
            with (
                connected(libvirt, self._source.uri) as source,
                connected(libvirt, uri, self._uri) as target,
            ):
                copying = Copying(
                    libvirt,
                    Reader(libvirt, source, self._source.uri, task.go_on, counted),
                    Reader(libvirt, target, self._uri, task.go_on, counted),
                    source_connection=source,
                    connection=target,
                    host=self._host,
                    image=image,
                    content=content,
                    counted=counted,
                    go_on=task.go_on,
                )
                return copying.provide(known)

        copied = await work(f"copy {image}", self._uri, provide, counted)
        if copied.hashes:
            await self._source.hashes.save(self._host, copied.hashes)
        if copied.to_finish is not None:
            await self._finish(copied.to_finish)
        return copied

    async def _finish(self, definition: str) -> None:
        """Let a copy count as ready, once it is on the disks of the host."""
        await self._sync()
        uri = await self._reach()

        def finish(task: Task[Any]) -> None:
            with connected(load_libvirt(), uri, self._uri) as connection:
                task.go_on()
                connection.defineXML(definition)

        await work("finish a copy", self._uri, finish, Counted())

    async def _has_its_own(self, image: str) -> bool:
        """Return whether the host has an image of this name that HaaS did not copy there."""
        uri = await self._reach()

        def look(task: Task[Any]) -> bool:
            libvirt = load_libvirt()
            with connected(libvirt, uri, self._uri) as connection:
                reader = Reader(libvirt, connection, self._uri, task.go_on, Counted())
                try:
                    reader.definition(image)
                except DeviceError:
                    return False
                return True

        return await work(f"look for {image}", self._uri, look, Counted())

    async def _tidy(self) -> None:
        """Remove what is left of a copy; what can't be removed now, before the next copy."""
        with contextlib.suppress(DeviceError, TimeoutError):
            async with asyncio.timeout(TIDY_LIMIT):
                uri = await self._reach()

                def tidy(task: Task[Any]) -> list[str]:
                    libvirt = load_libvirt()
                    with connected(libvirt, uri, self._uri) as connection:
                        return image_copy.remove_unfinished(libvirt, connection, task.go_on)

                for name in await work("tidy", self._uri, tidy, Counted()):
                    log.info("%s: removed the unfinished copy %s", self._host, name)

    def tidy_once(self) -> None:
        """Begin to remove, once, what an earlier daemon that died has left of a copy."""
        if not self._tidied:
            self._tidied = True
            task = start_apart(self._tidy_alone(), f"tidy {self._host}")
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _tidy_alone(self) -> None:
        async with self._one_at_a_time:
            await self._tidy()

    async def close(self) -> None:
        """End what is under way. What it has made is removed before the next copy."""
        running = [copy.task for copy in self._copies.values() if copy.task is not None]
        self._copies.clear()
        await cancel_and_wait(*running, *self._ending)


def _transferred(counted: Counted) -> Transferred:
    return Transferred(counted.what, counted.done, counted.total)
