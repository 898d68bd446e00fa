"""Keeps the devices of one job in step, phase by phase, without waiting long for a dead one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from haas_rpcd.devicenames import same_hypervisor
from haas_rpcd.model import Phase

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
        self._counts = Counter(self._finished.values())
        """How many devices there are, by the last phase that they finished."""
        self._slowest = 0
        """The phase that all but the late devices have finished; cached, as thousands ask."""
        self._moved = asyncio.Condition()

    async def leave(self, device: str) -> None:
        """Record that no other device needs to wait for this one any more."""
        await self._set(device, _LEFT)

    async def reach(self, device: str, phase: Phase) -> None:
        """Wait until every other device has finished the phases before this one.

        After ``PATIENCE`` seconds, no device waits any longer for those that have not. The call
        also records that this device has finished all phases before this one.
        """
        before = int(phase) - 1
        await self._set(device, before)
        async with self._moved:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._moved.wait_for(lambda: self._may_go(device, before))
            except TimeoutError:
                self._give_up_on_those_before(before)
            await self._moved.wait_for(lambda: self._may_go(device, before))

    def _may_go(self, device: str, before: int) -> bool:
        """Return whether all that a device waits for have finished the phase ``before``."""
        return self._slowest >= before and not any(
            self._finished[other] < before and self._linked(device, other) for other in self._late
        )

    async def _set(self, device: str, phase: int) -> None:
        async with self._moved:
            had, has = self._finished[device], max(self._finished[device], phase)
            self._finished[device] = has
            if device in self._late:
                self._moved.notify_all()
            else:
                self._counts[had] -= 1
                self._counts[has] += 1
                self._wake_if_slowest_advanced()

    def _give_up_on_those_before(self, phase: int) -> None:
        for device, at in self._finished.items():
            if at < phase and device not in self._late:
                self._late.add(device)
                self._counts[at] -= 1
        self._wake_if_slowest_advanced()

    def _wake_if_slowest_advanced(self) -> None:
        """Wake those who wait if the slowest device has gone on."""
        slowest = min((phase for phase, count in self._counts.items() if count), default=_LEFT)
        if slowest != self._slowest:
            self._slowest = slowest
            self._moved.notify_all()
