"""Copies headnodes that are off from one hypervisor to another: their domains and their disks.

The daemon has both connections to libvirt, and everything goes through it: the hosts need not
reach each other. An overlay is copied as it is, but for the path of its base. So there must be a
base of the same content at the new place; it is copied from the master if it can be.

The copy is defined before its files are written, marked as not ready, and as ready afterwards. So
if the daemon dies in between, libvirt knows what there is of it, and it can be deleted. The
original is only read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple, TypeVar

from haas_rpcd.drivers import Driver, Outcome, Progress, Report, Seen, ignore
from haas_rpcd.drivers.hypervisor import copy_xml, domain_xml
from haas_rpcd.drivers.hypervisor.connecting import load_libvirt
from haas_rpcd.drivers.hypervisor.copyends import CopyEnd
from haas_rpcd.drivers.hypervisor.copylines import Lines, preview_lines
from haas_rpcd.drivers.hypervisor.image_copies import Hashes, ImageCopies
from haas_rpcd.drivers.hypervisor.long_work import TICK, Counted, connected, work
from haas_rpcd.drivers.hypervisor.transfer import FileKey
from haas_rpcd.drivers.hypervisor.worker import Task
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import CopyChange, CopyHeadnode, PortConfig, PrepareCopy, PresenceSeen
from haas_rpcd.tasks import cancel_and_wait

Result = TypeVar("Result")


class Libvirt(NamedTuple):
    """The libvirt of a hypervisor: the URI by which this process reaches it, and its own."""

    uri: str
    shown: str


Find = Callable[[str], Awaitable[Libvirt]]
"""Returns the libvirt of a hypervisor, given its name. Raises DeviceError."""


class _Cancelled(Exception):
    """The job was cancelled meanwhile."""


class CopyDriver(Driver):
    """Copies headnodes to the hypervisor ``to``. Each change has connections of its own.

    ``find`` finds each hypervisor's libvirt, and ``hashes`` keeps the hashes of their files.
    ``images`` copies base images to this hypervisor; None for the master, which has them.
    """

    def __init__(
        self,
        to: str,
        find: Find,
        hashes: Hashes,
        images: Callable[[], Awaitable[ImageCopies | None]],
    ) -> None:
        self._to = to
        self._find = find
        self._hashes = hashes
        self._images = images
        self._possible: set[str] = set()
        """The UUIDs of the headnodes that were found to be copyable."""

    def preview(
        self,
        changes: Sequence[CopyChange],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return short lines that describe a change."""
        return [preview_lines(change, self._to) for change in changes]

    async def open(self, report: Report = ignore) -> None:
        """Do nothing: each change has connections of its own. Raises UnavailableError."""
        load_libvirt()

    async def close(self) -> None:
        """Do nothing."""

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        """Carry out one change. A copy that is cancelled is left unfinished."""
        [change] = changes
        self._possible.discard(change.uuid)
        try:
            await self._carry_out(change, progress)
        except _Cancelled:
            return [Outcome("unfinished")]
        except DeviceError as error:
            return [Outcome("refused", error)]
        if isinstance(change, PrepareCopy):
            self._possible.add(change.uuid)
        return [Outcome("sent")]

    async def observe(self, changes: Sequence[CopyChange]) -> list[Seen | DeviceError]:
        """Return what is there of each copy: nothing, unless it is complete and of this move.

        A headnode is possible to copy if that was seen in this session.
        """
        at, counted = await self._find(self._to), Counted()

        def read(task: Task[Any]) -> list[Seen | DeviceError]:
            libvirt = load_libvirt()
            with connected(libvirt, at.uri, at.shown) as connection:
                end = CopyEnd(libvirt, connection, self._to, task, counted, {})
                return [
                    end.seen(change)
                    if isinstance(change, CopyHeadnode)
                    else PresenceSeen(change.uuid in self._possible)
                    for change in changes
                ]

        return await work("see headnodes", at.shown, read, counted)

    # --- copying ----------------------------------------------------------------------------------

    async def _carry_out(self, change: CopyChange, progress: Progress) -> None:
        lines = Lines(lambda line: progress.line_sent(0, line))
        if isinstance(change, CopyHeadnode):
            await self._with_both(change, _copy, lines, progress)
            return
        try:
            await self._with_both(change, _prepare, lines, progress)
        except DeviceError as error:
            images = await self._images()
            if error.reason != "mismatch" or images is None:
                raise
            await images.provide(change.image, lambda now: lines.progress(*now), progress.cancelled)
            if progress.cancelled():
                raise _Cancelled from None
            await self._with_both(change, _prepare, lines, progress)

    async def _with_both(
        self,
        change: CopyChange,
        do: Callable[[Any, CopyEnd, CopyEnd, Counted], None],
        lines: Lines,
        progress: Progress,
    ) -> None:
        """Work with both ends in a thread of its own; report the progress."""
        source, target = await self._find(change.source), await self._find(self._to)
        ours = dict(await self._hashes.load(change.source))
        theirs = dict(await self._hashes.load(self._to))
        known = ours.keys() | theirs.keys()
        counted = Counted()

        def both(task: Task[Any]) -> None:
            libvirt = load_libvirt()
            with (
                connected(libvirt, source.uri, source.shown) as here,
                connected(libvirt, target.uri, target.shown) as there,
            ):
                do(
                    change,
                    CopyEnd(libvirt, here, change.source, task, counted, ours),
                    CopyEnd(libvirt, there, self._to, task, counted, theirs),
                    counted,
                )

        name = f"move {domain_xml.domain_name(change.headnode)}"
        task = asyncio.create_task(work(name, target.shown, both, counted), name=name)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=TICK)
                if counted.total:
                    lines.progress(counted.what, counted.done, counted.total)
                if progress.cancelled() and not task.done():
                    raise _Cancelled
            task.result()
        finally:
            if not task.done():
                await cancel_and_wait(task)
            await self._keep(change.source, ours, known)
            await self._keep(self._to, theirs, known)

    async def _keep(self, name: str, hashes: dict[FileKey, str], known: set[FileKey]) -> None:
        new = {key: value for key, value in hashes.items() if key not in known}
        if new:
            await self._hashes.save(name, new)


def _prepare(change: PrepareCopy, source: CopyEnd, target: CopyEnd, counted: Counted) -> None:
    """Check that a headnode can be copied. Blocks. Raises DeviceError."""
    target.place(change, source.original(change))


def _copy(change: CopyHeadnode, source: CopyEnd, target: CopyEnd, counted: Counted) -> None:
    """Define the copy, write its files, and mark it as ready. Blocks. Raises DeviceError."""
    original = source.original(change)
    place = target.place(change, original)
    xml = copy_xml.copied(original.xml, original.mark, place.image, place.files, change.token)
    target.define(xml)
    for path, to in place.files.items():
        facts = original.files[path]
        counted.begin(f"copy {path} from {change.source}", facts.size)
        base = place.bases.get(original.disk_of(path) or "")
        with closing(source.pieces(path, facts)) as pieces:
            target.write(to, facts.size, pieces, base)
    source.check_unchanged(change, original)
    target.check_bases(place.bases.values())
    target.define(domain_xml.mark_ready(xml))
