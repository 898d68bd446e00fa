"""Reads the state of ports from the running configuration of a Dell OS9 switch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from haas_rpcd.drivers.switch.harmless import HarmlessLines
from haas_rpcd.drivers.switch.ioslike import NO_PORTS
from haas_rpcd.drivers.switch.portnames import numbers
from haas_rpcd.drivers.switch.stanzas import stanzas
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, PortConfig

DEFAULT_VLAN = 1

HARMLESS = (
    "(?:no )?description",
    "(?:no )?mtu",
    "(?:no )?speed",
    "(?:no )?duplex",
    "(?:no )?negotiation",
    "(?:no )?flowcontrol",
    "(?:no )?fec",
    "(?:no )?rate-interval",
    "(?:no )?rate (?:limit|police|shape)",
    "(?:no )?dampening",
    "(?:no )?keepalive",
    "(?:no )?wanport",
    "(?:no )?snmp trap",
    "(?:no )?sflow",
    "(?:no )?load-balance",
    "(?:no )?lacp",
    "(?:no )?minimum-links",
    "(?:no )?vlt-peer-lag",
    "(?:no )?spanning-tree",
    "(?:no )?storm-control",
    "(?:no )?(?:ip|ipv6|mac) access-group",
    "(?:no )?(?:service-class|service-policy|qos-policy|dot1p-priority|trust)",
    "(?:no )?(?:dcb-map|dcb-policy|fcoe-map|dcb|pfc|ets)",
    "(?:no )?ip dhcp (?:snooping|source-address-validation)",
    "(?:no )?arp inspection",
    "(?:no )?mac learning-limit",
    # Below ``protocol lldp``
    "(?:no )?protocol lldp",
    "(?:no )?advertise",
    "(?:no )?(?:dcbx|hello|multiplier|mode|disable)",
    # Switched off
    "no ip address",
    "no portmode hybrid",
    "no port-channel-protocol",
)
"""Lines of a port that add or remove no VLAN.

Sources: Dell's "Configuration Guide for the S4810 System" and "Command Line Reference Guide" 9.x
(Interfaces, Layer 2, LLDP, DCB); the fixtures of the collection dellemc.os9."""

_HARMLESS_ROUTED = HarmlessLines(
    ("(?:no )?(?:ip|ipv6|vrrp-group|virtual-address|priority|isis|bfd|arp)",)
)
_HARMLESS_OF_VLAN = re.compile(
    r"!|(?:no )?(?:name|description|ip|ipv6|mtu|shutdown|vrrp-group|virtual-address|priority|"
    r"spanning-tree|mac|service-policy|qos-policy|fip-snooping|igmp|bfd|vlt-peer)\b"
)
_BEGIN = re.compile(r"interface (?!range)", re.I)
_END = re.compile(r"end\s*$")
_PAUSE = re.compile(r"!\s*$")
"""A ``!`` also stands in the middle of a port's lines: before ``port-channel-protocol`` and
``protocol lldp``. Every port ends with ``shutdown`` or ``no shutdown``."""

_NAMES_PORTS = re.compile(
    r"\b(?:tagged|untagged|destination|channel-member|member-independent|interface)"
    r" ([A-Za-z-]+ ?\d[\d/]*(?: *[-,] *\d[\d/]*)*)",
    re.I,
)


_STATIC = "channel-member "


class OS9Config:
    """The state of ports by a running configuration."""

    def __init__(self, canonical: Callable[[str], str], harmless: HarmlessLines) -> None:
        self._canonical = canonical
        self._harmless = harmless
        self._untagged: dict[str, int] = {}
        self._tagged: dict[str, set[int]] = {}
        self._unknown: dict[str, str] = {}
        self._listed: dict[str, str] = {}
        """Of static members: the names of the channels that list them, each after " of "."""

    def read(self, config: str) -> dict[str, PortState]:
        """Combine the sections of VLANs and ports."""
        own: dict[str, list[str]] = {}
        for header, lines in stanzas(config, _BEGIN, _END, _PAUSE):
            name = header.partition(" ")[2]
            if vlan := re.fullmatch(r"vlan *(\d+)", name, re.I):
                self._vlan(int(vlan[1]), lines)
            elif not header:
                self._doubt(lines)
            elif not NO_PORTS.match(name):
                for port in self._canonical_or_none(name):
                    own.setdefault(port, []).extend(lines)
        home = _default_vlan(config)
        for port, lines in own.items():
            unknown = [line for line in lines if line not in self._harmless]
            self._doubt(unknown)
            self._note_members(port, unknown)
        return {port: self._state(port, lines, home) for port, lines in own.items()}

    def _vlan(self, vlan: int, lines: Sequence[str]) -> None:
        members: set[str] = set()
        strange: list[str] = []
        for line in lines:
            match line.split(maxsplit=1):
                case ["tagged", listed] if ports := list(self._members(listed)):
                    members.update(ports)
                    for port in ports:
                        self._tagged.setdefault(port, set()).add(vlan)
                case ["untagged", listed] if ports := list(self._members(listed)):
                    members.update(ports)
                    self._untagged |= dict.fromkeys(ports, vlan)
                case _:
                    if not _HARMLESS_OF_VLAN.match(line):
                        strange.append(line)
        self._doubt(strange)
        self._unknown |= (
            dict.fromkeys(members - self._unknown.keys(), strange[0]) if strange else {}
        )

    def _doubt(self, lines: Iterable[str]) -> None:
        """Note the ports that lines elsewhere concern."""
        for line in lines:
            for match in _NAMES_PORTS.finditer(line):
                for port in self._members(match[1]):
                    self._unknown.setdefault(port, line)

    def _note_members(self, channel: str, lines: Iterable[str]) -> None:
        """Note the ports that a channel lists as its members."""
        for line in lines:
            if line.startswith(_STATIC):
                for port in self._members(line.removeprefix(_STATIC)):
                    self._listed[port] = f"{self._listed.get(port, '')} of {channel}"

    def _state(self, port: str, lines: Sequence[str], home: int | None) -> PortState:
        switched = hybrid = lacp = False
        last = bundled = ""
        unknown: list[str] = []
        for line in lines:
            match line.split():
                case ["shutdown"] | ["no", "shutdown"]:
                    last = line
                case ["switchport"]:
                    switched = True
                case ["portmode", "hybrid"]:
                    hybrid = True
                case ["channel-member", *_]:
                    pass  # says something of its members
                case ["port-channel", _, "mode", _] if lacp:
                    bundled += f" {line}"
                case ["port-channel-protocol", *_]:
                    lacp = True
                    unknown += [line] if line not in self._harmless else []
                case _:
                    if line not in self._harmless:
                        unknown.append(line)
        if not switched:
            unknown = [line for line in unknown if line not in _HARMLESS_ROUTED]
        if port in self._unknown:
            unknown.append(self._unknown[port])
        if not last:
            unknown.append(f"interface {port}")  # its end is missing
        tagged = self._tagged.get(port, set())
        untagged = self._untagged.get(port)
        if untagged is None and (not tagged or hybrid):
            untagged = home
        config = PortConfig(untagged, tuple(sorted(tagged))) if switched else PARKED
        quoted = next(iter(unknown), None)
        if quoted is not None and quoted.startswith(_STATIC):
            bundled = self._listed.get(port, "")
        return PortState(config, last != "shutdown", quoted, bundled=bundled)

    def _canonical_or_none(self, name: str) -> list[str]:
        try:
            return [self._canonical(name)]
        except ValueError:  # an unknown type, so no registered port
            return []

    def _members(self, text: str) -> Iterator[str]:
        """Read ``TenGigabitEthernet 0/14,19-20,1/5-1/8``: a slot applies to what follows."""
        found = re.match(r"([A-Za-z-]+) *(\d\S*(?: *, *\S+)*)", text)
        slot = ""
        for part in re.split(r" *, *", found[2]) if found else ():
            first, _, last = part.partition("-")
            if "/" in first:
                slot = first.rpartition("/")[0] + "/"
            low, high = first.rpartition("/")[2], (last or first).rpartition("/")[2]
            if found and low.isdecimal() and high.isdecimal():
                for number in numbers(low, high):
                    yield from self._canonical_or_none(f"{found[1]} {slot}{number}")


def _default_vlan(config: str) -> int | None:
    """Return the default VLAN of ports in Layer-2 mode; None for the Null VLAN."""
    if "default-vlan disable" in config:
        return None
    found = re.search(r"\bdefault vlan-id (\d+)", config)
    return int(found[1]) if found else DEFAULT_VLAN
