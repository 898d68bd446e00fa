"""Names of the master's interfaces, and the command lines that make and remove them.

The driver speaks netlink. It shows these lines because they do the same by hand.
"""

from __future__ import annotations

from collections.abc import Sequence

from haas_rpcd.drivers.hostnet import filters, sysctls
from haas_rpcd.drivers.hostnet.filters import Filter
from haas_rpcd.drivers.hostnet.link import vlan_link_name
from haas_rpcd.drivers.hostnet.network import admit_line
from haas_rpcd.model import SetBridge

BRIDGE_SETTINGS = {
    "vlan_filtering": 1,
    "vlan_default_pvid": 0,
    "stp_state": 0,
    "forward_delay": 0,
    "mcast_snooping": 0,
    "group_fwd_mask": 0,
    "nf_call_iptables": 0,
    "nf_call_ip6tables": 0,
    "nf_call_arptables": 0,
}
"""Settings of every bridge of HaaS, by their names in ``ip``.

A port carries nothing until HaaS admits it to the bridge's one VLAN (``vlan_default_pvid`` 0), and
then untagged frames only. The bridge itself is in no VLAN, so the master is no member.
"""


BRIDGE_PREFIX = "br-vlan"

NO_ADDRESSES = " addrgenmode none"
"""Arguments of ``ip link set`` that keep an interface from creating an IPv6 address."""


def bridge_name(vlan: int) -> str:
    """Return the name of a VLAN's bridge: ``br-vlan104``."""
    return f"{BRIDGE_PREFIX}{vlan}"


def mark(vlan: int) -> str:
    """Return the alias by which HaaS recognizes its interfaces for a VLAN: ``haas-vlan104``."""
    return f"haas-vlan{vlan}"


def preview_lines(trunk_nic: str, change: SetBridge) -> list[str]:
    """Return the lines of ``ip``, ``tc``, ``bridge`` and ``sysctl`` that do the same by hand."""
    vlan_link, bridge = vlan_link_name(trunk_nic, change.vlan), bridge_name(change.vlan)
    if not change.present:
        return [delete(bridge), delete(vlan_link)]
    return [
        *(sysctls.line(name, trunk_nic, value) for name, value in sysctls.NO_IPV6.items()),
        up(trunk_nic),
        add_vlan(trunk_nic, vlan_link, change.vlan),
        *_quiet(vlan_link, change.vlan),
        add_bridge(bridge),
        *_quiet(bridge, change.vlan),
        *_filter(bridge, filters.BRIDGE),
        no_arp(bridge),
        enslave(vlan_link, bridge),
        *_filter(vlan_link, filters.VLAN_LINK),
        admit_line(vlan_link),
        up(vlan_link),
        up(bridge),
    ]


def _quiet(name: str, vlan: int) -> list[str]:
    settings = sysctls.NO_IP.items()
    return [
        mark_line(name, vlan),
        *(sysctls.line(template, name, value) for template, value in settings),
    ]


def _filter(name: str, wanted: Sequence[Filter]) -> list[str]:
    return [f"tc qdisc add dev {name} clsact", *(each.line(name) for each in wanted)]


def up(name: str) -> str:
    """Return the line that brings an interface up."""
    return f"ip link set {name} up"


def add_vlan(trunk: str, name: str, vlan: int) -> str:
    """Return the line that creates the trunk nic's interface for a VLAN."""
    return f"ip link add link {trunk} name {name} type vlan id {vlan}"


def add_bridge(name: str) -> str:
    """Return the line that creates a bridge."""
    settings = " ".join(f"{key} {value}" for key, value in BRIDGE_SETTINGS.items())
    return f"ip link add {name} type bridge {settings}"


def mark_line(name: str, vlan: int, *, ipv6: bool = True) -> str:
    """Return the line that marks an interface as HaaS's, and keeps it from making an address."""
    return f"ip link set {name} alias {mark(vlan)}{NO_ADDRESSES if ipv6 else ''}"


def no_arp(name: str) -> str:
    """Return the line that turns ARP off."""
    return f"ip link set {name} arp off"


def enslave(name: str, bridge: str) -> str:
    """Return the line that puts an interface into a bridge."""
    return f"ip link set {name} master {bridge}"


def release(name: str) -> str:
    """Return the line that takes an interface out of its bridge."""
    return f"ip link set {name} nomaster"


def delete(name: str) -> str:
    """Return the line that deletes an interface."""
    return f"ip link delete {name}"
