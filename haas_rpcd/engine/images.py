"""Base images on hypervisors: copied before the headnodes that need them are defined.

A copy takes minutes. So it is made beside the queue of the hypervisor's libvirt, where other jobs
and checks go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from haas_rpcd.devicenames import libvirt_device
from haas_rpcd.drivers import MasterDriver, Transferred
from haas_rpcd.engine.journal import Entry, Journal, Verdict
from haas_rpcd.errors import HaasError
from haas_rpcd.model import DefineHeadnode
from haas_rpcd.store import images
from haas_rpcd.store.database import Store

FileFacts = tuple[str, int, str]
"""A file's path, its size in bytes, and when it was changed."""


class Images:
    """Provides base images. ``driver`` makes the driver of a hypervisor's libvirt."""

    def __init__(self, driver: Callable[[str], Awaitable[MasterDriver]]) -> None:
        self._driver = driver
        self._under_way: dict[tuple[str, str], Transferred] = {}

    def under_way(self, hypervisor: str) -> list[tuple[str, Transferred]]:
        """Return the images that are copied to a hypervisor now, and how far each is."""
        device = libvirt_device(hypervisor)
        return [(image, now) for (to, image), now in self._under_way.items() if to == device]

    async def provide(
        self,
        device: str,
        entries: Sequence[Entry],
        journal: Journal,
        stopped: Callable[[], bool],
    ) -> list[Verdict]:
        """Have the images that some steps need on their hypervisor; publish how far that is.

        Returns the verdicts on the steps that cannot be sent without their images, recorded.
        """
        by_image: dict[str, list[Entry]] = {}
        for entry in entries:
            if isinstance(entry.step.change, DefineHeadnode):
                by_image.setdefault(entry.step.change.image, []).append(entry)
        failed: list[Verdict] = []
        for image, needing in by_image.items():

            def report(now: Transferred, image: str = image, first: Entry = needing[0]) -> None:
                self._under_way[device, image] = now
                journal.publish_step(
                    first, "sending", line=now.describe(), moved=(now.done, now.total)
                )

            try:
                driver = await self._driver(device)
                await driver.provide_image(image, report, stopped)
            except HaasError as error:
                failed += [Verdict(entry, "failed", error.message) for entry in needing]
            finally:
                self._under_way.pop((device, image), None)
        if failed:
            failed += _of_the_same_headnodes(entries, failed)
            await journal.record(failed)
        return failed


def _of_the_same_headnodes(entries: Sequence[Entry], failed: Sequence[Verdict]) -> list[Verdict]:
    """Skip what else is to be done with headnodes that cannot be defined, such as their start."""
    why = {verdict.entry.step.target: verdict.message for verdict in failed}
    judged = {verdict.entry.number for verdict in failed}
    return [
        Verdict(entry, "skipped", f"not sent: {why[entry.step.target]}")
        for entry in entries
        if entry.step.target in why and entry.number not in judged
    ]


class StoredHashes:
    """Keeps the hashes of images in the store. ``store`` returns it."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    async def load(self, hypervisor: str) -> Mapping[FileFacts, str]:
        """Return the hashes of a hypervisor's files."""
        return await self._store().read(images.hashes, hypervisor)

    async def save(self, hypervisor: str, hashes: Mapping[FileFacts, str]) -> None:
        """Keep the hashes of some of a hypervisor's files."""
        await self._store().write(images.keep, hypervisor, hashes)
