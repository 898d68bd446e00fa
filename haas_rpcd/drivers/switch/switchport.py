"""Reads a port's state from ``switchport`` lines of Cisco IOS and similar families."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from haas_rpcd.drivers.switch.harmless import HarmlessLines, harmless_lines
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, PortConfig
from haas_rpcd.vlanranges import parse_vlan_ranges

DEFAULT_VLAN = 1
ALL_VLANS = frozenset(range(1, 4095))

HARMLESS: tuple[str, ...] = (
    # Names, physical layer, counters and logs
    "(?:no )?description",
    "macro description",
    "(?:no )?speed",
    "(?:no )?duplex",
    "(?:no )?mdix",
    "(?:no )?negotiation",
    "(?:no )?media-type",
    "(?:no )?fec",
    "(?:no )?flowcontrol",
    "(?:no )?mtu",
    "(?:no )?bandwidth",
    "(?:no )?delay",
    "(?:no )?carrier-delay",
    "(?:no )?load-interval",
    "(?:no )?keepalive",
    "(?:no )?hold-queue",
    "(?:no )?tx-queue",
    "(?:no )?logging event",
    "(?:no )?snmp trap",
    "(?:no )?snmp ifindex",
    "(?:no )?power inline",
    "(?:no )?energywise",
    "(?:no )?beacon",
    "(?:no )?udld",
    "(?:no )?link debounce",
    "(?:no )?macsec",
    "(?:no )?mka",
    "(?:no )?cts (?:role-based|manual)",
    "policy static sgt",
    "(?:no )?propagate sgt",
    "(?:no )?dampening",
    "(?:no )?channel-protocol",
    "(?:no )?port-channel (?:min-links|load-defer)",
    "no mvrp",
    "(?:no )?lacp",
    "(?:no )?negotiate",
    # Discovery protocols
    "(?:no )?cdp",
    "(?:no )?lldp",
    # Spanning tree blocks, and never adds a VLAN
    "(?:no )?spanning-tree",
    "(?:no )?storm-control",
    "(?:no )?errdisable",
    # Filters and marks of frames that the port carries anyway
    "(?:no )?switchport nonegotiate",
    "(?:no )?switchport autostate",
    "(?:no )?switchport block",
    "(?:no )?switchport protected(?! +[a-z])",  # ROS names an uplink that takes all frames
    "(?:no )?switchport port-security",
    "(?:no )?switchport priority",
    "switchport trunk pruning",
    "(?:no )?ip dhcp snooping",
    "(?:no )?ip arp inspection",
    "(?:no )?ip verify source",
    "(?:no )?ip source binding",
    "(?:no )?(?:ip|ipv6|mac) access-group",
    "(?:no )?ip igmp (?:snooping|filter|max-groups)",
    "(?:no )?ip dhcp relay information",
    "(?:no )?ipv6 mld snooping",
    "(?:no )?ipv6 nd raguard",
    "(?:no )?ipv6 snooping",
    "(?:no )?ipv6 (?:destination|source)-guard",
    "(?:no )?ipv6 dhcp guard",
    "(?:no )?device-tracking",
    r"(?:no )?service-policy (?:type queu\w+ )?(?:input|output)",
    "(?:no )?auto qos",
    "(?:no )?mls qos",
    "(?:no )?trust device",
    "(?:no )?qos trust",
    "(?:no )?srr-queue",
    "(?:no )?priority-queue",
    "(?:no )?queue-set",
    "(?:no )?wrr-queue",
    "(?:no )?rcv-queue",
    "(?:no )?(?:ip|ipv6|datalink) flow monitor",
    # What is switched off
    "no ip address",
    "no ip route-cache",
    "no ip redirects",
    "no ip proxy-arp",
    "no cdp",
    "no mop",
    "no switchport voice vlan",
    "no shutdown",
    "no macro auto",
    # How 802.1X would be done, were it on
    "authentication (?:order|priority|periodic|timer|violation|host-mode|control-direction|open)",
    "access-session (?:host-mode|closed|control-direction)",
    "dot1x (?:timeout|max-req|max-reauth-req)",
    "(?:authentication|dot1x|access-session) port-control force-(?:un)?authorized",
)
"""Lines that add or remove no VLAN of a port.

Sources: Cisco's "Catalyst 2960-X Switch Consolidated Command Reference" (Interface and Hardware,
Layer 2, QoS, Security); the interfaces of genieparser's ``ShowRunInterface`` outputs and of
batfish's ``grammar/cisco/testconfigs``."""


NO_SWITCHPORT = r"no switchport (?!mode|access|trunk (?:allowed|native vlan(?! tag)))\S+.*"
"""Lines that switch something off, in families whose ports have further modes."""

HARMLESS_ROUTED = (
    "(?:no )?(?:arp|bfd|crypto|dhcp|glbp|hsrp|igmp|ip|ipv6|isis|mfib|mld|mpls|multicast|nat|ntp|"
    "ospf|ospfv3|pim|rip|standby|tcp|vrf|vrrp)",
)
"""Lines that only say how a routed port routes. It carries no VLAN."""

HARMLESS_SUBINTERFACE = (*HARMLESS_ROUTED, "encapsulation (?:dot1q|vlan)", "shutdown")
"""Lines of a sub-interface that routes. Others may bridge its frames (EOS: ``vlan id 10``)."""


@dataclass
class Switchport:
    """A port while its lines are read, one by one."""

    mode: str
    """``access``, ``trunk``, ``phone`` (EOS: a trunk for a telephone and what is behind it), or
    ``dynamic``: then it becomes an access port or a trunk, as its node asks."""

    access: int = DEFAULT_VLAN
    native: int = DEFAULT_VLAN
    native_tagged: bool = False
    """At first what the whole switch does; see :func:`tags_native`."""

    may_tag_native: bool = True
    """False on IOS unless the whole switch tags native VLANs."""

    allowed: frozenset[int] | None = None
    """The allowed VLANs of a trunk; None: all."""

    voice: int | None = None
    """The VLAN of a telephone. It counts as a tagged one, also where its frames may be untagged."""

    address_routes: bool = False
    """True in families whose port routes once it has an address, with or without a line for it."""

    routed: bool = False
    address: str = ""
    """The line with its address, where that makes it route and nothing else is said."""

    switches: bool = False
    """True once a line sets something that only matters on a port that switches."""

    shut: bool = False
    unknown: list[str] = field(default_factory=list)
    """The lines that are neither understood nor harmless."""

    def read(self, lines: Sequence[str], harmless: HarmlessLines) -> None:
        """Take in lines."""
        for line in lines:
            self.switches |= line.startswith("switchport ")
            if not self._understood(line.split()) and line not in harmless:
                self.unknown.append(line)
        if self.address and not self.routed:
            self.routed = not self.switches
            self.unknown += [self.address] if self.switches else []

    def _understood(self, words: Sequence[str]) -> bool:
        match words:
            case ["shutdown"]:
                self.shut = True
            case ["no", "shutdown"]:
                self.shut = False
            case ["switchport"]:
                self.routed = False
            case ["no", "switchport"]:
                self.routed = True
            case ["ip" | "ipv6", "address", _, *_] if self.address_routes:
                self.address = self.address or " ".join(words)
            case ["switchport", "mode", ("access" | "trunk") as mode]:
                self.mode = mode
            case ["switchport", "mode", "dynamic", "auto" | "desirable"]:
                self.mode = "dynamic"
            case ["switchport", "access", "vlan", vlan] if vlan.isdecimal():
                self.access = int(vlan)
            case ["switchport", "trunk", "native", "vlan", vlan] if vlan.isdecimal():
                self.native = int(vlan)
            case ["switchport", "trunk", "native", "vlan", "tag"]:
                self.native_tagged = self.may_tag_native
            case ["no", "switchport", "trunk", "native", "vlan", "tag"]:
                self.native_tagged = False
            case ["switchport", "trunk", "allowed", "vlan", *what]:
                return self._allow(what)
            case ["no", "switchport", "trunk", "allowed", "vlan"]:
                self.allowed = None
            case ["switchport", "trunk", "encapsulation", "dot1q"]:
                pass
            case ["switchport", "voice" | "phone", "vlan", vlan] if vlan.isdecimal():
                self.voice = int(vlan)
            case ["switchport", "mode", "trunk", "phone"]:
                self.mode = "phone"
            case ["switchport", "phone", "trunk", "tagged" | "untagged"]:
                pass
            case ["switchport", "phone", "trunk", "tagged" | "untagged", "phone"]:
                pass
            case ["switchport", "voice", "vlan", "none" | "untagged" | "dot1p"]:
                pass  # the telephone uses the access VLAN
            case _:
                return False
        return True

    def _allow(self, what: Sequence[str]) -> bool:
        *how, last = what or [""]
        listed = _listed(last)
        match how:
            case [] if last == "none":
                self.allowed = frozenset()
            case [] if last == "all":
                self.allowed = None
            case _ if listed is None:
                return False
            case []:
                self.allowed = listed
            case ["add"]:
                self.allowed = None if self.allowed is None else self.allowed | listed
            case ["remove"]:
                self.allowed = (ALL_VLANS if self.allowed is None else self.allowed) - listed
            case ["except"]:
                self.allowed = ALL_VLANS - listed
            case _:
                return False
        return True

    @property
    def not_understood(self) -> str | None:
        """The first line that is not understood."""
        routing = harmless_lines(HARMLESS_ROUTED if self.routed else (), {})
        unknown = next((line for line in self.unknown if line not in routing), None)
        if unknown is None and self.mode == "phone" and self.voice is None:
            return "switchport mode trunk phone"  # without a VLAN: a default decides
        return unknown

    @property
    def seen(self) -> PortState:
        """The state of the port, once all its lines are read."""
        managed = self.mode in ("access", "trunk") and self.voice is None
        return PortState(self.config, not self.shut, self.not_understood, in_managed_form=managed)

    @property
    def config(self) -> PortConfig:
        """The VLANs that the port carries once it is open."""
        if self.routed:
            return PARKED
        voice = frozenset() if self.voice is None else frozenset({self.voice})
        carried = ALL_VLANS if self.allowed is None else self.allowed
        if self.mode == "access":
            return _config(self.access, voice)
        if self.mode in ("trunk", "phone"):
            if self.mode == "phone":  # whether the list applies is not documented, so all counts
                carried |= voice | {self.native}
            untagged = self.native if self.native in carried and not self.native_tagged else None
            return _config(untagged, carried)
        return _config(self.access, carried | voice)


TAG_NATIVE = "dot1q tag native"
_TAG_NATIVE = re.compile(rf"(?<!no )\bvlan {TAG_NATIVE}\b", re.I)


def tags_native(config: str) -> bool:
    """Return whether trunks tag their native VLAN, too: ``vlan dot1q tag native`` (global).

    (Otherwise IOS shows ``Administrative Native VLAN tagging: enabled`` of each port, and
    ``Operational Native VLAN tagging: disabled``: genieparser's ``ShowInterfacesSwitchport``.)
    """
    return _TAG_NATIVE.search(config) is not None


def _config(untagged: int | None, others: frozenset[int]) -> PortConfig:
    return PortConfig(untagged, tuple(sorted(others - {untagged})))


def _listed(text: str) -> frozenset[int] | None:
    """Read a list of VLANs; None if it has another form."""
    if not text[:1].isdecimal():
        return None
    try:
        return vlan_set(text)
    except ValueError:
        return None


@functools.lru_cache(256)
def vlan_set(text: str) -> frozenset[int]:
    """Read a list of VLANs; many ports have the same. Raises ValueError."""
    return frozenset(parse_vlan_ranges(text))
