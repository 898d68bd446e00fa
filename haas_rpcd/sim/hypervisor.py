"""The hypervisor in memory. It replaces the libvirt driver, and needs no libvirt.

It has the same rules as the real one, and its errors have the same reasons. So whatever works or
fails in a demo also does on a real master.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from haas_rpcd.devicenames import LIBVIRT
from haas_rpcd.drivers import (
    MasterDriver,
    Outcome,
    Progress,
    Report,
    Seen,
    Transferred,
    ignore,
    one_by_one,
)
from haas_rpcd.drivers.hostnet.iplines import bridge_name
from haas_rpcd.drivers.hypervisor.domain_xml import domain_name
from haas_rpcd.drivers.hypervisor.libvirt import preview_lines
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeChange,
    HeadnodeNic,
    HeadnodeSeen,
    PortConfig,
    SetHeadnodeNics,
    SetHeadnodePower,
)
from haas_rpcd.registered import Capacity, FoundHeadnode, MachineSize
from haas_rpcd.sim.host import SimDomain, SimHost

URI = "sim:///demo"

COPY_PARTS, COPY_PART = 4, 2**28
"""How many parts a base image is copied in, and their size in bytes."""

MACHINE = MachineSize(memory=2 * 2**30, vcpus=2)
"""What each headnode takes."""


class SimHypervisorDriver(MasterDriver):
    """The domains of a :class:`SimHost`; base images are copied there from ``source``."""

    def __init__(self, host: SimHost, source: SimHost | None = None) -> None:
        self._host = host
        self._source = source

    def preview(
        self,
        changes: Sequence[HeadnodeChange],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return the lines of the libvirt driver."""
        return [preview_lines(change, bridge_name) for change in changes]

    async def open(self, report: Report = ignore) -> None:
        """Connect. Raises DeviceError (unreachable) while the host's libvirt is down."""
        self._check_up()

    async def close(self) -> None:
        """Nothing to close."""

    async def watch(self, changed: Callable[[], None]) -> None:
        """Report each change until libvirt goes down. Raises DeviceError then."""
        async with self._host.watched(LIBVIRT) as reports:
            while True:
                self._check_up()
                changed()
                await reports.get()

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        """Carry out one change after another; stop at the first that fails."""
        return await one_by_one(changes, progress, self.carry_out)

    async def carry_out(self, change: HeadnodeChange, report: Report) -> None:
        """Carry out a change, unless it is already so.

        Raises DeviceError: ``unreachable``, ``missing`` (image or domain), ``refused``.
        """
        self._check_up()
        await asyncio.sleep(self._host.seconds)
        if isinstance(change, DefineHeadnode):
            self._define(change, report)
        elif isinstance(change, SetHeadnodeNics):
            self._set_nics(self._get(change), change.nics, report)
        elif isinstance(change, SetHeadnodePower):
            self._set_power(self._get(change), change.running, report)
        elif isinstance(change, DeleteHeadnode):
            self._delete(change, report)
        else:
            raise TypeError(f"the hypervisor has no {type(change).__name__}")

    async def observe(self, changes: Sequence[HeadnodeChange]) -> list[Seen | DeviceError]:
        """Return the state of each headnode."""
        self._check_up()
        return [self._seen(change) for change in changes]

    async def capacity(self, images: Sequence[str]) -> Capacity | None:
        """Return what the host has: every machine takes as much."""
        self._check_up()
        host = self._host
        running = sum(domain.live is not None for domain in host.domains.values())
        return Capacity(
            memory=host.memory,
            free=host.memory - running * MACHINE.memory,
            promised=len(host.domains) * MACHINE.memory,
            cpus=host.cpus,
            images=dict.fromkeys(host.images & set(images), MACHINE),
        )

    async def found_headnodes(self) -> list[FoundHeadnode]:
        """Return the host's domains."""
        self._check_up()
        domains = self._host.domains.values()
        return sorted(FoundHeadnode(domain.headnode, domain.uuid) for domain in domains)

    async def provide_image(
        self,
        image: str,
        report: Callable[[Transferred], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Copy a base image, unless the host has it with the same content."""
        source, host = self._source, self._host
        if source is None or image not in source.images:
            return
        wanted = source.contents.get(image, "")
        if image in host.images and host.contents.get(image, "") == wanted:
            return
        for part in range(COPY_PARTS + 1):
            report(Transferred(f"copy {image}", part * COPY_PART, COPY_PARTS * COPY_PART))
            await asyncio.sleep(host.copy_seconds / COPY_PARTS)
            self._check_up()
            if stopped():
                return
        host.images.add(image)
        host.contents[image] = wanted
        host.copied.append(image)
        host.report(LIBVIRT)

    def _seen(self, change: HeadnodeChange) -> HeadnodeSeen:
        domain = self._host.domains.get(change.uuid)
        if domain is None:
            return HeadnodeSeen(defined=False)
        if not domain.whole:
            return HeadnodeSeen(defined=isinstance(change, DeleteHeadnode))
        nics = {*domain.nics, *(domain.live or ())}
        if domain.live is not None:
            there = {nic.mac for nic in domain.live}
            lacking = [nic for nic in domain.nics if nic.mac not in there]
            nics |= {HeadnodeNic(nic.nic, nic.mac, 0) for nic in lacking}
        return HeadnodeSeen(
            defined=True,
            running=domain.running,
            nics=tuple(sorted(nics)),
            condition=domain.condition,
            added=domain.added,
        )

    def _define(self, change: DefineHeadnode, report: Report) -> None:
        there = self._host.domains.get(change.uuid)
        if there is not None:
            self._check_ours(there, change.headnode)
            self._set_nics(there, change.nics, report)
            return
        self._check_image(change.image)
        self._check_name(change)
        self._check_macs(change.uuid, change.nics)
        for line in self.preview([change])[0]:
            report(line)
        self._host.domains[change.uuid] = SimDomain(
            change.headnode, change.uuid, change.image, tuple(sorted(change.nics))
        )

    def _set_nics(self, domain: SimDomain, nics: tuple[HeadnodeNic, ...], report: Report) -> None:
        self._check_macs(domain.uuid, nics)
        domain.added = ()
        old = set(domain.nics if domain.live is None else domain.live)
        wanted = {nic.mac for nic in nics}
        for nic in sorted(old):
            if nic.mac not in wanted:
                report(f"{'park' if domain.live is not None else 'detach'} {nic.mac}")
        if domain.live is not None:
            domain.live = tuple(nic for nic in domain.live if nic.mac in wanted)
        domain.nics = tuple(sorted(nics))
        for nic in sorted(set(nics) - old):
            if domain.live is not None:
                self._check_bridge(domain, nic)
                kept = [one for one in domain.live if one.mac != nic.mac]
                domain.live = tuple(sorted([*kept, nic]))
            report(f"attach {nic.nic} {nic.mac} to {bridge_name(nic.vlan)}")

    def _set_power(self, domain: SimDomain, running: bool, report: Report) -> None:
        name = domain_name(domain.headnode)
        if not running:
            if domain.live is not None or domain.condition == "suspended":
                report(f"stop {name}")
            domain.live = domain.condition = None
            return
        if domain.running:
            return
        if domain.condition == "paused":
            report(f"resume {name}")
            domain.condition = None
            return
        report(f"start {name}")
        lacking = self._host.without_bridge(domain.nics)
        if lacking is not None:
            raise DeviceError(
                f"{name} could not be started: there is no {bridge_name(lacking.vlan)}. Its "
                "bridges and disks must be there; then apply again.",
                reason="refused",
            )
        domain.live, domain.condition = domain.nics, None

    def _delete(self, change: DeleteHeadnode, report: Report) -> None:
        domain = self._host.domains.get(change.uuid)
        if domain is None:
            return
        self._check_ours(domain, change.headnode)
        for line in self.preview([change])[0]:
            report(line)
        del self._host.domains[change.uuid]

    def _get(self, change: SetHeadnodeNics | SetHeadnodePower) -> SimDomain:
        domain = self._host.domains.get(change.uuid)
        if domain is None:
            raise DeviceError(
                f"The domain {domain_name(change.headnode)} is gone from {URI}: apply again to "
                "have it made anew.",
                reason="missing",
            )
        self._check_ours(domain, change.headnode)
        return domain

    def _check_up(self) -> None:
        if self._host.libvirt_down:
            raise DeviceError(
                f"libvirt on {URI} cannot be reached. Start it (systemctl start libvirtd), and "
                "see that haas-rpcd's user may use it (group libvirt).",
                reason="unreachable",
            )

    def _check_image(self, image: str) -> None:
        if image not in self._host.images:
            raise DeviceError(
                f"There is no domain {image} on {URI}: define the base image there (virsh "
                "define), or create the headnode from another image.",
                reason="missing",
            )
        if image in self._host.running_images:
            raise DeviceError(
                f"The domain {image} on {URI} is running; shut it down (virsh shutdown {image}), "
                "as clones of a running machine's disk would be corrupt.",
                reason="refused",
            )

    def _check_name(self, change: DefineHeadnode) -> None:
        for domain in self._host.domains.values():
            if domain.headnode == change.headnode:
                name = domain_name(change.headnode)
                raise DeviceError(
                    f"There is another domain {name} on {URI} already (UUID {domain.uuid}): "
                    "rename or remove it, then apply again.",
                    reason="refused",
                )

    def _check_ours(self, domain: SimDomain, headnode: str) -> None:
        if domain.headnode != headnode:
            raise DeviceError(
                f"The domain {domain_name(domain.headnode)} on {URI} has the UUID of headnode "
                f"{headnode}, but is another's: remove it, then apply again.",
                reason="refused",
            )

    def _check_macs(self, uuid: str, nics: tuple[HeadnodeNic, ...]) -> None:
        for nic in nics:
            holder = self._host.holder_of_mac(nic.mac, other_than=uuid)
            if holder is not None:
                raise DeviceError(
                    f"The MAC {nic.mac} is {domain_name(holder.headnode)}'s: give {nic.nic} "
                    "another one.",
                    reason="refused",
                )

    def _check_bridge(self, domain: SimDomain, nic: HeadnodeNic) -> None:
        if nic.vlan not in self._host.bridges:
            raise DeviceError(
                f"{nic.nic} could not be plugged into {domain_name(domain.headnode)} while it "
                f"runs: there is no {bridge_name(nic.vlan)}. Apply again once it is there.",
                reason="refused",
            )
