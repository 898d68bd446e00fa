"""The driver of a host's network: for each VLAN in use, an interface and a bridge.

    eth0 (trunk nic) --- eth0.104 (802.1Q id 104) --- br-vlan104 --- taps of headnodes

The bridge connects a tenant's headnodes to the tenant's VLAN. It has no spanning tree, no
forwarding delay, no multicast snooping and no addresses. The host's own stack neither hears nor
sends anything on these interfaces (:mod:`haas_rpcd.drivers.hostnet.filters`), and a port carries
nothing before HaaS has admitted it (:data:`haas_rpcd.drivers.hostnet.iplines.BRIDGE_SETTINGS`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import Any, Protocol

from haas_rpcd.drivers import MasterDriver, Outcome, Progress, Report, Seen, ignore, one_by_one
from haas_rpcd.drivers.hostnet.inspection import View, inspect
from haas_rpcd.drivers.hostnet.iplines import preview_lines
from haas_rpcd.drivers.hostnet.network import HostNetwork
from haas_rpcd.drivers.hostnet.segment import Segment
from haas_rpcd.drivers.hostnet.vlanbridge import VlanBridge
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PortConfig, SetBridge

HeadnodeMacs = Callable[[int], Awaitable[Mapping[str, bool]]]
"""Returns the MACs of the headnodes' nics that are on a VLAN (true), or may be (false)."""


async def no_headnodes(vlan: int) -> Mapping[str, bool]:
    """Return no MACs: no headnode is on the VLAN."""
    return {}


class Host(Protocol):
    """A host with a trunk nic: this machine, or another one."""

    def session(self) -> AbstractAsyncContextManager[HostNetwork]:
        """Open a session with its network. Raises DeviceError."""
        ...

    async def prepare(self, session: HostNetwork, trunk_nic: str) -> None:
        """Read beforehand, in one go, what :func:`inspect` will ask for."""
        ...

    def refresh(self, session: HostNetwork) -> None:
        """Let a session read again what it has read before."""
        ...

    def events(self, trunk_nic: str, changed: Callable[[], None]) -> AsyncGenerator[str, None]:
        """Yield something for each change of an interface of HaaS's, and once to begin with.

        ``changed`` is called for changes that have no event. Raises DeviceError if events are
        lost.
        """
        ...

    async def boot_id(self) -> str | None:
        """Return what identifies its present boot."""
        ...


class HostNetworkDriver(MasterDriver):
    """Creates and removes ``TRUNK.N`` and ``br-vlanN`` on a host; needs CAP_NET_ADMIN there.

    ``any_source``: whether headnodes may send from any MAC.
    """

    def __init__(
        self,
        host: Host,
        trunk_nic: str,
        macs: HeadnodeMacs = no_headnodes,
        *,
        any_source: Callable[[], bool] = lambda: False,
    ) -> None:
        self._host = host
        self._trunk_nic = trunk_nic
        self._macs = macs
        self._any_source = any_source
        self._open = AsyncExitStack()
        self._network: HostNetwork | None = None

    def preview(
        self,
        changes: Sequence[SetBridge],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return the command lines that do the same by hand."""
        return [preview_lines(self._trunk_nic, change) for change in changes]

    async def open(self, report: Report = ignore) -> None:
        """Open a session with the host's network. Raises DeviceError."""
        if self._network is None:
            self._network = await self._open.enter_async_context(self._host.session())

    async def watch(self, changed: Callable[[], None]) -> None:
        """Report each change of an interface of HaaS's, or of a bridge's port: of the link itself,
        its addresses, its filters, and its settings.

        Raises DeviceError if events are lost.
        """
        async with aclosing(self._host.events(self._trunk_nic, changed)) as events:
            async for _ in events:
                changed()

    async def boot_id(self) -> str | None:
        """Return what identifies the host's present boot."""
        return await self._host.boot_id()

    async def close(self) -> None:
        """End the session."""
        self._network = None
        await self._open.aclose()

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        """Carry out one change after another; stop at the first that fails."""
        return await one_by_one(changes, progress, self.carry_out)

    async def carry_out(self, change: SetBridge, report: Report) -> None:
        """Create or remove the VLAN's interface and bridge; skip what is already in place.

        Raises DeviceError: ``missing`` (no such trunk nic), ``refused`` (no CAP_NET_ADMIN, an
        interface of that name is something else, virtual machines are still on the bridge).
        """
        if not isinstance(change, SetBridge):
            raise TypeError(f"a host's network has no {type(change).__name__}")
        self._host.refresh(self._session)
        bridge = VlanBridge(await self._segment(change.vlan), report)
        await (bridge.create() if change.present else bridge.remove())

    async def observe(self, changes: Sequence[SetBridge]) -> list[Seen | DeviceError]:
        """Read for each VLAN what is there of interface and bridge, and what is wrong with it."""
        await self._host.prepare(self._session, self._trunk_nic)
        view = await View.read(self._session, self._trunk_nic)
        return [await inspect(await self._segment(change.vlan), view) for change in changes]

    async def _segment(self, vlan: int) -> Segment:
        macs = await self._macs(vlan)
        return Segment(self._session, self._trunk_nic, vlan, macs, self._any_source())

    @property
    def _session(self) -> HostNetwork:
        if self._network is None:
            raise DeviceError("The session with the host is not open.", reason="unreachable")
        return self._network
