"""The workers of all devices, each made when its device is first used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import HaasError


class Workers:
    """Has one worker for each device. ``make`` creates it."""

    def __init__(self, make: Callable[[str], Worker]) -> None:
        self._make = make
        self._workers: dict[str, Worker] = {}

    def of(self, device: str) -> Worker:
        """Return the worker of a device."""
        if device not in self._workers:
            self._workers[device] = self._make(device)
        return self._workers[device]

    async def interrupt(self, device: str, why: HaasError) -> None:
        """Stop what a device is doing. Whoever waits for it gets this error; others may follow."""
        if device in self._workers:
            await self._workers[device].stop(why)

    async def stop(self) -> None:
        """Stop all of them at once."""
        await asyncio.gather(*(worker.stop() for worker in self._workers.values()))
