"""Reads the state of ports from the configuration of a Comware switch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from haas_rpcd.drivers.switch.harmless import HarmlessLines
from haas_rpcd.drivers.switch.portnames import numbers
from haas_rpcd.drivers.switch.stanzas import stanzas
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, PortConfig

DEFAULT_VLAN = 1
ALL_VLANS = range(1, 4095)

_INTERFACE = re.compile(r"interface ", re.I)
_END = re.compile(r"#|return\s*$")

AGGREGATE = "Bridge-Aggregation"
MEMBER = "port link-aggregation group "
DYNAMIC = " dynamic"
_MODE = "link-aggregation mode"

HARMLESS = (
    # Names, physical layer, counters and logs
    "description",
    "speed",
    "duplex",
    "mdix-mode",
    "mdi",
    "(?:undo )?combo enable",
    "(?:undo )?flow-control",
    "flow-interval",
    "(?:undo )?jumboframe",
    "bandwidth",
    "link-delay",
    "(?:undo )?eee enable",
    "port auto-power-down",
    "port fec mode",
    "using (?:tengige|twenty-fivegige|fortygige|hundredgige)",
    "(?:undo )?enable snmp trap",
    "(?:undo )?enable log updown",
    "(?:undo )?poe",
    "sflow",
    "loopback-detection",
    "(?:undo )?dldp",
    "(?:undo )?oam",
    "shutdown-interval",
    "(?:undo )?lldp",
    "(?:undo )?cdp",
    "(?:undo )?voice[ -]vlan (?:mode auto|qos|legacy)",
    r"mirroring-group \d+ mirroring-port",  # its frames are copied elsewhere
    "undo mirroring-group",
    "(?:undo )?link-aggregation (?:port-priority|selected-port|load-sharing)",
    "(?:undo )?lacp (?:period|edge-port)",
    "undo (?:dot1x|mac-authentication|gvrp|mvrp)",
    "undo mac-vlan enable",
    # Spanning tree blocks, and never adds a VLAN
    "(?:undo )?stp",
    "(?:undo )?bpdu-drop",
    # Filters, limits and marks of frames that the port carries anyway
    "(?:undo )?storm-constrain",
    "(?:broadcast|multicast|unicast|unknown-unicast)-suppression",
    "(?:undo )?dhcp[ -]snooping",
    "(?:undo )?arp (?:detection|filter|rate-limit|max-learning-num)",
    "(?:undo )?ip(?:v6)? (?:source|verify source|check source)",
    "(?:undo )?packet-filter",
    "(?:undo )?(?:igmp|mld)-snooping",
    "(?:undo )?mac-address (?:max-mac-count|mac-learning)",
    # Not a QoS policy: one may add a tag (``nest``), change the VLAN, or redirect frames.
    "(?:undo )?qos (?!apply policy)\\S+",
    "(?:undo )?priority-flow-control",
)
"""Lines that add or remove no VLAN of a port. (A port joins its voice VLAN by itself in automatic
mode; in manual mode it is on the port's list as well.)

Sources: "Layer 2 LAN Switching", "Interface", "ACL and QoS" and "Security Command Reference" of
HPE's 5130 EI and 5900, and of H3C's S5130 and S6800."""

HARMLESS_ROUTED = (
    "(?:undo )?(?:arp|bfd|dhcp|ip|ipv6|isis|mpls|mtu|nat|nqa|ospf|ospfv3|pim|rip|tcp|vrrp)",
)
"""Lines that only say how a routed port routes. It carries no VLAN."""


def read_ports(config: str, harmless: HarmlessLines) -> Iterator[tuple[str, PortState]]:
    """Yield the state of each interface, without sub-interfaces.

    A member's :attr:`PortState.bundled` is ``" dynamic"`` if its aggregate interface uses LACP.
    """
    sections = [
        (header.removeprefix("interface "), lines)
        for header, lines in stanzas(config, _INTERFACE, _END)
        if header
    ]
    dynamic = {
        f"{MEMBER}{name.removeprefix(AGGREGATE)}"
        for name, lines in sections
        if name.startswith(AGGREGATE) and f"{_MODE}{DYNAMIC}" in lines
    }
    for name, lines in sections:
        if "." not in name:
            state = _state(lines, harmless)
            yield name, state._replace(bundled=DYNAMIC if state.not_understood in dynamic else "")


def _state(lines: Sequence[str], harmless: HarmlessLines) -> PortState:
    """Return the state of an interface with these lines.

    A hybrid port may carry several untagged VLANs; all except its PVID are returned as tagged.
    """
    port = _Port()
    unknown = [line for line in lines if not port.takes(line.split()) and line not in harmless]
    routing = HarmlessLines(HARMLESS_ROUTED if port.routed else ())
    unknown = [line for line in unknown if line not in routing]
    config = port.config
    managed = port.kind == "access" or (port.kind == "trunk" and bool(config.tagged))
    managed = managed and not port.routed and port.voice is None
    return PortState(
        config, port.open, next(iter(unknown), None), in_managed_form=managed and not unknown
    )


class _Port:
    """A port while its lines are read, one by one."""

    def __init__(self) -> None:
        self.kind = "access"
        self.routed = False
        self.open = True
        self.access, self.pvid = DEFAULT_VLAN, DEFAULT_VLAN
        self.permitted, self.bare = {DEFAULT_VLAN}, {DEFAULT_VLAN}
        self.tagged: set[int] = set()
        self.voice: int | None = None

    def takes(self, words: Sequence[str]) -> bool:
        """Take a line in. Return False if its meaning is not known."""
        match words:
            case ["shutdown"]:
                self.open = False
            case ["undo", "shutdown"]:
                self.open = True
            case ["port", "link-mode", ("route" | "bridge") as mode]:
                self.routed = mode == "route"
            case ["link-aggregation", "mode", "dynamic"]:
                pass
            case ["port", "link-type", ("access" | "trunk" | "hybrid") as kind]:
                self.kind = kind
            case ["port", "access", "vlan", vlan] if vlan.isdecimal():
                self.access = int(vlan)
            case ["port", "trunk" | "hybrid", "pvid", "vlan", vlan] if vlan.isdecimal():
                self.pvid = int(vlan)
            case ["undo", "port", "trunk", "permit", "vlan", *listed] if _is_list(listed):
                self.permitted -= _vlans(listed)
            case ["port", "trunk", "permit", "vlan", *listed] if _is_list(listed):
                self.permitted |= _vlans(listed)
            case ["undo", "port", "hybrid", "vlan", *listed] if _is_list(listed):
                self.bare -= _vlans(listed)
            case ["port", "hybrid", "vlan", *listed, "untagged"] if _is_list(listed):
                self.bare |= _vlans(listed)
            case ["port", "hybrid", "vlan", *listed, "tagged"] if _is_list(listed):
                self.tagged |= _vlans(listed)
            case ["voice-vlan", vlan, "enable"] | ["voice", "vlan", vlan, "enable"] if (
                vlan.isdecimal()
            ):
                self.voice = int(vlan)
            case _:
                return False
        return True

    @property
    def config(self) -> PortConfig:
        """The VLANs that the port carries once it is open."""
        if self.routed:
            return PARKED
        voice = set() if self.voice is None else {self.voice}
        if self.kind == "access":
            return PortConfig(self.access, tuple(sorted(voice - {self.access})))
        carried = voice | (self.permitted if self.kind == "trunk" else self.bare | self.tagged)
        native = self.pvid if self.pvid in carried and self.pvid not in self.tagged else None
        return PortConfig(native, tuple(sorted(carried - {native})))


def _is_list(words: Sequence[str]) -> bool:
    return words == ["all"] or bool(
        re.fullmatch(r"\d+(?: to \d+)?(?: \d+(?: to \d+)?)*", " ".join(words))
    )


def _vlans(listed: Sequence[str]) -> set[int]:
    """Read ``100 to 110 112``, or ``all``."""
    if listed == ["all"]:
        return set(ALL_VLANS)
    found = re.findall(r"(\d+)(?: to (\d+))?", " ".join(listed))
    return {vlan for first, last in found for vlan in numbers(first, last or first)}
