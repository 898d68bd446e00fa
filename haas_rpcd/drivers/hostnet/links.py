"""The master's network interfaces, read and changed over netlink.

A typed view of an interface, and errors that say what to do. Sources: the documentation of Linux
(``ip-link(8)``, ``Documentation/networking/ip-sysctl``).
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from pyroute2 import AsyncIPRoute
from pyroute2.netlink import (
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    NLM_F_REQUEST,
    nlmsg,
)
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nlsocket import NetlinkRequest
from pyroute2.netlink.rtnl import RTM_GETLINK, RTM_NEWTFILTER
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.tcmsg import tcmsg

from haas_rpcd.drivers.hostnet import filters, sysctls
from haas_rpcd.drivers.hostnet.filters import VLAN, Filter
from haas_rpcd.errors import DeviceError

IFF_UP = 0x1
IFF_NOARP = 0x80
NAME_BYTES = 15
"""Maximum length of an interface name: the kernel's IFNAMSIZ is 16, including a final zero."""

PortVlan = tuple[int, bool]
"""A VLAN id of a port inside a bridge, and whether it is the port's untagged one."""

ADMITTED: list[PortVlan] = [(VLAN, True)]
"""The VLANs of a port that HaaS has admitted."""

_NO_ADDRESSES = 1  # IN6_ADDR_GEN_MODE_NONE
_UNTAGGED = 0x2 | 0x4  # BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED
_BRIDGE_FLAGS_SELF = 2

_ADVICE = {
    errno.EPERM: "The kernel does not allow it: haas-rpcd needs the capability CAP_NET_ADMIN "
    "(the systemd unit grants it by AmbientCapabilities=CAP_NET_ADMIN).",
    errno.EOPNOTSUPP: "This kernel does not know that kind of interface: load its module with  "
    "modprobe -a 8021q bridge  .",
    errno.ENOENT: "This kernel does not know that kind of filter: load its modules with  "
    "modprobe -a sch_ingress cls_matchall cls_u32 act_gact act_vlan  .",
}


@dataclass(frozen=True)
class Link:
    """One network interface.

    ``link`` is the index of the interface below it (for VLANs). ``makes_addresses``: it creates an
    IPv6 address when it comes up. ``settings`` are a bridge's, by their names in ``ip``.
    """

    index: int
    name: str
    kind: str | None
    up: bool
    mtu: int
    master: int | None
    link: int | None
    vlan: int | None
    arp: bool
    mac: str
    alias: str | None
    makes_addresses: bool
    settings: Mapping[str, int]

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
            mac=message.get_attr("IFLA_ADDRESS") or "",
            alias=message.get_attr("IFLA_IFALIAS"),
            makes_addresses=_makes_addresses(message),
            settings=_settings(data) if kind == "bridge" and data is not None else {},
        )

    @property
    def is_tap(self) -> bool:
        """True for the host's end of a virtual machine's nic."""
        return self.kind == "tun"


def _makes_addresses(message: Any) -> bool:
    families = message.get_attr("IFLA_AF_SPEC")
    inet6 = None if families is None else families.get_attr("AF_INET6")
    mode = None if inet6 is None else inet6.get_attr("IFLA_INET6_ADDR_GEN_MODE")
    return mode is not None and mode != _NO_ADDRESSES


def _settings(data: Any) -> dict[str, int]:
    prefix = "IFLA_BR_"
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in data["attrs"]
        if name.startswith(prefix) and isinstance(value, int)
    }


class _U32(nlmsg):  # type: ignore[misc]
    """A filter of kind ``u32`` with options that are encoded already.

    It is no subclass of pyroute2's tcmsg, because that would inherit its compiled attributes.
    """

    prefix = "TCA_"
    fields = tcmsg.fields
    nla_map = (("TCA_UNSPEC", "none"), ("TCA_KIND", "asciiz"), ("TCA_OPTIONS", "cdata"))


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

    async def filters(self, link: Link) -> list[Filter]:
        """Return the filters of an interface, in the order in which they are tried."""
        found = []
        for hook in _HOOKS:
            async for message in await self._route.get_filters(
                index=link.index, parent=filters.HOOKS[hook]
            ):
                parsed = filters.read(hook, message)
                if parsed is not None:
                    found.append(parsed)
        return sorted(found, key=lambda each: (each.hook != "ingress", each.prio))

    async def set_filters(self, link: Link, wanted: Sequence[Filter]) -> list[str]:
        """Make an interface have exactly these filters; return the lines of what was changed."""
        present = await self.filters(link)
        lines = []
        for one in present:
            if one not in wanted:
                line = f"tc filter delete dev {link.name} {one.hook} prio {one.prio}"
                await self._tc(
                    line,
                    "del-filter",
                    index=link.index,
                    parent=filters.HOOKS[one.hook],
                    info=filters.info(one),
                )
                lines.append(line)
        lacking = [one for one in wanted if one not in present]
        if lacking and not present:
            lines += await self._add_clsact(link)
        for one in lacking:
            await self._add_filter(link, one)
            lines.append(one.line(link.name))
        return lines

    async def _add_clsact(self, link: Link) -> list[str]:
        line = f"tc qdisc add dev {link.name} clsact"
        try:
            await self._route.tc("add", "clsact", link.index)
        except NetlinkError as error:
            if error.code != errno.EEXIST:
                raise refused(line, error) from error
            return []
        return [line]

    async def _add_filter(self, link: Link, wanted: Filter) -> None:
        line, parent = wanted.line(link.name), filters.HOOKS[wanted.hook]
        if wanted.kind == "matchall":
            await self._tc(
                line,
                "add-filter",
                kind="matchall",
                index=link.index,
                parent=parent,
                prio=wanted.prio,
                protocol=filters.PROTOCOLS[wanted.protocol],
                action=(
                    "drop"
                    if wanted.action == "drop"
                    else {"kind": "vlan", "v_action": "push", "id": VLAN, "action": "ok"}
                ),
            )
            return
        message = _U32()
        message.update(index=link.index, parent=parent, info=filters.info(wanted), handle=0)
        options = filters.u32_options(wanted)
        message["attrs"] = [("TCA_KIND", "u32"), ("TCA_OPTIONS", options)]
        flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
        try:
            await self._send(message, RTM_NEWTFILTER, flags)
        except NetlinkError as error:
            raise refused(line, error) from error

    async def _tc(self, line: str, command: str, **settings: Any) -> None:
        try:
            await self._route.tc(command, **settings)
        except NetlinkError as error:
            raise refused(line, error) from error

    async def change(self, line: str, command: str, **settings: Any) -> None:
        """Send one command; ``line`` names it in an error."""
        try:
            await self._route.link(command, **settings)
        except NetlinkError as error:
            raise refused(line, error) from error


_HOOKS: tuple[Literal["ingress", "egress"], ...] = ("ingress", "egress")


def no_addresses() -> dict[str, Any]:
    """Return the settings for ``addrgenmode none``; none on a kernel without IPv6."""
    if not sysctls.has_ipv6():
        return {}
    mode = {"attrs": [("IFLA_INET6_ADDR_GEN_MODE", _NO_ADDRESSES)]}
    return {"IFLA_AF_SPEC": {"attrs": [("AF_INET6", mode)]}}


def admit_line(name: str) -> str:
    """Return the line that lets a bridge's port carry untagged frames."""
    return f"bridge vlan add dev {name} vid {VLAN} pvid untagged"


def expel_line(link: Link, vlan: int) -> str:
    """Return the line that removes a bridge's port, or the bridge itself, from a VLAN."""
    suffix = " self" if link.kind == "bridge" else ""
    return f"bridge vlan delete dev {link.name} vid {vlan}{suffix}"


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
