"""Names of the master's interfaces, and the command lines of ``ip`` that make and remove them.

The driver speaks netlink. It shows these lines because they do the same by hand.
"""

from __future__ import annotations

from haas_rpcd.drivers.hostnet.links import NAME_BYTES, NO_IP, sysctl_line
from haas_rpcd.model import SetBridge


def bridge_name(vlan: int) -> str:
    """Return the name of a VLAN's bridge: ``br-vlan104``."""
    return f"br-vlan{vlan}"


def vlan_link_name(trunk: str, vlan: int) -> str:
    """Return the name of the trunk nic's interface for a VLAN: ``eth0.104``.

    If that is longer than the kernel's 15 bytes (``enp129s0f0np0.104``), it is ``haas.104``.
    """
    name = f"{trunk}.{vlan}"
    return name if len(name.encode()) <= NAME_BYTES else f"haas.{vlan}"


def preview_lines(trunk_nic: str, change: SetBridge) -> list[str]:
    """Return the lines of ``ip`` and ``sysctl`` that do by hand what the driver does."""
    vlan_link, bridge = vlan_link_name(trunk_nic, change.vlan), bridge_name(change.vlan)
    if not change.present:
        return [delete(bridge), delete(vlan_link)]
    return [
        up(trunk_nic),
        add_vlan(trunk_nic, vlan_link, change.vlan),
        no_addresses(vlan_link),
        add_bridge(bridge),
        no_addresses(bridge),
        no_arp(bridge),
        *(sysctl_line(template, bridge) for template in NO_IP),
        enslave(vlan_link, bridge),
        up(vlan_link),
        up(bridge),
    ]


def up(name: str) -> str:
    """Return the line that brings an interface up."""
    return f"ip link set {name} up"


def add_vlan(trunk: str, name: str, vlan: int) -> str:
    """Return the line that creates the trunk nic's interface for a VLAN."""
    return f"ip link add link {trunk} name {name} type vlan id {vlan}"


def add_bridge(name: str) -> str:
    """Return the line that creates a bridge."""
    return f"ip link add {name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"


def no_addresses(name: str) -> str:
    """Return the line that keeps an interface from creating an IPv6 address."""
    return f"ip link set {name} addrgenmode none"


def no_arp(name: str) -> str:
    """Return the line that turns ARP off."""
    return f"ip link set {name} arp off"


def enslave(name: str, bridge: str) -> str:
    """Return the line that puts an interface into a bridge."""
    return f"ip link set {name} master {bridge}"


def delete(name: str) -> str:
    """Return the line that deletes an interface."""
    return f"ip link delete {name}"
