"""Keeps the devices of one job in step, phase by phase, without waiting long for a dead one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from haas_rpcd.model import Phase, same_hypervisor

PATIENCE = 1.0
"""Seconds that a slow device may delay the others, once per job.

Isolation does not depend on the order across devices: a port changes hands by two jobs, with a
confirmation between them, and a VLAN id is freed only by confirmations. The devices of a hypervisor
wait for each other without limit: a headnode cannot start before its bridge exists, and a bridge
cannot go before its headnodes. So do those between which a headnode moves.
"""

_LEFT = 99
"""After any phase: the device has finished or failed."""


class Gate:
    """Lets the devices of a job wait for each other between phases.

    ``linked`` says whether two devices wait for each other without limit.
    """

    def __init__(
        self, devices: Iterable[str], linked: Callable[[str, str], bool] = same_hypervisor
    ) -> None:
        self._linked = linked
        self._finished: dict[str, int] = dict.fromkeys(devices, 0)
        self._late: set[str] = set()
        self._moved = asyncio.Condition()

    async def leave(self, device: str) -> None:
        """Record that no other device needs to wait for this one any more."""
        await self._set(device, _LEFT)

    async def reach(self, device: str, phase: Phase) -> None:
        """Wait until every other device has finished the phases before this one.

        After ``PATIENCE`` seconds, no device waits any longer for those that have not. By this call
        a device also says that it has finished all phases before this one itself.
        """
        await self._set(device, int(phase) - 1)
        async with self._moved:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._moved.wait_for(lambda: not any(self._behind(device, phase)))
            except TimeoutError:
                self._late.update(self._behind(device, phase))
                self._moved.notify_all()
            await self._moved.wait_for(lambda: not any(self._behind(device, phase)))

    def _behind(self, device: str, phase: Phase) -> Iterator[str]:
        """Yield the devices to wait for. Lazy, because callers mostly need only the first."""
        before = int(phase) - 1
        return (
            other
            for other, at in self._finished.items()
            if at < before
            and other != device
            and (other not in self._late or self._linked(device, other))
        )

    async def _set(self, device: str, phase: int) -> None:
        async with self._moved:
            self._finished[device] = max(self._finished[device], phase)
            self._moved.notify_all()
