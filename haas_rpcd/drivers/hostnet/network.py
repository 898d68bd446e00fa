"""What the driver of a host's network needs of a session with that host.

There are two: netlink on this machine (:mod:`haas_rpcd.drivers.hostnet.links`), and iproute2 over
SSH on another one (:mod:`haas_rpcd.drivers.hostnet.iproute2`). What is made, and what counts as
wrong, is decided in one place for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol

from haas_rpcd.drivers.hostnet.filters import VLAN, Filter
from haas_rpcd.drivers.hostnet.link import NO_ADDRESSES, Link
from haas_rpcd.drivers.hostnet.sysctls import NO_IP

PortVlan = tuple[int, bool]
"""A VLAN id of a port inside a bridge, and whether it is the port's untagged one."""

ADMITTED: list[PortVlan] = [(VLAN, True)]
"""The VLANs of a port that HaaS has admitted."""


class HostName(NamedTuple):
    """How sentences name a host, and where its trunk nic is configured."""

    phrase: str
    trunk_setting: str

    @property
    def subject(self) -> str:
        """The phrase at the beginning of a sentence."""
        return self.phrase[:1].upper() + self.phrase[1:]


THIS_MACHINE = HostName("the master", "as trunk_nic in [master] of haas.toml")


class HostNetwork(Protocol):
    """A session with the network of a host. Every method raises DeviceError with a sentence."""

    host: HostName
    """How sentences name the host."""

    async def find(self, name: str) -> Link | None:
        """Return the interface of that name, or None."""
        ...

    async def find_index(self, index: int) -> Link | None:
        """Return the interface with that index, or None."""
        ...

    async def ports(self, bridge: Link) -> list[Link]:
        """Return the ports of a bridge, in the order of their names."""
        ...

    async def find_vlan(self, trunk: Link, vlan: int) -> Link | None:
        """Return the 802.1Q interface with this id on the trunk nic, under any name."""
        ...

    async def taps_without_bridge(self) -> list[Link]:
        """Return the taps that are in no bridge."""
        ...

    async def addresses(self) -> dict[int, list[str]]:
        """Return the addresses of all interfaces, by index: ``10.0.0.1/24``, ``fe80::1/64``."""
        ...

    async def remove_address(self, link: Link, address: str) -> None:
        """Remove an address."""
        ...

    async def port_vlans(self) -> dict[int, list[PortVlan]]:
        """Return the VLANs of all bridge ports, and of bridges themselves, by their indexes."""
        ...

    async def admit(self, link: Link) -> None:
        """Let a bridge's port carry untagged frames."""
        ...

    async def expel(self, link: Link, vlan: int) -> None:
        """Remove a bridge's port, or the bridge itself, from a VLAN inside the bridge."""
        ...

    async def change(self, line: str, command: str, **settings: Any) -> None:
        """Change an interface. ``line`` is what ``ip`` does; ``command`` the same for netlink."""
        ...

    async def filters(self, link: Link) -> list[Filter]:
        """Return the filters of an interface, in the order in which they are tried."""
        ...

    async def set_filters(self, link: Link, wanted: Sequence[Filter]) -> list[str]:
        """Make an interface have exactly these filters; return the lines of what was changed."""
        ...

    async def has_ipv6(self) -> bool:
        """Return whether the kernel has IPv6. Without it, it refuses settings of IPv6."""
        ...

    async def wrong_sysctls(
        self, name: str, settings: Mapping[str, str] = NO_IP
    ) -> list[tuple[str, str]]:
        """Return the settings of an interface that are not as given, with their present values."""
        ...

    async def keep_ip_off(self, name: str, settings: Mapping[str, str] = NO_IP) -> list[str]:
        """Make these settings of an interface; return the lines of what was changed."""
        ...


Sessions = Callable[[], AbstractAsyncContextManager[HostNetwork]]
"""Opens a session for a few commands."""


def no_addresses(ipv6: bool) -> dict[str, Any]:
    """Return what netlink calls ``addrgenmode none``; nothing for a kernel without IPv6."""
    if not ipv6:
        return {}
    mode = {"attrs": [("IFLA_INET6_ADDR_GEN_MODE", NO_ADDRESSES)]}
    return {"IFLA_AF_SPEC": {"attrs": [("AF_INET6", mode)]}}


def admit_line(name: str) -> str:
    """Return the line that lets a bridge's port carry untagged frames."""
    return f"bridge vlan add dev {name} vid {VLAN} pvid untagged"


def expel_line(link: Link, vlan: int) -> str:
    """Return the line that removes a bridge's port, or the bridge itself, from a VLAN."""
    suffix = " self" if link.kind == "bridge" else ""
    return f"bridge vlan delete dev {link.name} vid {vlan}{suffix}"
