"""The network of this machine, over netlink."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager

from haas_rpcd import boottime
from haas_rpcd.drivers.hostnet.driver import HeadnodeMacs, Host, HostNetworkDriver, no_headnodes
from haas_rpcd.drivers.hostnet.linkevents import link_events, settings_polled
from haas_rpcd.drivers.hostnet.links import kernel
from haas_rpcd.drivers.hostnet.network import HostNetwork


class ThisMachine(Host):
    """The machine that the daemon runs on."""

    def session(self) -> AbstractAsyncContextManager[HostNetwork]:
        """Open a netlink session. Raises DeviceError ``unreachable``."""
        return kernel()

    async def prepare(self, session: HostNetwork, trunk_nic: str) -> None:
        """Nothing: single look-ups by netlink are fast, and dumps of everything are not."""

    def refresh(self, session: HostNetwork) -> None:
        """Nothing: each look-up asks the kernel."""

    async def events(
        self, trunk_nic: str, changed: Callable[[], None]
    ) -> AsyncGenerator[str, None]:
        """Yield the name of each interface that changes, and once ``""`` to begin with."""
        async with (
            contextlib.aclosing(link_events(trunk_nic)) as events,
            settings_polled(trunk_nic, changed),
        ):
            async for name in events:
                yield name

    async def boot_id(self) -> str | None:
        """Return what identifies the present boot of this machine."""
        return boottime.now().boot


def netlink_driver(
    trunk_nic: str,
    macs: HeadnodeMacs = no_headnodes,
    *,
    any_source: Callable[[], bool] = lambda: False,
) -> HostNetworkDriver:
    """Return the driver of this machine's network."""
    return HostNetworkDriver(ThisMachine(), trunk_nic, macs, any_source=any_source)
