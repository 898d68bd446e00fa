"""The kernel's events about interfaces that HaaS has a part in: rtnetlink(7), RTNLGRP_LINK."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from pyroute2 import AsyncIPRoute
from pyroute2.netlink import NLMSG_ERROR
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.rtnl import RTMGRP_LINK

from haas_rpcd.drivers.hostnet.iplines import BRIDGE_PREFIX
from haas_rpcd.errors import DeviceError


async def link_events(trunk_nic: str) -> AsyncGenerator[str, None]:
    """Yield the name of each interface of HaaS's that changes, and once ``""`` to begin with.

    These are the trunk nic, the VLAN interfaces on it, the bridges of VLANs, and every port of a
    bridge. Raises DeviceError if events were lost: what is there must be read again.
    """
    route = AsyncIPRoute()
    try:
        await route.bind(RTMGRP_LINK)
        yield ""
        while True:
            async for message in route.get():
                if message["header"]["type"] == NLMSG_ERROR:
                    raise _lost(str(message["header"].get("error")))
                name = message.get_attr("IFLA_IFNAME") or ""
                if _concerns(message, name, trunk_nic):
                    yield name
    except (OSError, NetlinkError) as error:
        raise _lost(str(error)) from error
    finally:
        route.close()


def _concerns(message: Any, name: str, trunk_nic: str) -> bool:
    ours = name == trunk_nic or name.startswith((f"{trunk_nic}.", BRIDGE_PREFIX))
    return ours or message.get_attr("IFLA_MASTER") is not None


def _lost(why: str) -> DeviceError:
    return DeviceError(
        f"The kernel's events about interfaces were lost ({why}): they are read anew.",
        reason="unreachable",
    )
