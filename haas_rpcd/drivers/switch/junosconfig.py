"""Reads the state of ports from the ``set`` statements of a Junos switch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from haas_rpcd.drivers.switch.harmless import HarmlessLines
from haas_rpcd.drivers.switch.junosdoubts import (
    INSTANCES,
    of_filters,
    of_lines,
    of_named_ranges,
    of_ranges,
)
from haas_rpcd.drivers.switch.junosstatements import PORT, statements
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, PortConfig
from haas_rpcd.vlanranges import parse_vlan_ranges, vlan_ranges

DEFAULT_VLAN = "default"
"""The VLAN of an access port that has none configured."""

HARMLESS = (
    "description",
    "speed",
    "link-mode",
    "mtu",
    "hold-time",
    "no-?traps",
    "traps",
    "gratuitous-arp-reply",
    "no-gratuitous-arp-re(?:ply|quest)",
    "apply-groups(?:-except)?",  # what they add is shown, too
    "(?:gig)?ether-options$",
    "(?:gig)?ether-options (?:(?:no-)?auto-negotiation|(?:no-)?flow-control|link-mode|speed|fec|"
    "configured-flow-control|ieee-802-3az-eee)",
    "aggregated-ether-options (?:lacp|minimum-links|link-speed|load-balance|no-flow-control)",
    "optics-options",
    "media-type",
    "forwarding-class-accounting",
    "unit 0 (?:description|bandwidth|apply-groups|no-traps|traps|statistics)",
    "unit 0 family ethernet-switching (?:storm-control|recovery-timeout|filter|policer)",
)
"""Statements below ``interfaces P`` that add or remove no VLAN.

Sources: Juniper's "Ethernet Switching User Guide", "Interfaces User Guide for Switches"; the
configurations of batfish's ``grammar/juniper/testconfigs``."""

_ROUTED = re.compile(
    r"(?:(?:vlan-tagging|flexible-vlan-tagging|mac \S+|unit \d+ (?:description .*|vlan-id \d+|"
    r"bandwidth \S+|proxy-arp.*|apply-groups .*|family (?:inet|inet6|iso|mpls)(?: .*)?))$)"
)
"""Statements of a port that routes. They give it no VLAN of the switch."""

_HARMLESS_OF_VLAN = re.compile(
    r"description|l3-interface|vxlan|forwarding-options|switch-options|filter|mac-table-size|"
    r"no-mac-learning|mcast|apply-groups|service-id|domain-type bridge|mac-limit|"
    r"mac-table-aging-time|no-irb-layer-2-copy|traceoptions"
)


@dataclass
class Vlan:
    """The configuration under one VLAN's name."""

    ids: set[int] = field(default_factory=set)
    ports: set[str] = field(default_factory=set)
    unknown: str | None = None
    """The first statement whose meaning is not known, as of a private VLAN."""


def vlans_in(answer: str) -> dict[str, Vlan]:
    """Return the configured VLANs by name."""
    found: dict[str, Vlan] = {}
    for statement in statements(answer):
        match statement.split():
            case ["vlans", name, *rest]:
                _read_vlan(found.setdefault(name, Vlan()), rest, statement)
    return found


def _read_vlan(vlan: Vlan, words: Sequence[str], statement: str) -> None:
    match words:
        case ["vlan-id", number] if number.isdecimal():
            vlan.ids.add(int(number))
        case ["vlan-id-list" | "vlan-range", listed] if listed[0].isdecimal():
            vlan.ids |= set(parse_vlan_ranges(listed))
        case ["interface", unit]:
            vlan.ports.add(unit.partition(".")[0])
        case ["interface", *_] | ["vlan-id", *_]:
            vlan.unknown = vlan.unknown or statement
        case [] | ["vlan-id"]:
            pass
        case _:
            if not _HARMLESS_OF_VLAN.match(" ".join(words)):
                vlan.unknown = vlan.unknown or statement


_VOICE = re.compile(
    rf"switch-options voip interface ({PORT})\.0 (?:vlan (\S+)|forwarding-class .*)"
)


def read_ports(
    answers: Sequence[str], harmless: HarmlessLines, *, voice: bool = False
) -> dict[str, PortState]:
    """Return the state of all ports.

    ``voice``: a telephone's VLAN counts as a tagged one, because every set removes it.

    ``answers``: the statements below ``interfaces`` and ``vlans``, the table of interfaces, and the
    statements elsewhere that may name ports.
    """
    interfaces, vlans, terse, elsewhere = (*answers, "", "", "")[:4]
    known = vlans_in(vlans)
    own: dict[str, list[str]] = {port: [] for port in re.findall(rf"^({PORT})[ \t]", terse, re.M)}
    ranges: dict[str, list[str]] = {}
    for statement in statements(interfaces):
        match statement.split(maxsplit=3):
            case ["interfaces", "interface-range", name, rest]:
                ranges.setdefault(name, []).append(rest)
            case ["interfaces", port, *rest] if re.fullmatch(PORT, port):
                own.setdefault(port, []).append(" ".join(rest))
    voices: dict[str, str] = {}
    if voice:
        rest = elsewhere.splitlines()
        said = [match for match in map(_VOICE.fullmatch, statements(elsewhere)) if match]
        voices = {match[1]: match[2] for match in said if match[2]}
        known_lines = {f"set {match[0]}" for match in said}
        elsewhere = "\n".join(line for line in rest if " ".join(line.split()) not in known_lines)
    doubts: dict[str, str] = {}
    for port, statement in (
        *of_lines((interfaces, vlans, elsewhere), elsewhere, own, harmless),
        *of_filters(elsewhere, own, harmless),
        *of_named_ranges((vlans, elsewhere), ranges, own, harmless),
        *of_ranges(ranges, own, harmless),
    ):
        doubts.setdefault(port, statement)
    states = {
        port: _state(port, lines, known, harmless, doubts.get(port), voices.get(port))
        for port, lines in own.items()
    }
    return {
        port: state._replace(bundled=_mode(state.not_understood or "", own))
        for port, state in states.items()
    }


_MEMBER = re.compile(r"(?:gig)?ether-options 802\.3ad (ae\d+)")
_LACP = "aggregated-ether-options lacp "


def _mode(line: str, ports: Mapping[str, Sequence[str]]) -> str:
    """Return how the channel of a member with this statement uses LACP, if it does."""
    found = _MEMBER.fullmatch(line)
    lines = ports.get(found[1], ()) if found else ()
    how = [each.removeprefix(_LACP) for each in lines if each.startswith(_LACP)]
    modes = [each for each in how if each in ("active", "passive")]
    return f" lacp {modes[0]}" if modes else ""


class _Port:
    """A port while its statements are read, one by one."""

    def __init__(self, vlans: Mapping[str, Vlan]) -> None:
        self._vlans = vlans
        self.switching = self.trunk = self.old_trunk = False
        self.native: int | None = None
        self.open = True
        self.carried: set[int] = set()
        self._voice: set[int] = set()

    def adds_voice(self, vlan: str) -> bool:
        """Take in a telephone's VLAN. Return False if its id is not known."""
        self._voice = self._members(vlan)
        return len(self._voice) == 1

    def takes(self, statement: str) -> bool:
        """Take a statement in. Return False if its meaning is not known."""
        match statement.split():
            case []:
                pass
            case ["disable"] | ["unit", "0", "disable"]:
                self.open = False
            case ["native-vlan-id", vlan] if vlan.isdecimal():
                self.native = int(vlan)
            case ["unit", "0"]:
                pass
            case ["unit", "0", "family", "ethernet-switching", *rest]:
                return self._switches(rest)
            case _:
                return False
        return True

    def _switches(self, words: Sequence[str]) -> bool:
        self.switching = True
        match words:
            case [] | ["vlan"]:
                pass
            case ["interface-mode" | "port-mode" as word, "access" | "trunk" as mode]:
                self.trunk = mode == "trunk"
                self.old_trunk = self.trunk and word == "port-mode"
            case ["native-vlan-id", vlan]:  # before ELS
                ids = self._members(vlan)
                self.native = min(ids, default=None)
                return len(ids) == 1
            case ["vlan", "members", member]:
                ids = self._members(member)
                self.carried |= ids
                return bool(ids)
            case _:
                return False
        return True

    def _members(self, member: str) -> set[int]:
        """Return the VLANs of a member: an id, a range, a name, or ``all``."""
        if member == "all":
            return self.default | {known for vlan in self._vlans.values() for known in vlan.ids}
        if re.fullmatch(r"\d+(?:-\d+)?", member):
            return set(parse_vlan_ranges(member))
        if member == DEFAULT_VLAN:
            return self.default
        return set(self._vlans[member].ids) if member in self._vlans else set()

    @property
    def default(self) -> set[int]:
        """The ids of the default VLAN."""
        vlan = self._vlans.get(DEFAULT_VLAN)
        return set(vlan.ids) if vlan and vlan.ids else {1}

    @property
    def config(self) -> PortConfig:
        """The VLANs that the port carries once it is open."""
        if not self.switching:
            return PARKED
        carried = set(self.carried)
        if self.old_trunk and self.native is not None:  # its native VLAN need not be a member
            carried.add(self.native)
        if self.trunk:
            untagged = self.native if self.native in carried else None
        else:
            carried = carried or self.default
            untagged = min(carried, default=None)
            carried |= self._voice
        return PortConfig(untagged, tuple(sorted(carried - {untagged})))


def _state(
    name: str,
    lines: Sequence[str],
    vlans: Mapping[str, Vlan],
    harmless: HarmlessLines,
    doubt: str | None,
    voice: str | None,
) -> PortState:
    """Return the state of a port with these statements."""
    port = _Port(vlans)
    if voice is not None and not port.adds_voice(voice):
        doubt = doubt or f"switch-options voip interface {name}.0 vlan {voice}"
    for vlan in vlans.values():
        if name in vlan.ports:
            port.switching = True
            port.carried |= vlan.ids
    unknown = [line for line in lines if not port.takes(line) and line not in harmless]
    if not port.switching:
        unknown = [line for line in unknown if not _ROUTED.match(line)]
        if doubt is not None and doubt.startswith(INSTANCES):
            doubt = None  # it routes in a VRF
    config = port.config
    if port.switching and not port.trunk and len(port.carried) > 1:  # an access port has one
        unknown.append(f"vlan members {vlan_ranges(port.carried)}")
    unknown += [
        vlan.unknown
        for vlan in vlans.values()
        if vlan.unknown and (name in vlan.ports or vlan.ids & config.vlans)
    ]
    return PortState(config, port.open, next(iter([*unknown, *([doubt] if doubt else [])]), None))
