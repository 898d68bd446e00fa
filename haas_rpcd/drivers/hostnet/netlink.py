"""The driver of the master's own network: for each VLAN in use, an interface and a bridge.

    eth0 (trunk nic) --- eth0.104 (802.1Q id 104) --- br-vlan104 --- taps of headnodes

The bridge connects a tenant's headnodes to the tenant's VLAN. It has no spanning tree, no
forwarding delay, no multicast snooping and no addresses, and the master's own IP stack ignores it
(:data:`haas_rpcd.drivers.hostnet.links.NO_IP`), so that no tenant can reach the master over it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haas_rpcd.drivers import Driver, Outcome, Progress, Report, Seen, ignore, one_by_one
from haas_rpcd.drivers.hostnet.iplines import preview_lines
from haas_rpcd.drivers.hostnet.links import Kernel
from haas_rpcd.drivers.hostnet.vlanbridge import VlanBridge
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PortConfig, PresenceSeen, SetBridge


class NetlinkDriver(Driver):
    """Creates and removes ``TRUNK.N`` and ``br-vlanN`` over netlink; needs CAP_NET_ADMIN."""

    continue_after_refusal = True  # VLANs do not depend on each other

    def __init__(self, trunk_nic: str) -> None:
        self._trunk_nic = trunk_nic
        self._kernel: Kernel | None = None

    def preview(
        self,
        changes: Sequence[SetBridge],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return the lines of ``ip`` and ``sysctl`` that do the same by hand."""
        return [preview_lines(self._trunk_nic, change) for change in changes]

    async def open(self, report: Report = ignore) -> None:
        """Open the netlink session. Raises DeviceError ``unreachable``."""
        if self._kernel is None:
            self._kernel = Kernel.connect()

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
        bridge = VlanBridge(self._session, self._trunk_nic, change.vlan, report)
        await (bridge.create() if change.present else bridge.remove())

    async def observe(self, changes: Sequence[SetBridge]) -> list[Seen | DeviceError]:
        """Read for each VLAN whether interface and bridge exist, are connected, and are up."""
        return [
            PresenceSeen(await VlanBridge(self._session, self._trunk_nic, change.vlan).complete())
            for change in changes
        ]

    @property
    def _session(self) -> Kernel:
        if self._kernel is None:
            raise DeviceError("The netlink session is not open.", reason="unreachable")
        return self._kernel
