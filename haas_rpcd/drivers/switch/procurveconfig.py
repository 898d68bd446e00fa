"""Reads the state of ports from the running configuration of a ProVision switch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from haas_rpcd.drivers.switch.harmless import HarmlessLines
from haas_rpcd.drivers.switch.portnames import numbers
from haas_rpcd.drivers.switch.stanzas import stanzas
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PortConfig
from haas_rpcd.vlanranges import parse_vlan_ranges

_BEGIN = re.compile(r"(?:vlan \d+|interface \S.*?)\s*$")
_END = re.compile(r" {0,3}exit\s*$")
_PORT = r"(?:\d+/)?(?:[a-z]{1,3})?\d+|\d+/\d+/\d+"
_LIST = rf"(?:{_PORT})(?:-(?:{_PORT}))?(?:,(?:{_PORT})(?:-(?:{_PORT}))?)*"
_NAMES_PORTS = re.compile(
    rf"\b(?:interface|untagged|tagged|auto|forbid|protected-ports|trunk|mesh|mirror-port|"
    rf"mirror \d+(?: name \S+)? port|aaa port-access(?: (?:authenticator|mac-based|web-based|"
    rf"local-mac))?)(?: ethernet)? +({_LIST})(?=\s|$)",
    re.I,
)
"""Words of lines outside of ports, each with the ports that it concerns."""

_DEVICE_PROFILE = re.compile(r"\bdevice-profile type\b")
"""A port whose neighbour says by LLDP that it is such a device gets the profile's VLANs (HPE's
"ArubaOS-Switch Management and Configuration Guide" 16.x, "Device profiles")."""

_HARMLESS_ELSEWHERE = re.compile(
    r"no |(?:spanning-tree|dhcp-snooping|arp-protect|port-security|lldp|loop-protect|sflow|ip|"
    r"snmp-server|rmon|fault-finder|static-mac|lockout-mac|igmp|qos|access-list)\b"
)
HARMLESS = (
    "name",
    "(?:no )?speed-duplex",
    "(?:no )?flow-control",
    "(?:no )?mdix-mode",
    "(?:no )?power(?:-over-ethernet)?",
    "(?:no )?poe-(?:allocate-by|value|lldp-detect)",
    "(?:no )?energy-efficient-ethernet",
    "(?:no )?link-keepalive",
    "(?:no )?(?:broadcast|multicast|unknown-unicast)-limit",
    "(?:no )?rate-limit",
    "(?:no )?bandwidth-min",
    "(?:no )?qos",
    "(?:no )?(?:ip|ipv6|mac) access-group",
    "(?:no )?dhcp(?:v6)?-snooping",
    "(?:no )?arp-protect",
    "(?:no )?lldp",
    "(?:no )?spanning-tree",
    "(?:no )?loop-protect",
    "(?:no )?monitor(?: all .*)?",  # its frames are copied elsewhere
    "(?:no )?ipv6 ra-guard",
    "(?:no )?smart-link",
    "no lacp",
    "no gvrp",
)
"""Lines of a port that add or remove no VLAN.

Sources: "Management and Configuration Guide" and "Advanced Traffic Management Guide" (K/KA/KB.15),
and the published configurations in tests/unit/readings/hp_procurve.toml."""

_HARMLESS_OF_VLAN = re.compile(
    r"(?:no )?(?:name|voice|jumbo|ip|ipv6|igmp|qos|dhcp-snooping|dhcpv6-snooping|arp-protect|"
    r"monitor|vrrp|priority|preempt-delay-time|virtual-ip-address|backup|owner|enable|"
    r"disable layer3|dhcp-server|connection-rate-filter|management-vlan|service-policy|exit|mdns)\b"
)


def read_ports(
    config: str, canonical: Callable[[str], str], harmless: HarmlessLines
) -> dict[str, PortState]:
    """Combine the sections of VLANs and ports, and the lines elsewhere that name ports."""
    read = _Running(canonical, harmless)
    for header, lines in stanzas(config, _BEGIN, _END):
        match header.split(maxsplit=1):
            case ["vlan", vlan] if vlan.isdecimal():
                read.vlan(int(vlan), lines)
            case ["interface", names]:
                read.interface(names, lines)
            case _:
                read.elsewhere(lines)
    return read.ports()


class _Running:
    """The state of ports by a running configuration."""

    def __init__(self, canonical: Callable[[str], str], harmless: HarmlessLines) -> None:
        self._canonical = canonical
        self._harmless = harmless
        self._untagged: dict[str, int] = {}
        self._tagged: dict[str, set[int]] = {}
        self._shut: set[str] = set()
        self._unknown: dict[str, str] = {}
        self._every_port: str | None = None
        self._learns: str | None = None
        self._fixed: set[str] = set()

    def vlan(self, vlan: int, lines: Sequence[str]) -> None:
        """Read the lines under a VLAN."""
        members: set[str] = set()
        strange: list[str] = []
        for line in lines:
            match line.split(maxsplit=1):
                case ["untagged", listed] if names := self._names(listed):
                    self._untagged |= dict.fromkeys(names, vlan)
                    members.update(names)
                case ["tagged", listed] if names := self._names(listed):
                    for name in names:
                        self._tagged.setdefault(name, set()).add(vlan)
                    members.update(names)
                case ["forbid", listed] if self._names(listed):
                    pass
                case ["no", what] if what.split(maxsplit=1)[0] in ("untagged", "tagged"):
                    pass
                case _:
                    if not _HARMLESS_OF_VLAN.match(line):
                        strange.append(line)
        for line in strange:
            self._doubt([*members, *self._named_in(line)], line)

    def interface(self, names: str, lines: Sequence[str]) -> None:
        """Read the lines of one port, or of several."""
        ports = self._names(names)
        for line in lines:
            match line.split():
                case ["disable"]:
                    self._shut.update(ports)
                case ["enable"]:
                    self._shut.difference_update(ports)
                case ["unknown-vlans", "disable" | "block"]:
                    self._fixed.update(ports)
                case ["untagged", "vlan", vlan] if vlan.isdecimal():
                    self._untagged |= dict.fromkeys(ports, int(vlan))
                case ["tagged", "vlan", listed] if listed[0].isdecimal():
                    for name in ports:
                        self._tagged.setdefault(name, set()).update(parse_vlan_ranges(listed))
                case _:
                    if line not in self._harmless:
                        self._doubt([*ports, *self._named_in(line)], line)

    def elsewhere(self, lines: Sequence[str]) -> None:
        """Read lines outside of VLANs and ports."""
        profile: str | None = None
        for line in lines:
            if _DEVICE_PROFILE.search(line) and line not in self._harmless:
                profile = line
            if profile is not None and re.search(r"\benable$", line):
                self._every_port = profile
            if line.split()[-1] == "gvrp" and not line.startswith("no "):
                self._learns = line
            elif not _HARMLESS_ELSEWHERE.match(line):
                self._doubt(self._named_in(line), line)

    def ports(self) -> dict[str, PortState]:
        """Return the state of all ports."""
        names = dict.fromkeys([*self._untagged, *self._tagged, *self._unknown])
        found: dict[str, PortState] = {}
        for port in names:
            untagged = self._untagged.get(port)
            tagged = self._tagged.get(port, set()) - {untagged}
            unknown = self._unknown.get(port)
            if unknown is None and port not in self._fixed:
                unknown = self._learns
            unknown = unknown or self._every_port
            found[port] = PortState(
                PortConfig(untagged, tuple(sorted(tagged))), port not in self._shut, unknown
            )
        return found

    def _doubt(self, ports: Iterable[str], line: str) -> None:
        for port in ports:
            self._unknown.setdefault(port, line)

    def _named_in(self, line: str) -> list[str]:
        found = [match[1] for match in _NAMES_PORTS.finditer(re.sub(r" *, *", ",", line))]
        return [name for listed in found for name in self._names(listed)]

    def _names(self, listed: str) -> list[str]:
        """Return the ports of a list; none for other interfaces, such as ``loopback 0``."""
        parts = re.sub(r" *, *", ",", listed.strip())
        if not re.fullmatch(_LIST, parts, re.I):
            return []
        return [self._canonical(name) for name in _members(parts)]


def _members(listed: str) -> Iterator[str]:
    """Read ``1-4,7,A1-A3,2/1-2/4,Trk1``."""
    for part in listed.split(","):
        first, _, last = part.partition("-")
        begin = re.fullmatch(r"(.*?)(\d+)", first)
        end = re.fullmatch(r"(.*?)(\d+)", last)
        if begin is None or end is None:
            yield part
            continue
        for number in numbers(begin[2], end[2]):
            yield f"{begin[1]}{number}"
