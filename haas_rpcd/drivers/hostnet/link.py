"""A typed view of a network interface, as netlink describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

IFF_UP = 0x1
IFF_NOARP = 0x80
NAME_BYTES = 15
"""Maximum length of an interface name: the kernel's IFNAMSIZ is 16, including a final zero."""

NO_ADDRESSES = 1  # IN6_ADDR_GEN_MODE_NONE


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
    return mode is not None and mode != NO_ADDRESSES


def _settings(data: Any) -> dict[str, int]:
    prefix = "IFLA_BR_"
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in data["attrs"]
        if name.startswith(prefix) and isinstance(value, int)
    }


def vlan_link_name(trunk: str, vlan: int) -> str:
    """Return the name of the trunk nic's interface for a VLAN: ``eth0.104``.

    If that is longer than the kernel's 15 bytes (``enp129s0f0np0.104``), it is ``haas.104``.
    """
    name = f"{trunk}.{vlan}"
    return name if len(name.encode()) <= NAME_BYTES else f"haas.{vlan}"
