"""The kernel's events about interfaces that HaaS has a part in: rtnetlink(7).

Links, their addresses and their filters have events. Settings below ``/proc/sys/net`` have none for
most of them, so they are compared every :data:`POLL` seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

from pyroute2 import AsyncIPRoute
from pyroute2.netlink import NLMSG_ERROR
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.rtnl import (
    RTM_DELLINK,
    RTM_NEWLINK,
    RTMGRP_IPV4_IFADDR,
    RTMGRP_IPV6_IFADDR,
    RTMGRP_LINK,
    RTMGRP_TC,
)

from haas_rpcd.drivers.hostnet import sysctls
from haas_rpcd.drivers.hostnet.iplines import BRIDGE_PREFIX
from haas_rpcd.errors import DeviceError
from haas_rpcd.tasks import cancel_and_wait

GROUPS = RTMGRP_LINK | RTMGRP_TC | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR

LINKS = Path("/sys/class/net")

POLL = 4.0
"""Seconds between two reads of the settings of interfaces."""


async def link_events(trunk_nic: str) -> AsyncGenerator[str, None]:
    """Yield the name of each interface of HaaS's that changes, and once ``""`` to begin with.

    These are the trunk nic, the VLAN interfaces on it, the bridges of VLANs, and every port of a
    bridge. Raises DeviceError if events were lost: what is there must be read again.
    """
    route = AsyncIPRoute()
    try:
        await route.bind(GROUPS)
        yield ""
        while True:
            async for message in route.get():
                if message["header"]["type"] == NLMSG_ERROR:
                    raise _lost(str(message["header"].get("error")))
                if name := _concerned(message, trunk_nic):
                    yield name
    except (OSError, NetlinkError) as error:
        raise _lost(str(error)) from error
    finally:
        route.close()


def _concerned(message: Any, trunk_nic: str) -> str | None:
    """Return the name of the interface that an event is about, if it concerns HaaS."""
    if message["header"]["type"] in (RTM_NEWLINK, RTM_DELLINK):
        name = message.get_attr("IFLA_IFNAME") or ""
        port = message.get_attr("IFLA_MASTER") is not None
        return name if name and (port or _is_ours(name, trunk_nic)) else None
    index = message.get("index")
    if index is None:
        return None  # of traffic control, but of no interface: an action, or a chain (cls_api.c)
    try:
        name = socket.if_indextoname(index)
    except OSError:
        return None  # it is gone, which is an event of its own
    return name if _is_ours(name, trunk_nic) or _is_port(name) else None


def _is_ours(name: str, trunk_nic: str) -> bool:
    return name == trunk_nic or name.startswith((f"{trunk_nic}.", BRIDGE_PREFIX))


def _is_port(name: str) -> bool:
    return (LINKS / name / "brport").exists()


@contextlib.asynccontextmanager
async def settings_polled(trunk_nic: str, changed: Callable[[], None]) -> AsyncIterator[None]:
    """Call ``changed``, inside the block, when settings of HaaS's interfaces have changed."""

    async def poll() -> None:
        before: dict[str, object] | None = None
        while True:
            now = await asyncio.to_thread(_settings, trunk_nic)
            if before is not None:
                there = before.keys() & now.keys()
                if any(before[name] != now[name] for name in there):
                    changed()
            before = now
            await asyncio.sleep(POLL)

    task = asyncio.create_task(poll(), name="settings of interfaces")
    try:
        yield
    finally:
        await cancel_and_wait(task)


def _settings(trunk_nic: str) -> dict[str, object]:
    """Return the settings that are not as HaaS makes them, by the interface's name."""
    return {
        name: sysctls.wrong(name)
        for name in os.listdir(LINKS)
        if _is_ours(name, trunk_nic) or _is_port(name)
    }


def _lost(why: str) -> DeviceError:
    return DeviceError(
        f"The kernel's events about interfaces were lost ({why}): they are read anew.",
        reason="unreachable",
    )
