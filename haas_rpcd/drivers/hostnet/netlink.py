"""The driver of the master's own network: for each VLAN in use, an interface and a bridge.

    eth0 (trunk nic) --- eth0.104 (802.1Q id 104) --- br-vlan104 --- taps of headnodes

The bridge connects a tenant's headnodes to the tenant's VLAN. It has no spanning tree, no
forwarding delay, no multicast snooping and no addresses. The master's own stack neither hears nor
sends anything on these interfaces (:mod:`haas_rpcd.drivers.hostnet.filters`), and a port carries
nothing before HaaS has admitted it (:data:`haas_rpcd.drivers.hostnet.iplines.BRIDGE_SETTINGS`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from haas_rpcd import boottime
from haas_rpcd.drivers import MasterDriver, Outcome, Progress, Report, Seen, ignore, one_by_one
from haas_rpcd.drivers.hostnet.inspection import View, inspect
from haas_rpcd.drivers.hostnet.iplines import preview_lines
from haas_rpcd.drivers.hostnet.linkevents import link_events, settings_polled
from haas_rpcd.drivers.hostnet.links import Kernel
from haas_rpcd.drivers.hostnet.segment import Segment
from haas_rpcd.drivers.hostnet.vlanbridge import VlanBridge
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PortConfig, SetBridge

HeadnodeMacs = Callable[[int], Awaitable[Mapping[str, bool]]]
"""Returns the MACs of the headnodes' nics that are on a VLAN (true), or may be (false)."""


async def no_headnodes(vlan: int) -> Mapping[str, bool]:
    """Return no MACs: no headnode is on the VLAN."""
    return {}


class NetlinkDriver(MasterDriver):
    """Creates and removes ``TRUNK.N`` and ``br-vlanN`` over netlink; needs CAP_NET_ADMIN.

    ``any_source``: whether headnodes may send from any MAC.
    """

    def __init__(
        self,
        trunk_nic: str,
        macs: HeadnodeMacs = no_headnodes,
        *,
        any_source: Callable[[], bool] = lambda: False,
    ) -> None:
        self._trunk_nic = trunk_nic
        self._macs = macs
        self._any_source = any_source
        self._kernel: Kernel | None = None

    def preview(
        self,
        changes: Sequence[SetBridge],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return the command lines that do the same by hand."""
        return [preview_lines(self._trunk_nic, change) for change in changes]

    async def open(self, report: Report = ignore) -> None:
        """Open the netlink session. Raises DeviceError ``unreachable``."""
        if self._kernel is None:
            self._kernel = Kernel.connect()

    async def watch(self, changed: Callable[[], None]) -> None:
        """Report each change of an interface of HaaS's, or of a bridge's port: of the link itself,
        its addresses, its filters, and its settings.

        Raises DeviceError if events are lost.
        """
        async with (
            contextlib.aclosing(link_events(self._trunk_nic)) as events,
            settings_polled(self._trunk_nic, changed),
        ):
            async for _ in events:
                changed()

    async def boot_id(self) -> str | None:
        """Return what identifies the present boot of this machine."""
        return boottime.now().boot

    async def close(self) -> None:
        """End the netlink session."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        """Carry out one change after another; stop at the first that fails."""
        return await one_by_one(changes, progress, self.carry_out)

    async def carry_out(self, change: SetBridge, report: Report) -> None:
        """Create or remove the VLAN's interface and bridge; skip what is already in place.

        Raises DeviceError: ``missing`` (no such trunk nic), ``refused`` (no CAP_NET_ADMIN, an
        interface of that name is something else, virtual machines are still on the bridge).
        """
        if not isinstance(change, SetBridge):
            raise TypeError(f"the master's network has no {type(change).__name__}")
        bridge = VlanBridge(await self._segment(change.vlan), report)
        await (bridge.create() if change.present else bridge.remove())

    async def observe(self, changes: Sequence[SetBridge]) -> list[Seen | DeviceError]:
        """Read for each VLAN what is there of interface and bridge, and what is wrong with it."""
        view = await View.read(self._session, self._trunk_nic)
        return [await inspect(await self._segment(change.vlan), view) for change in changes]

    async def _segment(self, vlan: int) -> Segment:
        macs = await self._macs(vlan)
        return Segment(self._session, self._trunk_nic, vlan, macs, self._any_source())

    @property
    def _session(self) -> Kernel:
        if self._kernel is None:
            raise DeviceError("The netlink session is not open.", reason="unreachable")
        return self._kernel
