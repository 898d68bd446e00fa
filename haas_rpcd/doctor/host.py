"""Checks of the master's kernel: the trunk nic, VLANs and bridges, and the clock."""

from __future__ import annotations

import ctypes
import errno
import os
import platform

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError

from haas_rpcd.config import Master
from haas_rpcd.doctor.finding import Finding, World, fault, ok, warning

_IFF_UP = 0x1
_RT_SCOPE_LINK = 253
"""The scope of link-local addresses (rtnetlink(7))."""


async def trunk_nic(world: World) -> list[Finding]:
    """Check that the trunk nic is there, up, without addresses, and left alone by others."""
    master = world.settings.master
    if master is None:
        return []
    name = master.trunk_nic
    async with AsyncIPRoute() as route:
        try:
            (link,) = await route.link("get", ifname=name)
        except NetlinkError as error:
            if error.code != errno.ENODEV:
                raise
            names = [one.get_attr("IFLA_IFNAME") async for one in await route.link("dump")]
            return [_no_nic(master, sorted(set(names) - {"lo"}))]
        index = link["index"]
        found = [
            (one.get_attr("IFA_ADDRESS"), one["prefixlen"], one["scope"])
            async for one in await route.addr("dump", index=index)
        ]
    addresses = [
        f"{address}/{length}" for address, length, scope in found if scope < _RT_SCOPE_LINK
    ]
    local = [f"{address}/{length}" for address, length, scope in found if scope == _RT_SCOPE_LINK]
    findings = [*_link_state(name, bool(link["flags"] & _IFF_UP), link.get_attr("IFLA_CARRIER"))]
    if link.get_attr("IFLA_MASTER") is not None:
        findings.append(
            fault(
                f"The trunk nic {name} is a port of a bridge or a bond.",
                f"ip link set {name} nomaster, or name the bond itself as trunk_nic.",
            )
        )
    if addresses:
        findings.append(
            fault(
                f"The trunk nic {name} has the address {', '.join(addresses)}: the master is in the"
                " untagged VLAN of its trunk port.",
                f"take it out of the network configuration that sets it, then  ip addr flush dev"
                f" {name}",
            )
        )
    if local:
        findings.append(
            warning(
                f"The trunk nic {name} has the link-local address {', '.join(local)}.",
                f"ip link set {name} addrgenmode none && ip addr flush dev {name} scope link",
            )
        )
    findings += _managed(world, name, index)
    return findings or [ok(f"The trunk nic {name} is up, without addresses, and left alone.")]


def _no_nic(master: Master, names: list[str]) -> Finding:
    there = f" This machine has {', '.join(names)}." if names else ""
    return fault(
        f"There is no trunk nic {master.trunk_nic}.{there}",
        "plug it in, or name the right one in haas.toml:  [master] trunk_nic = …",
    )


def _link_state(name: str, up: bool, carrier: int | None) -> list[Finding]:
    if not up:
        # The daemon raises it at the first apply, so this alone breaks nothing.
        return [warning(f"The trunk nic {name} is down.", f"ip link set {name} up")]
    if carrier == 0:
        return [
            fault(
                f"The trunk nic {name} has no carrier.",
                "plug its cable into the switch's trunk port, and see that the port is open.",
            )
        ]
    return []


def _managed(world: World, name: str, index: int) -> list[Finding]:
    """Read who else configures the nic, from the state files of the two usual programs.

    ADMIN_STATE is what sd_network_link_get_setup_state() of systemd reads; ``managed`` is written
    by NetworkManager's nm-config.c (DEVICE_RUN_STATE_KEYFILE_KEY_DEVICE_MANAGED).
    """
    findings = []
    networkd = _values(world, f"/run/systemd/netif/links/{index}")
    if networkd.get("ADMIN_STATE", "unmanaged") not in ("unmanaged", "linger"):
        file = networkd.get("NETWORK_FILE", "a .network file")
        findings.append(
            fault(
                f"systemd-networkd manages the trunk nic {name}, by {file}: it may take addresses,"
                " routes and DHCP leases from there.",
                "start haas-network.service, which writes what keeps it off, or write  [Match]"
                f" Name={name}  and  [Link] Unmanaged=yes  to"
                " /etc/systemd/network/01-haas-trunk.network; then  networkctl reload",
            )
        )
    manager = _values(world, f"/run/NetworkManager/devices/{index}")
    if manager.get("managed") in ("true", "1"):
        findings.append(
            fault(
                f"NetworkManager manages the trunk nic {name}: it may take addresses, routes and"
                " DHCP leases from there.",
                "start haas-network.service, which writes what keeps it off, or write"
                f"  [device-haas] match-device=interface-name:{name} managed=0  to"
                " /etc/NetworkManager/conf.d/haas-trunk.conf; then  nmcli general reload conf",
            )
        )
    return findings


def _values(world: World, path: str) -> dict[str, str]:
    """Read the ``KEY=value`` lines of a file; none if there is no such file."""
    try:
        lines = world.at(path).read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


MODULES = {
    "8021q": "VLAN interfaces",
    "bridge": "bridges",
    **dict.fromkeys(
        ("sch_ingress", "cls_matchall", "cls_u32", "act_gact", "act_vlan"), "traffic filters"
    ),
}
"""The modules of what HaaS makes on the master, and what each is for."""


def modules(world: World) -> list[Finding]:
    """Check that the kernel has what the daemon makes, or can load its modules."""
    if world.settings.master is None:
        return []
    findings = []
    folder = f"/lib/modules/{platform.release()}"
    known = "".join(_text(world, f"{folder}/{name}") for name in ("modules.builtin", "modules.dep"))
    for module, what in MODULES.items():
        if world.at(f"/sys/module/{module}").is_dir() or f"/{module}.ko" in known:
            continue
        findings.append(
            fault(
                f"This kernel has no {what}: module {module} is neither loaded nor installed.",
                f"install the kernel's modules (on Debian: linux-image-amd64 instead of the cloud"
                f" kernel), then  modprobe {module}",
            )
        )
    return findings or [ok("The kernel has VLAN interfaces, bridges and traffic filters.")]


def _text(world: World, path: str) -> str:
    try:
        return world.at(path).read_text()
    except OSError:
        return ""


NETFILTER = ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables")
VLAN_TAGGED = "bridge-nf-filter-vlan-tagged"


def bridge_netfilter(world: World) -> list[Finding]:
    """Check that the firewall of the master's own IP does not see what crosses a bridge.

    Docker sets NETFILTER to 1, which holds for every bridge. Within HaaS's bridges, frames are in a
    VLAN, so that only those are seen for which VLAN_TAGGED is 1, too (Linux,
    net/bridge/br_netfilter_hooks.c, br_nf_pre_routing).
    """
    if world.settings.master is None:
        return []
    folder = "/proc/sys/net/bridge"
    on = [name for name in NETFILTER if _text(world, f"{folder}/{name}").strip() == "1"]
    if not on or _text(world, f"{folder}/{VLAN_TAGGED}").strip() != "1":
        return [ok("HaaS's bridges are not filtered by the master's firewall.")]
    return [
        fault(
            f"The master's firewall filters what crosses HaaS's bridges ({', '.join(on)} and"
            f" {VLAN_TAGGED} are 1): it may drop tenants' frames.",
            f"write  net.bridge.{VLAN_TAGGED} = 0  to /etc/sysctl.d/60-haas.conf, then"
            "  sysctl --system",
        )
    ]


# --- the clock ------------------------------------------------------------------------------------


class _Timex(ctypes.Structure):
    """The beginning of struct timex (adjtimex(2)), and room for the rest of it."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    ]


MAX_ERROR = 16_000_000
"""Microseconds. The kernel gives up the synchronisation at this error (ntp_tick_adj), and
timedatectl calls a clock synchronised below it."""


def clock(world: World) -> list[Finding]:
    """Check that something keeps the clock right, as the kernel knows it."""
    timex = _Timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
        reason = os.strerror(ctypes.get_errno())
        return [warning(f"The kernel does not say how right its clock is: {reason}.", "see NTP.")]
    if timex.maxerror < MAX_ERROR:
        return [ok(f"The clock is synchronised, to {timex.maxerror / 1e6:.3f} s at worst.")]
    return [
        warning(
            "The clock is not synchronised: times in the audit trail and leases may be wrong.",
            "apt-get install systemd-timesyncd (or chrony), and see  timedatectl",
        )
    ]
