"""The parking bridge: where a nic goes that is disconnected from a running headnode.

A nic cannot be removed from a running machine without the guest's cooperation (firmware such as
iPXE does not cooperate), but its tap can move to another bridge at once. The parking bridge is
never up, so it forwards nothing, not even between the nics on it.
"""

from __future__ import annotations

from typing import Protocol

from haas_rpcd.drivers.hostnet import filters
from haas_rpcd.drivers.hostnet.iplines import BRIDGE_SETTINGS, NO_ADDRESSES, add_bridge
from haas_rpcd.drivers.hostnet.link import Link
from haas_rpcd.drivers.hostnet.links import kernel
from haas_rpcd.drivers.hostnet.network import HostNetwork, Sessions, no_addresses
from haas_rpcd.errors import DeviceError

PARKING_BRIDGE = "haas-parked"


class Parking(Protocol):
    """What the hypervisor's driver needs for disconnected nics."""

    @property
    def bridge(self) -> str:
        """The name of the parking bridge."""
        ...

    async def provide(self) -> None:
        """Create the bridge if it is missing. Raises DeviceError."""
        ...

    async def tidy(self) -> None:
        """Remove the bridge if no nic is parked on it. Raises DeviceError."""
        ...


class KernelParking:
    """The parking bridge of a host, created when it is first needed.

    ``sessions`` opens sessions with the host's network: by default this machine's.
    """

    bridge = PARKING_BRIDGE

    def __init__(self, sessions: Sessions = kernel) -> None:
        self._sessions = sessions

    async def provide(self) -> None:
        """Create the bridge if it is missing, and leave it down.

        Raises DeviceError ``refused`` without CAP_NET_ADMIN, or if the name is taken.
        """
        async with self._sessions() as session:
            found = await session.find(self.bridge)
            if found is None:
                settings = {f"br_{key}": value for key, value in BRIDGE_SETTINGS.items()}
                line = add_bridge(self.bridge)
                await session.change(line, "add", ifname=self.bridge, kind="bridge", **settings)
                found = await session.find(self.bridge)
            _check(session, found)
            if found is not None:
                ipv6 = await session.has_ipv6()
                suffix, alias = NO_ADDRESSES if ipv6 else "", self.bridge
                line = f"ip link set {self.bridge} alias {alias}{suffix}"
                settings = no_addresses(ipv6)
                await session.change(line, "set", index=found.index, ifalias=alias, **settings)
                await session.keep_ip_off(self.bridge)
                await session.set_filters(found, filters.BRIDGE)

    async def tidy(self) -> None:
        """Remove the bridge if it exists and no nic is parked on it.

        Raises DeviceError ``refused`` without CAP_NET_ADMIN.
        """
        async with self._sessions() as session:
            found = await session.find(self.bridge)
            if found is None or found.kind != "bridge" or await session.ports(found):
                return
            await session.change(f"ip link delete {self.bridge}", "del", index=found.index)


def _check(session: HostNetwork, found: Link | None) -> None:
    if found is None or found.kind != "bridge" or found.up:
        raise DeviceError(
            f"{PARKING_BRIDGE} on {session.host.phrase} is not the bridge that disconnected nics "
            "are parked on (a bridge that is down): remove it with `ip link delete "
            f"{PARKING_BRIDGE}`, then apply again.",
            reason="refused",
        )
