"""The master's network interfaces, read and changed over netlink.

A typed view of an interface, and errors that say what to do. Sources: the documentation of Linux
(``ip-link(8)``, ``Documentation/networking/ip-sysctl``).
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError

from haas_rpcd.errors import DeviceError

IFF_UP = 0x1
IFF_NOARP = 0x80
NAME_BYTES = 15
"""Maximum length of an interface name: the kernel's IFNAMSIZ is 16, including a final zero."""

NO_IPV6_ADDRESSES = {
    "IFLA_AF_SPEC": {"attrs": [("AF_INET6", {"attrs": [("IFLA_INET6_ADDR_GEN_MODE", 1)]})]}
}
"""``addrgenmode none``: the interface creates no link-local address when it comes up."""

SYSCTLS = Path("/proc/sys/net")

NO_IP = {
    "ipv6/conf/{}/disable_ipv6": "1",
    "ipv4/conf/{}/forwarding": "0",
    "ipv4/conf/{}/rp_filter": "1",
    "ipv4/conf/{}/arp_ignore": "8",
}
"""Settings that keep the master itself out of a tenant's network.

A bridge without addresses is not enough. Linux answers for all its addresses on every interface,
and accepts addresses and routes from IPv6 router advertisements. So a tenant could reach the
master's services or give it a default route. ``rp_filter`` 1 drops packets whose sender is not
routed over this interface; without addresses, that is every packet. ``arp_ignore`` 8 answers no ARP
request. With CAP_NET_ADMIN these files can be written without being root.
"""

_ADVICE = {
    errno.EPERM: "The kernel does not allow it: haas-rpcd needs the capability CAP_NET_ADMIN "
    "(the systemd unit grants it by AmbientCapabilities=CAP_NET_ADMIN).",
    errno.EOPNOTSUPP: "This kernel does not know that kind of interface: load its module with  "
    "modprobe -a 8021q bridge  .",
}


@dataclass(frozen=True)
class Link:
    """One network interface. ``link`` is the index of the interface below it (for VLANs)."""

    index: int
    name: str
    kind: str | None
    up: bool
    mtu: int
    master: int | None
    link: int | None
    vlan: int | None
    arp: bool

    @classmethod
    def read(cls, message: Any) -> Link:
        """Parse the kernel's RTM_NEWLINK message."""
        info = message.get_attr("IFLA_LINKINFO")
        data = info.get_attr("IFLA_INFO_DATA") if info is not None else None
        kind = info.get_attr("IFLA_INFO_KIND") if info is not None else None
        return cls(
            index=message["index"],
            name=message.get_attr("IFLA_IFNAME"),
            kind=kind,
            up=bool(message["flags"] & IFF_UP),
            mtu=message.get_attr("IFLA_MTU"),
            master=message.get_attr("IFLA_MASTER"),
            link=message.get_attr("IFLA_LINK"),
            vlan=data.get_attr("IFLA_VLAN_ID") if kind == "vlan" and data is not None else None,
            arp=not message["flags"] & IFF_NOARP,
        )

    @property
    def is_tap(self) -> bool:
        """True for the host's end of a virtual machine's nic."""
        return self.kind == "tun"


class Kernel:
    """A netlink session. Every method raises DeviceError with a sentence."""

    def __init__(self, route: AsyncIPRoute) -> None:
        self._route = route

    @classmethod
    def connect(cls) -> Kernel:
        """Open the session in the network namespace of the calling thread."""
        try:
            return cls(AsyncIPRoute())
        except OSError as error:
            raise DeviceError(
                f"The kernel's network cannot be talked to over netlink: {error.strerror}.",
                reason="unreachable",
            ) from error

    def close(self) -> None:
        """End the session."""
        self._route.close()

    async def find(self, name: str) -> Link | None:
        """Return the interface of that name, or None."""
        try:
            found = await self._route.link("get", ifname=name)
        except NetlinkError as error:
            if error.code == errno.ENODEV:
                return None
            raise refused(f"look at {name}", error) from error
        return Link.read(found[0])

    async def ports(self, bridge: Link) -> list[Link]:
        """Return the ports of a bridge, in the order of their names."""
        answer = await self._route.link("dump", master=bridge.index)
        return sorted([Link.read(message) async for message in answer], key=lambda port: port.name)

    async def find_vlan(self, trunk: Link, vlan: int) -> Link | None:
        """Return the 802.1Q interface with this id on the trunk nic, under any name.

        This reads all interfaces (about 0.3 ms each), so it is only called if the name is unknown.
        """
        async for message in await self._route.link("dump"):
            link = Link.read(message)
            if link.kind == "vlan" and link.link == trunk.index and link.vlan == vlan:
                return link
        return None

    async def change(self, line: str, command: str, **settings: Any) -> None:
        """Send one command; ``line`` names it in an error."""
        try:
            await self._route.link(command, **settings)
        except NetlinkError as error:
            raise refused(line, error) from error


@asynccontextmanager
async def kernel() -> AsyncIterator[Kernel]:
    """A netlink session for a few commands."""
    session = Kernel.connect()
    try:
        yield session
    finally:
        session.close()


def refused(what: str, error: NetlinkError) -> DeviceError:
    """Return the error for the kernel's refusal of ``what``."""
    advice = _ADVICE.get(error.code, f"The kernel says: {error.args[-1]}.")
    return DeviceError(
        f'"{what}" was refused on the master. {advice}', reason="refused", errno=error.code
    )


def sysctl_line(template: str, name: str) -> str:
    """Return the line that sets one of :data:`NO_IP` by hand."""
    # With slashes, because a dot in an interface's name would split it in two.
    return f"sysctl -w net/{template.format(name)}={NO_IP[template]}"


def keep_ip_off(name: str) -> list[str]:
    """Make the master's own IP stack ignore the interface; return the lines of what was changed.

    Raises DeviceError if a setting cannot be written. The bridge must not come up then.
    """
    written = []
    for template, value in NO_IP.items():
        path = SYSCTLS / template.format(name)
        try:
            if path.read_text().strip() != value:
                path.write_text(value)
                written.append(sysctl_line(template, name))
        except FileNotFoundError:
            continue  # a kernel without IPv6 needs no setting for it
        except OSError as error:
            raise DeviceError(
                f"The master's own IP cannot be kept off {name}: writing {value} to {path} failed "
                f"({error.strerror}). haas-rpcd needs CAP_NET_ADMIN and a writable /proc/sys/net "
                "(no ProtectKernelTunables= in its systemd unit).",
                reason="refused",
            ) from error
    return written
