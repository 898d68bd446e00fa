"""Keeps the devices of one job in step: phase by phase, but nobody waits long for a dead one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from haas_rpcd.model import RESERVED_DEVICES, Phase

PATIENCE = 1.0
"""Seconds that a device may keep the others waiting, once a job. What isolation needs of the order
across devices never hangs on this: a port changes hands only by two jobs with a confirmation
between them, and VLAN ids are freed only by confirmations. The two devices of the master wait for
each other as long as it takes: a headnode can't start before its bridge is there, nor a bridge go
before its headnodes, and neither could be done any sooner."""

_OUT = 99
"""Further than any phase: the device has ended or has failed."""


class Gate:
    """Where the devices of a job wait for each other between phases."""

    def __init__(self, devices: Iterable[str]) -> None:
        self._passed: dict[str, int] = dict.fromkeys(devices, 0)
        self._late: set[str] = set()
        self._moved = asyncio.Condition()

    async def passed(self, device: str, phase: Phase) -> None:
        """Note that a device is through with a phase and all before it."""
        await self._set(device, int(phase))

    async def leave(self, device: str) -> None:
        """Note that nobody needs to wait for a device any more."""
        await self._set(device, _OUT)

    async def reach(self, device: str, phase: Phase) -> None:
        """Wait until every other device is through with the phases before this one.

        After ``PATIENCE`` seconds the ones that are not are no longer waited for, by anybody.
        """
        await self._set(device, int(phase) - 1)  # it has nothing to do in the phases it skips
        async with self._moved:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._moved.wait_for(lambda: not any(self._behind(device, phase)))
            except TimeoutError:
                self._late.update(self._behind(device, phase))
                self._moved.notify_all()
            await self._moved.wait_for(lambda: not any(self._behind(device, phase)))

    def _behind(self, device: str, phase: Phase) -> Iterator[str]:
        """Give those that must be waited for. With many devices the first is mostly enough."""
        before = int(phase) - 1
        return (
            other
            for other, at in self._passed.items()
            if at < before
            and other != device
            and (other not in self._late or {device, other} == RESERVED_DEVICES)
        )

    async def _set(self, device: str, phase: int) -> None:
        async with self._moved:
            self._passed[device] = max(self._passed[device], phase)
            self._moved.notify_all()
