"""The driver of headnodes on libvirt: clones of a base image, with nics on the bridges of VLANs.

How it isolates the networks:

- A clone gets the wanted nics in place of the base's, and no others. If a running headnode has an
  unwanted nic (a person may have plugged one in), it is parked, too.
- Its taps carry nothing before they have their filters (:mod:`haas_rpcd.drivers.hostnet.taps`).
- If a running headnode's nic moves to another network, it changes its bridge in one call. The guest
  only notices that its neighbours change.
- If a running headnode's nic is disconnected, it is *parked*: its link goes down, then its tap
  moves to the parking bridge (:mod:`haas_rpcd.drivers.hostnet.parking`). Both take effect at once
  and do not depend on the guest, which sees a pulled cable, as a node does. The nic disappears when
  the machine next stops. It is not unplugged live, because the guest must cooperate, and firmware
  does not: with libvirt 9.0 and QEMU 7.2, a guest in iPXE kept its nic and its network, although
  the detaching call returned success after 5 s. And a pending removal would take effect later, when
  the nic may be connected again.

The base image must stay off while there are clones of it: writing to its disk corrupts them. (While
a clone runs, QEMU's locks on the disk keep the base from starting.)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

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
from haas_rpcd.drivers.hostnet.iplines import bridge_name as default_bridge_name
from haas_rpcd.drivers.hostnet.parking import KernelParking, Parking
from haas_rpcd.drivers.hostnet.taps import KernelTaps, Tap, Taps
from haas_rpcd.drivers.hypervisor import domain_xml, events
from haas_rpcd.drivers.hypervisor.capacity import capacity
from haas_rpcd.drivers.hypervisor.connecting import (
    Reach,
    is_lost,
    load_libvirt,
    unreachable,
)
from haas_rpcd.drivers.hypervisor.domains import Domains
from haas_rpcd.drivers.hypervisor.image_copies import ImageCopies
from haas_rpcd.drivers.hypervisor.worker import Abandoned, Task, TooManyHanging, Worker
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
from haas_rpcd.registered import Capacity, FoundHeadnode

Result = TypeVar("Result")

CLOSE_SECONDS = 5.0
"""Seconds that closing a connection may delay the end of the daemon."""


def preview_lines(change: HeadnodeChange, bridge_name: Callable[[int], str]) -> list[str]:
    """Return short lines that describe a change."""
    name = domain_xml.domain_name(change.headnode)
    if isinstance(change, DefineHeadnode):
        first = f"define {name} as an overlay of {change.image}"
        return [first, *(_attach_line(nic, bridge_name) for nic in change.nics)]
    if isinstance(change, SetHeadnodeNics):
        lines = [_attach_line(nic, bridge_name) for nic in change.nics]
        return lines or [f"disconnect all nics of {name}"]
    if isinstance(change, SetHeadnodePower):
        return [f"{'start' if change.running else 'stop'} {name}"]
    return [f"delete {name} and its overlays"]


def _attach_line(nic: HeadnodeNic, bridge_name: Callable[[int], str]) -> str:
    return f"attach {nic.nic} {nic.mac} to {bridge_name(nic.vlan)}"


class LibvirtDriver(MasterDriver):
    """The hypervisor at a libvirt URI.

    ``timeout`` limits a read, ``change_timeout`` a change, both in seconds. (At the first start
    libvirt probes its QEMU, which takes a while on a slow machine.) A headnode has
    ``shutdown_grace`` seconds to shut down before it is switched off. ``parking`` manages the
    bridge for disconnected nics of running headnodes, ``taps`` lets connected ones carry frames.
    ``reach`` is called before each connection if it is not opened by ``uri`` itself. ``images``
    copies base images there; without, they must be there.
    """

    def __init__(
        self,
        uri: str,
        *,
        bridge_name: Callable[[int], str] = default_bridge_name,
        timeout: float = 30.0,
        change_timeout: float = 120.0,
        shutdown_grace: float = 5.0,
        parking: Parking | None = None,
        taps: Taps | None = None,
        reach: Reach | None = None,
        images: ImageCopies | None = None,
    ) -> None:
        self._uri = uri
        self._reach = reach
        self._bridge_name = bridge_name
        self._timeout = timeout
        self._change_timeout = change_timeout
        self._shutdown_grace = shutdown_grace
        self._parking: Parking = KernelParking() if parking is None else parking
        self._taps: Taps = KernelTaps() if taps is None else taps
        self._images = images
        self._worker = Worker("libvirt", uri)
        self._keep_alive = events.FOR_CALLS
        self._libvirt: Any = None
        self._connection: Any = None

    def preview(
        self,
        changes: Sequence[HeadnodeChange],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return short lines that describe a change; sending skips what is already in place."""
        return [preview_lines(change, self._bridge_name) for change in changes]

    async def open(self, report: Report = ignore) -> None:
        """Connect to libvirt.

        Raises UnavailableError if the Python binding is not installed. Raises DeviceError
        (``unreachable``, ``timeout``) if libvirt is down or silent.
        """
        if self._connection is not None:
            return
        self._libvirt = load_libvirt()
        events.start_loop(self._libvirt)
        uri = self._uri if self._reach is None else await self._reach()
        try:
            self._connection = await self._call(lambda task: self._connect(uri), self._timeout)
        except self._libvirt.libvirtError as error:
            raise self._unreachable(error) from error

    def _connect(self, uri: str) -> Any:
        connection = self._libvirt.open(uri)
        events.probe(self._libvirt, connection, self._keep_alive)
        return connection

    async def close(self) -> None:
        """End the connection. Never raises."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # A connection that cannot even be closed counts as closed.
            with contextlib.suppress(DeviceError, self._libvirt.libvirtError):
                await self._call(lambda task: connection.close(), CLOSE_SECONDS)
        self._worker.end()

    async def watch(self, changed: Callable[[], None]) -> None:
        """Report the domains' events, and nics that are moved; over a connection of its own.

        Raises DeviceError ``unreachable`` when the connection is lost.
        """
        self._keep_alive = events.FOR_EVENTS
        try:
            await self.open()
            subscription = events.Subscription(self._libvirt, self._connection, changed)
            await self._report(subscription, changed)
        finally:
            await self.close()

    async def _report(self, subscription: events.Subscription, changed: Callable[[], None]) -> None:
        """Report changes until the connection is lost."""
        try:
            await self._run(lambda task: subscription.begin(), self._timeout, "its events")
            changed()
            while True:
                try:
                    async with asyncio.timeout(events.POLL):
                        await subscription.ended.wait()
                except TimeoutError:
                    moved = lambda task: subscription.moved()  # noqa: E731
                    if await self._run(moved, self._timeout, "the domains"):
                        changed()
                else:
                    raise self._unreachable(ConnectionResetError("it ended the connection"))
        finally:
            with contextlib.suppress(DeviceError):
                await self._run(lambda task: subscription.end(), CLOSE_SECONDS, "its events")

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        """Carry out one change after another; stop at the first that fails."""
        return await one_by_one(changes, progress, self.carry_out)

    async def carry_out(self, change: HeadnodeChange, report: Report) -> None:
        """Carry out one change of a headnode; skip what is already in place.

        Raises DeviceError: ``missing`` (the image, its disk, or the headnode's domain), ``refused``
        (the image runs; something else has the name or UUID; libvirt refused), ``unreachable``,
        ``timeout``.
        """
        if isinstance(change, DefineHeadnode):
            await self._define(change, report)
        elif isinstance(change, SetHeadnodeNics):
            await self._set_nics(change, report)
        elif isinstance(change, SetHeadnodePower):
            await self._set_power(change, report)
        elif isinstance(change, DeleteHeadnode):
            await self._ask(lambda domains: domains.delete(change), change, report)
            await self._parking.tidy()
        else:
            raise TypeError(f"the hypervisor has no {type(change).__name__}")

    async def observe(self, changes: Sequence[HeadnodeChange]) -> list[Seen | DeviceError]:
        """Read the state of each headnode's domain.

        ``defined``: the domain exists and its overlays are complete; for a DeleteHeadnode: anything
        of it exists. ``nics`` has the present connections of a running headnode as well as those
        after its next start, so they match the wanted ones only if both do. VLAN 0, which is never
        wanted, means that a nic is on no VLAN's bridge: it is missing until the next start, its
        link is down, its tap is not admitted to the bridge, or it is connected to something else.
        Parked nics are left out. A nic that HaaS did not create is named by its MAC.
        """

        def read(task: Task[Any]) -> list[tuple[HeadnodeSeen, list[Tap]]]:
            domains = self._domains(task, lambda line: None)
            return [(domains.observe(change), domains.taps(change)) for change in changes]

        found = await self._run(read, self._timeout, "the headnodes")
        deaf = await self._taps.not_admitted([tap for _, taps in found for tap in taps])
        return [
            _with_deaf(seen, {tap.mac for tap in taps if tap.name in deaf}) for seen, taps in found
        ]

    async def capacity(self, images: Sequence[str]) -> Capacity | None:
        """Read what the host has, and which of these base images."""
        if self._images is not None:
            self._images.tidy_once()
        return await self._run(
            lambda task: capacity(self._libvirt, self._connection, images),
            self._timeout,
            "the host",
        )

    async def found_headnodes(self) -> list[FoundHeadnode]:
        """Read which domains HaaS has made."""
        return await self._run(
            lambda task: self._domains(task, ignore).found(), self._timeout, "the domains"
        )

    async def provide_image(
        self,
        image: str,
        report: Callable[[Transferred], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Copy a base image from the master, if it is not there."""
        if self._images is not None:
            await self._images.provide(image, report, stopped)

    async def _define(self, change: DefineHeadnode, report: Report) -> None:
        if not await self._ask(lambda domains: domains.define(change), change, report):
            await self._set_nics(SetHeadnodeNics(change.headnode, change.uuid, change.nics), report)

    async def _set_nics(self, change: SetHeadnodeNics, report: Report) -> None:
        if await self._ask(lambda domains: domains.must_park(change), change, report):
            await self._parking.provide()
        await self._ask(lambda domains: domains.set_nics(change), change, report)
        await self._admit(change, report)

    async def _set_power(self, change: SetHeadnodePower, report: Report) -> None:
        if change.running:
            await self._ask(lambda domains: domains.start(change), change, report)
            await self._admit(change, report)
            return
        grace = self._shutdown_grace
        await self._ask(lambda domains: domains.stop(change, grace), change, report)
        await self._parking.tidy()

    async def _admit(self, change: HeadnodeChange, report: Report) -> None:
        """Let the nics of a headnode, if it runs, carry frames."""
        taps = await self._ask(lambda domains: domains.taps(change), change, report)
        await self._taps.admit(taps)

    async def _ask(
        self, do: Callable[[Domains], Result], change: HeadnodeChange, report: Report
    ) -> Result:
        """Work on domains in the worker's thread; its lines are reported in this one."""
        name = domain_xml.domain_name(change.headnode)
        timeout = self._change_timeout + self._shutdown_grace
        return await self._run(
            lambda task: do(self._domains(task, task.relay(report))), timeout, name
        )

    def _domains(self, task: Task[Any], report: Report) -> Domains:
        return Domains(
            self._libvirt,
            self._connection,
            uri=self._uri,
            bridge_name=self._bridge_name,
            parking_bridge=self._parking.bridge,
            task=task,
            report=report,
            image_domain=self._images.domain_of if self._images is not None else None,
        )

    async def _run(
        self, function: Callable[[Task[Any]], Result], timeout: float, what: str
    ) -> Result:
        if self._connection is None:
            raise DeviceError(
                f"There is no connection to libvirt on {self._uri}.", reason="unreachable"
            )
        try:
            return await self._call(function, timeout)
        except self._libvirt.libvirtError as error:
            if is_lost(self._libvirt, self._connection, error):
                self._connection = None
                raise self._unreachable(error) from error
            raise DeviceError(
                f"libvirt on {self._uri} failed on {what}: {error}. Mend that, then apply again.",
                reason="refused",
            ) from error

    async def _call(self, function: Callable[[Task[Any]], Result], timeout: float) -> Result:
        try:
            return await self._worker.call(function, timeout)
        except TimeoutError as error:
            self._connection = None  # the abandoned thread may still hang in it
            raise DeviceError(
                f"libvirt on {self._uri} did not answer within {timeout:g} s: see what holds it up "
                "(systemctl status libvirtd), then apply again.",
                reason="timeout",
            ) from error
        except asyncio.CancelledError:
            self._connection = None
            raise
        except TooManyHanging as error:
            raise DeviceError(
                f"libvirt on {self._uri} has not answered several earlier calls and is not asked "
                "again before it does: restart it (systemctl restart libvirtd).",
                reason="unreachable",
            ) from error
        except Abandoned as error:
            raise DeviceError(
                "The work on the hypervisor was given up: apply again.", reason="timeout"
            ) from error

    def _unreachable(self, error: Exception) -> DeviceError:
        return unreachable(self._uri, error)


def _with_deaf(seen: HeadnodeSeen, macs: set[str]) -> Seen:
    """Add VLAN 0 to the nics with these MACs."""
    deaf = {HeadnodeNic(nic.nic, nic.mac, 0) for nic in seen.nics if nic.mac.lower() in macs}
    return msgspec.structs.replace(seen, nics=tuple(sorted({*seen.nics, *deaf})))
