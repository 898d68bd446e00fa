"""Copies headnodes between hypervisors in memory, by the rules of the libvirt driver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from haas_rpcd.devicenames import MASTER
from haas_rpcd.drivers import Driver, Outcome, Progress, Report, Seen, ignore, one_by_one
from haas_rpcd.drivers.hypervisor.copylines import Lines, preview_lines
from haas_rpcd.drivers.hypervisor.domain_xml import domain_name, overlay_name
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import CopyChange, HeadnodeSeen, PortConfig, PrepareCopy, PresenceSeen
from haas_rpcd.sim.host import SimDomain, SimHost

SIZE = 2 * 2**30
"""Bytes of each headnode's disk."""


class SimCopyDriver(Driver):
    """Copies headnodes to the hypervisor ``to``. ``host`` returns the host of a hypervisor."""

    def __init__(self, to: str, host: Callable[[str], SimHost]) -> None:
        self._to = to
        self._host = host
        self._possible: set[str] = set()

    def preview(
        self,
        changes: Sequence[CopyChange],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return the lines of the libvirt driver."""
        return [preview_lines(change, self._to) for change in changes]

    async def open(self, report: Report = ignore) -> None:
        """Connect. Raises DeviceError ``unreachable`` while the target's libvirt is down."""
        self._up(self._to)

    async def close(self) -> None:
        """Nothing to close."""

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        """Carry out one change after another; stop at the first that fails."""
        return await one_by_one(changes, progress, self.carry_out)

    async def carry_out(self, change: CopyChange, report: Report) -> None:
        """Copy a headnode, or see whether that is possible. Raises DeviceError.

        An image that is missing is there at once, if the master has it.
        """
        self._possible.discard(change.uuid)
        source, target = self._up(change.source), self._up(self._to)
        domain = source.domains.get(change.uuid)
        if domain is None:
            raise DeviceError(
                f"The domain {domain_name(change.headnode)} is gone from {change.source}: have the"
                " headnode made anew there or, with  headnode move  , elsewhere.",
                reason="missing",
            )
        if change.image in self._host(MASTER).images:
            target.images.add(change.image)
        if change.image not in target.images:
            raise DeviceError(
                f"There is no domain {change.image} on {self._to}: define the base image there.",
                reason="missing",
            )
        if isinstance(change, PrepareCopy):
            self._possible.add(change.uuid)
            return
        if domain.live is not None:
            raise DeviceError(
                f"{domain_name(change.headnode)} runs on {change.source}: it is copied only while"
                " it is off. Apply again.",
                reason="refused",
            )
        copy = SimDomain(
            change.headnode, change.uuid, domain.image, domain.nics, disk=domain.disk, whole=False
        )
        target.domains[change.uuid] = copy
        await asyncio.sleep(target.seconds)
        self._up(change.source), self._up(self._to)
        Lines(report).progress(f"copy {overlay_name(change.headnode, 'vda')}", SIZE, SIZE)
        target.domains[change.uuid] = replace(copy, whole=True, token=change.token)

    async def observe(self, changes: Sequence[CopyChange]) -> list[Seen | DeviceError]:
        """Return what was copied, if it is whole and of this move."""
        host = self._up(self._to)
        seen: list[Seen | DeviceError] = []
        for change in changes:
            if isinstance(change, PrepareCopy):
                seen.append(PresenceSeen(change.uuid in self._possible))
                continue
            domain = host.domains.get(change.uuid)
            if domain is None or not domain.whole or domain.token != change.token:
                seen.append(HeadnodeSeen(defined=False))
            else:
                seen.append(HeadnodeSeen(True, domain.running, domain.nics))
        return seen

    def _up(self, name: str) -> SimHost:
        host = self._host(name)
        if host.libvirt_down:
            raise DeviceError(
                f"libvirt on {name} cannot be reached. Start it (systemctl start libvirtd), and"
                " apply again.",
                reason="unreachable",
            )
        return host
