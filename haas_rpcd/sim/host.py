"""The master of a demo: its trunk nic, bridges, images and domains, in memory."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from haas_rpcd.devicenames import LIBVIRT, MASTER
from haas_rpcd.model import Condition, HeadnodeNic

_boots = itertools.count(1)


@dataclass
class SimDomain:
    """A headnode's domain. ``live``: the nics of the machine in memory, None while it is off.

    ``condition``: why it does not run. A paused one is still in memory. ``added``: devices that
    somebody gave it by hand, as phrases. ``disk``: what was written to its disk. ``whole`` is false
    while it is being copied from another host, by the move that ``token`` identifies.
    """

    headnode: str
    uuid: str
    image: str
    nics: tuple[HeadnodeNic, ...] = ()
    live: tuple[HeadnodeNic, ...] | None = None
    condition: Condition | None = None
    added: tuple[str, ...] = ()
    disk: str = ""
    whole: bool = True
    token: str = ""

    @property
    def running(self) -> bool:
        """Whether the machine is running."""
        return self.live is not None and self.condition is None


@dataclass
class SimHost:
    """The state that the simulated hypervisor and the simulated network of the master share.

    Fields that simulate faults can be set at any time: ``libvirt_down``, ``trunk_missing``,
    ``netlink_down``, ``no_capability`` (haas-rpcd lacks CAP_NET_ADMIN) and ``running_images`` (base
    images that somebody has started). ``bridge_faults``: what somebody has changed by hand on the
    bridge of a VLAN, as phrases. ``seconds``: how long each change takes. ``contents``: what base
    images hold, if that is not empty; ``copied``: those that were copied here, in
    ``copy_seconds`` each.

    What somebody does to the master, such as :meth:`crash` or :meth:`reboot`, is reported to those
    who watch it, as the kernel and libvirt do.
    """

    images: set[str] = field(default_factory=lambda: {"base-headnode"})
    contents: dict[str, str] = field(default_factory=dict)
    copied: list[str] = field(default_factory=list)
    copy_seconds: float = 0.0
    trunk_nic: str = "eth0"
    memory: int = 64 * 2**30
    cpus: int = 16
    seconds: float = 0.0
    libvirt_down: bool = False
    trunk_missing: bool = False
    netlink_down: bool = False
    no_capability: bool = False
    running_images: set[str] = field(default_factory=set)
    bridges: set[int] = field(default_factory=set)
    bridge_faults: dict[int, tuple[str, ...]] = field(default_factory=dict)
    domains: dict[str, SimDomain] = field(default_factory=dict)
    boot_id: str = field(default_factory=lambda: f"boot-{next(_boots)}")
    watchers: set[Callable[[str], None]] = field(default_factory=set)
    """Called with the device that has changed, or whose libvirt has gone or come back."""

    # --- what happens to it ---

    def reboot(self) -> None:
        """Reboot the master: no bridge is left, and no machine runs."""
        self.boot_id = f"boot-{next(_boots)}"
        self.bridges.clear()
        self.bridge_faults.clear()
        for domain in self.domains.values():
            domain.live = domain.condition = None
        self.report(MASTER)
        self.report(LIBVIRT)

    def plug_trunk_in(self) -> None:
        """Plug the trunk nic in that was missing."""
        self.trunk_missing = False
        self.report(MASTER)

    def remove_bridge(self, vlan: int) -> None:
        """Remove a bridge by hand."""
        self.bridges.discard(vlan)
        self.report(MASTER)

    def crash(self, headnode: str) -> None:
        """End a headnode's QEMU."""
        domain = self.domain(headnode)
        domain.live, domain.condition = None, "crashed"
        self.report(LIBVIRT)

    def shut_down(self, headnode: str) -> None:
        """Shut a headnode down from the inside."""
        domain = self.domain(headnode)
        domain.live = domain.condition = None
        self.report(LIBVIRT)

    def pause(self, headnode: str) -> None:
        """Pause a headnode by hand."""
        self.domain(headnode).condition = "paused"
        self.report(LIBVIRT)

    def suspend(self, headnode: str) -> None:
        """Save a headnode to disk by hand."""
        domain = self.domain(headnode)
        domain.live, domain.condition = None, "suspended"
        self.report(LIBVIRT)

    def resume(self, headnode: str) -> None:
        """Let a paused headnode run again by hand."""
        self.domain(headnode).condition = None
        self.report(LIBVIRT)

    def edit(self, headnode: str, *nics: HeadnodeNic) -> None:
        """Give a headnode other nics by hand."""
        domain = self.domain(headnode)
        domain.nics = nics
        domain.live = None if domain.live is None else nics
        self.report(LIBVIRT)

    def add_device(self, headnode: str, phrase: str) -> None:
        """Give a headnode a device by hand."""
        self.domain(headnode).added += (phrase,)
        self.report(LIBVIRT)

    def undefine(self, headnode: str) -> None:
        """Remove a headnode's domain by hand."""
        del self.domains[self.domain(headnode).uuid]
        self.report(LIBVIRT)

    def stop_libvirt(self) -> None:
        """Stop libvirt. Its machines run on."""
        self.libvirt_down = True
        self.report(LIBVIRT)

    def start_libvirt(self) -> None:
        """Start libvirt again."""
        self.libvirt_down = False
        self.report(LIBVIRT)

    def die(self) -> None:
        """Let it answer nothing any more, as a host without power."""
        self.netlink_down = self.libvirt_down = True
        self.report(MASTER)
        self.report(LIBVIRT)

    def come_back(self) -> None:
        """Let it answer again, as it was."""
        self.netlink_down = self.libvirt_down = False

    def report(self, device: str) -> None:
        """Report that something has changed."""
        for watcher in tuple(self.watchers):
            watcher(device)

    @contextlib.asynccontextmanager
    async def watched(self, device: str) -> AsyncIterator[asyncio.Queue[str]]:
        """Yield a queue of what is reported of a device."""
        reports: asyncio.Queue[str] = asyncio.Queue()

        def watcher(changed: str) -> None:
            if changed == device:
                reports.put_nowait(changed)

        self.watchers.add(watcher)
        try:
            yield reports
        finally:
            self.watchers.discard(watcher)

    # --- what is there ---

    def domain(self, headnode: str) -> SimDomain:
        """Return the domain of a headnode, given as ``project/headnode``. Raises LookupError."""
        for domain in self.domains.values():
            if domain.headnode == headnode:
                return domain
        raise LookupError(f"there is no domain of {headnode}")

    def attached_to(self, vlan: int) -> list[str]:
        """Return the nics of running headnodes that are attached to the VLAN's bridge."""
        return sorted(
            f"{domain.headnode}:{nic.nic}"
            for domain in self.domains.values()
            for nic in domain.live or ()
            if nic.vlan == vlan
        )

    def without_bridge(self, nics: Iterable[HeadnodeNic]) -> HeadnodeNic | None:
        """Return the first nic whose bridge does not exist, or None."""
        return next((nic for nic in sorted(nics) if nic.vlan not in self.bridges), None)

    def holder_of_mac(self, mac: str, other_than: str) -> SimDomain | None:
        """Return the domain with this MAC, unless its UUID is ``other_than``."""
        for domain in self.domains.values():
            has = {nic.mac.lower() for nic in (*domain.nics, *(domain.live or ()))}
            if domain.uuid != other_than and mac.lower() in has:
                return domain
        return None
