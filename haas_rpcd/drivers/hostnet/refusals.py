"""Errors for what the kernel refuses, which say what to do."""

from __future__ import annotations

import errno

from pyroute2.netlink.exceptions import NetlinkError

from haas_rpcd.errors import DeviceError

_ADVICE = {
    errno.EPERM: "The kernel does not allow it: haas-rpcd needs the capability CAP_NET_ADMIN "
    "(the systemd unit grants it by AmbientCapabilities=CAP_NET_ADMIN).",
    errno.EOPNOTSUPP: "This kernel does not know that kind of interface: load its module with  "
    "modprobe -a 8021q bridge  .",
    errno.ENOENT: "This kernel does not know that kind of filter: load its modules with  "
    "modprobe -a sch_ingress cls_matchall cls_u32 act_gact act_vlan  .",
}


def refused(what: str, error: NetlinkError) -> DeviceError:
    """Return the error for the kernel's refusal of ``what``."""
    advice = _ADVICE.get(error.code, f"The kernel says: {error.args[-1]}.")
    return DeviceError(
        f'"{what}" was refused on the master. {advice}', reason="refused", errno=error.code
    )
