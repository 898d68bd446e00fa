"""Reads and sets an interface's filters of traffic control over netlink."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any, Literal

from pyroute2 import AsyncIPRoute
from pyroute2.netlink import NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, nlmsg
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nlsocket import NetlinkRequest
from pyroute2.netlink.rtnl import RTM_NEWTFILTER
from pyroute2.netlink.rtnl.tcmsg import tcmsg

from haas_rpcd.drivers.hostnet import filters
from haas_rpcd.drivers.hostnet.filters import VLAN, Filter
from haas_rpcd.drivers.hostnet.link import Link
from haas_rpcd.drivers.hostnet.refusals import refused

_HOOKS: tuple[Literal["ingress", "egress"], ...] = ("ingress", "egress")


class _U32(nlmsg):  # type: ignore[misc]
    """A filter of kind ``u32`` with options that are encoded already.

    It is no subclass of pyroute2's tcmsg, because that would inherit its compiled attributes.
    """

    prefix = "TCA_"
    fields = tcmsg.fields
    nla_map = (("TCA_UNSPEC", "none"), ("TCA_KIND", "asciiz"), ("TCA_OPTIONS", "cdata"))


class TrafficControl:
    """The filters of interfaces, in one netlink session. Raises DeviceError."""

    def __init__(self, route: AsyncIPRoute) -> None:
        self._route = route

    async def read(self, link: Link) -> list[Filter]:
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

    async def set(self, link: Link, wanted: Sequence[Filter]) -> list[str]:
        """Make an interface have exactly these filters; return the lines of what was changed."""
        present = await self.read(link)
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
            return await self._replace_ingress(link)
        return [line]

    async def _replace_ingress(self, link: Link) -> list[str]:
        """Put clsact in the place of ``ingress``, as policing sets it; keep clsact itself."""
        kinds = [
            message.get_attr("TCA_KIND")
            async for message in await self._route.get_qdiscs(index=link.index)
        ]
        if "ingress" not in kinds:
            return []
        line = f"tc qdisc delete dev {link.name} ingress"
        await self._tc(line, "del", kind="ingress", index=link.index)
        return [line, *await self._add_clsact(link)]

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
            request = NetlinkRequest(self._route, message, msg_type=RTM_NEWTFILTER, msg_flags=flags)
            await request.send()
            async for _ in request.response():
                pass
        except NetlinkError as error:
            raise refused(line, error) from error

    async def _tc(self, line: str, command: str, **settings: Any) -> None:
        try:
            await self._route.tc(command, **settings)
        except NetlinkError as error:
            raise refused(line, error) from error
