"""The room on hypervisors, as last read, so that placing a headnode asks no device."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import cast

from haas_rpcd.devicenames import MASTER, hypervisor_of, is_libvirt
from haas_rpcd.drivers import Driver, MasterDriver
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import HaasError
from haas_rpcd.registered import Capacity, MachineSize

log = logging.getLogger(__name__)


class Capacities:
    """``images``: the base images that headnodes may be cloned from."""

    def __init__(self, worker: Callable[[str], Worker], images: Sequence[str]) -> None:
        self._worker = worker
        self._images = tuple(images)
        self._known: dict[str, Capacity] = {}

    def of(self, hypervisor: str) -> Capacity | None:
        """Return what a hypervisor has; None if that was never read, or could not be read last."""
        return self._known.get(hypervisor)

    def image_sizes(self) -> dict[str, MachineSize]:
        """Return what a clone of each image needs. The master's image wins over a namesake."""
        names = sorted(self._known, key=lambda name: name == MASTER)
        return {image: size for name in names for image, size in self._known[name].images.items()}

    async def read(self, device: str) -> None:
        """Read what a hypervisor has, after its libvirt was checked. Nothing is raised."""
        if not is_libvirt(device):
            return

        async def ask(driver: Driver) -> Capacity | None:
            return await cast(MasterDriver, driver).capacity(self._images)

        name = hypervisor_of(device)
        try:
            found = await self._worker(device).read(ask)
        except HaasError as error:
            log.info("%s does not say what it has room for: %s", device, error.message)
            found = None
        if found is None:
            self._known.pop(name, None)
        else:
            self._known[name] = found
