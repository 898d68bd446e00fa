"""The master's network in memory. It replaces the netlink driver, and needs no kernel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from haas_rpcd.devicenames import MASTER
from haas_rpcd.drivers import MasterDriver, Outcome, Progress, Report, Seen, ignore, one_by_one
from haas_rpcd.drivers.hostnet.iplines import bridge_name, preview_lines
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import BridgeSeen, PortConfig, SetBridge
from haas_rpcd.sim.host import SimHost


class SimNetworkDriver(MasterDriver):
    """Creates and removes the bridges of a :class:`SimHost`."""

    def __init__(self, host: SimHost) -> None:
        self._host = host

    def preview(
        self,
        changes: Sequence[SetBridge],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return the lines that describe the change on a real master."""
        return [preview_lines(self._host.trunk_nic, change) for change in changes]

    async def open(self, report: Report = ignore) -> None:
        """Open a session. Raises DeviceError (unreachable) while the kernel does not answer."""
        self._check_answers()

    def _check_answers(self) -> None:
        if self._host.netlink_down:
            raise DeviceError("The master's kernel does not answer.", reason="unreachable")

    async def close(self) -> None:
        """Nothing to close."""

    async def watch(self, changed: Callable[[], None]) -> None:
        """Report each change until the kernel does not answer any more. Raises DeviceError then."""
        async with self._host.watched(MASTER) as reports:
            while True:
                self._check_answers()
                changed()
                await reports.get()

    async def boot_id(self) -> str | None:
        """Return what identifies the present boot."""
        return self._host.boot_id

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        """Carry out one change after another; stop at the first that fails."""
        return await one_by_one(changes, progress, self.carry_out)

    async def carry_out(self, change: SetBridge, report: Report) -> None:
        """Create or remove a bridge, unless it is already so.

        Raises DeviceError as the netlink driver does: ``missing`` without a trunk nic, ``refused``
        without the capability or while a running headnode is attached to the bridge.
        """
        await asyncio.sleep(self._host.seconds)
        if await self.observe([change]) == [BridgeSeen(change.present)]:
            return
        lines = self.preview([change])[0]
        self._check(change, lines[0])
        for line in lines:
            report(line)
        if change.present:
            self._host.bridges.add(change.vlan)
        else:
            self._host.bridges.discard(change.vlan)
        self._host.bridge_faults.pop(change.vlan, None)

    async def observe(self, changes: Sequence[SetBridge]) -> list[Seen | DeviceError]:
        """Return for each VLAN what is there, and what is wrong. Without a trunk nic, none is."""
        host = self._host
        there = set() if host.trunk_missing else host.bridges
        return [
            BridgeSeen(change.vlan in there, host.bridge_faults.get(change.vlan, ()))
            for change in changes
        ]

    def _check(self, change: SetBridge, line: str) -> None:
        if self._host.no_capability:
            raise DeviceError(
                f'"{line}" was refused on the master. The kernel does not allow it: haas-rpcd '
                "needs the capability CAP_NET_ADMIN.",
                reason="refused",
            )
        if change.present and self._host.trunk_missing:
            raise DeviceError(
                f"The master has no trunk nic {self._host.trunk_nic}: plug it in, or name the "
                "right one as trunk_nic in [master] of haas.toml.",
                reason="missing",
            )
        hanging = self._host.attached_to(change.vlan)
        if not change.present and hanging:
            raise DeviceError(
                f"{bridge_name(change.vlan)} cannot be removed while {', '.join(hanging)} of "
                "running virtual machines hangs on it: disconnect or stop them, then apply again.",
                reason="refused",
            )
