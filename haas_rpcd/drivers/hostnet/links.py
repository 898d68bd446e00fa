"""The master's network interfaces, read and changed over netlink.

A typed view of an interface, and errors that say what to do. Sources: the documentation of Linux
(``ip-link(8)``, ``Documentation/networking/ip-sysctl``).
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pyroute2 import AsyncIPRoute
from pyroute2.netlink import (
    NLM_F_DUMP,
    NLM_F_REQUEST,
)
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nlsocket import NetlinkRequest
from pyroute2.netlink.rtnl import RTM_GETLINK
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from haas_rpcd.drivers.hostnet import sysctls
from haas_rpcd.drivers.hostnet.filters import VLAN, Filter
from haas_rpcd.drivers.hostnet.link import Link
from haas_rpcd.drivers.hostnet.network import (
    THIS_MACHINE,
    HostNetwork,
    PortVlan,
    admit_line,
    expel_line,
)
from haas_rpcd.drivers.hostnet.refusals import refused
from haas_rpcd.drivers.hostnet.traffic import TrafficControl
from haas_rpcd.errors import DeviceError

_UNTAGGED = 0x2 | 0x4  # BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED
_BRIDGE_FLAGS_SELF = 2


class Kernel(HostNetwork):
    """A netlink session with the network of this machine."""

    host = THIS_MACHINE

    def __init__(self, route: AsyncIPRoute) -> None:
        self._route = route
        self._traffic = TrafficControl(route)

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

    async def find_index(self, index: int) -> Link | None:
        """Return the interface with that index, or None."""
        try:
            found = await self._route.link("get", index=index)
        except NetlinkError as error:
            if error.code == errno.ENODEV:
                return None
            raise refused(f"look at interface {index}", error) from error
        return Link.read(found[0])

    async def ports(self, bridge: Link) -> list[Link]:
        """Return the ports of a bridge, in the order of their names."""
        # pyroute2 itself would read all interfaces, and pick out the ports.
        message = ifinfmsg()
        message["attrs"] = [("IFLA_MASTER", bridge.index)]
        found = await self._send(message, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP)
        ports = [Link.read(one) for one in found]
        return sorted((p for p in ports if p.master == bridge.index), key=lambda port: port.name)

    async def _send(self, message: Any, kind: int, flags: int) -> list[Any]:
        request = NetlinkRequest(self._route, message, msg_type=kind, msg_flags=flags)
        await request.send()
        return [one async for one in request.response()]

    async def find_vlan(self, trunk: Link, vlan: int) -> Link | None:
        """Return the 802.1Q interface with this id on the trunk nic, under any name.

        This reads all interfaces (about 0.3 ms each), so it is only called if the name is unknown.
        """
        async for message in await self._route.link("dump"):
            link = Link.read(message)
            if link.kind == "vlan" and link.link == trunk.index and link.vlan == vlan:
                return link
        return None

    async def taps_without_bridge(self) -> list[Link]:
        """Return the taps that are in no bridge. Reads all interfaces, as :meth:`find_vlan`."""
        links = [Link.read(message) async for message in await self._route.link("dump")]
        return [link for link in links if link.is_tap and link.master is None]

    async def addresses(self) -> dict[int, list[str]]:
        """Return the addresses of all interfaces, by index: ``10.0.0.1/24``, ``fe80::1/64``."""
        found: dict[int, list[str]] = {}
        async for message in await self._route.addr("dump"):
            address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
            found.setdefault(message["index"], []).append(f"{address}/{message['prefixlen']}")
        return found

    async def remove_address(self, link: Link, address: str) -> None:
        """Remove an address."""
        alone, _, length = address.partition("/")
        try:
            await self._route.addr("del", index=link.index, address=alone, prefixlen=int(length))
        except NetlinkError as error:
            if error.code != errno.EADDRNOTAVAIL:  # it went with another, as secondaries do
                line = f"ip address delete {address} dev {link.name}"
                raise refused(line, error) from error

    async def port_vlans(self) -> dict[int, list[PortVlan]]:
        """Return the VLANs of all bridge ports, and of bridges themselves, by their indexes."""
        found: dict[int, list[PortVlan]] = {}
        async for message in await self._route.get_vlans():
            spec = message.get_attr("IFLA_AF_SPEC")
            for vlan in [] if spec is None else spec.get_attrs("IFLA_BRIDGE_VLAN_INFO"):
                one = (vlan["vid"], vlan["flags"] & _UNTAGGED == _UNTAGGED)
                found.setdefault(message["index"], []).append(one)
        return found

    async def admit(self, link: Link) -> None:
        """Let a bridge's port carry untagged frames."""
        info = {"vid": VLAN, "flags": _UNTAGGED}
        try:
            await self._route.vlan_filter("add", index=link.index, vlan_info=info)
        except NetlinkError as error:
            raise refused(admit_line(link.name), error) from error

    async def expel(self, link: Link, vlan: int) -> None:
        """Remove a bridge's port, or the bridge itself, from a VLAN inside the bridge."""
        settings: dict[str, Any] = {"index": link.index, "vlan_info": {"vid": vlan}}
        if link.kind == "bridge":
            settings["vlan_flags"] = _BRIDGE_FLAGS_SELF
        try:
            await self._route.vlan_filter("del", **settings)
        except NetlinkError as error:
            raise refused(expel_line(link, vlan), error) from error

    async def change(self, line: str, command: str, **settings: Any) -> None:
        """Send one command; ``line`` names it in an error."""
        try:
            await self._route.link(command, **settings)
        except NetlinkError as error:
            raise refused(line, error) from error

    async def filters(self, link: Link) -> list[Filter]:
        """Return the filters of an interface, in the order in which they are tried."""
        return await self._traffic.read(link)

    async def set_filters(self, link: Link, wanted: Sequence[Filter]) -> list[str]:
        """Make an interface have exactly these filters; return the lines of what was changed."""
        return await self._traffic.set(link, wanted)

    async def has_ipv6(self) -> bool:
        """Return whether the kernel has IPv6."""
        return sysctls.has_ipv6()

    async def wrong_sysctls(
        self, name: str, settings: Mapping[str, str] = sysctls.NO_IP
    ) -> list[tuple[str, str]]:
        """Return the settings of an interface that are not as given, with their present values."""
        return sysctls.wrong(name, settings)

    async def keep_ip_off(
        self, name: str, settings: Mapping[str, str] = sysctls.NO_IP
    ) -> list[str]:
        """Make these settings of an interface; return the lines of what was changed."""
        return sysctls.keep_ip_off(name, settings)


@asynccontextmanager
async def kernel() -> AsyncIterator[Kernel]:
    """A netlink session for a few commands."""
    session = Kernel.connect()
    try:
        yield session
    finally:
        session.close()
