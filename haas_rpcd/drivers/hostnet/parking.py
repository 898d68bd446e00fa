"""The parking bridge: where a nic goes that is disconnected from a running headnode.

A nic cannot be removed from a running machine without the guest's cooperation (firmware such as
iPXE does not cooperate), but its tap can move to another bridge at once. The parking bridge is
never up, so it forwards nothing, not even between the nics on it.
"""

from __future__ import annotations

from typing import Protocol

from haas_rpcd.drivers.hostnet import filters
from haas_rpcd.drivers.hostnet.iplines import BRIDGE_SETTINGS, add_bridge
from haas_rpcd.drivers.hostnet.link import Link
from haas_rpcd.drivers.hostnet.links import kernel, no_addresses
from haas_rpcd.drivers.hostnet.sysctls import keep_ip_off
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
    """The parking bridge on this machine, created over netlink when it is first needed."""

    bridge = PARKING_BRIDGE

    async def provide(self) -> None:
        """Create the bridge if it is missing, and leave it down.

        Raises DeviceError ``refused`` without CAP_NET_ADMIN, or if the name is taken.
        """
        async with kernel() as session:
            found = await session.find(self.bridge)
            if found is None:
                settings = {f"br_{key}": value for key, value in BRIDGE_SETTINGS.items()}
                line = add_bridge(self.bridge)
                await session.change(line, "add", ifname=self.bridge, kind="bridge", **settings)
                found = await session.find(self.bridge)
            _check(found)
            if found is not None:
                line = f"ip link set {self.bridge} alias {self.bridge} addrgenmode none"
                await session.change(
                    line, "set", index=found.index, ifalias=self.bridge, **no_addresses()
                )
                keep_ip_off(self.bridge)
                await session.traffic.set(found, filters.BRIDGE)

    async def tidy(self) -> None:
        """Remove the bridge if it exists and no nic is parked on it.

        Raises DeviceError ``refused`` without CAP_NET_ADMIN.
        """
        async with kernel() as session:
            found = await session.find(self.bridge)
            if found is None or found.kind != "bridge" or await session.ports(found):
                return
            await session.change(f"ip link delete {self.bridge}", "del", index=found.index)


def _check(found: Link | None) -> None:
    if found is None or found.kind != "bridge" or found.up:
        raise DeviceError(
            f"{PARKING_BRIDGE} on the master is not the bridge that disconnected nics are parked "
            f"on (a bridge that is down): remove it with `ip link delete {PARKING_BRIDGE}`, then "
            "apply again.",
            reason="refused",
        )
