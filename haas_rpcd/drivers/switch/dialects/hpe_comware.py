"""Comware on HPE's FlexFabric and 5xxx switches, and on H3C's.

Sources: HPE's and H3C's "Layer 2 LAN Switching" references and guides (7500, 5700, S12500-X; all
Comware 7), the "Fundamentals Configuration Guide", and published sessions.

A port's link type decides which lines it accepts, and changing the type opens VLAN 1:

* An access port accepts only ``port access vlan``, a trunk only ``port trunk …``. So nothing can be
  prepared for the other type.
* A port that becomes a trunk permits VLAN 1 and nothing else, with VLAN 1 as its PVID. A port that
  becomes an access port is in VLAN 1. So a port is shut before its type changes, and opened after
  all its VLANs are set.
* VLANs are added to a trunk's list and removed from it. The list is read first, so that a port that
  remains a trunk stays up. If the list is unknown, the port becomes an access port in between,
  which clears the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.dialect import Dialect, Options
from haas_rpcd.drivers.switch.harmless import HarmlessLines, harmless_lines
from haas_rpcd.drivers.switch.patterns import within_line
from haas_rpcd.drivers.switch.stanzas import stanzas
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, PortConfig, vlan_ranges

DEFAULT_VLAN = 1
ALL_VLANS = range(1, 4095)

_VIEW = (
    r"[A-Za-z-]+\d+(?:/\d+)+(?::\d+)?(?:\.\d+)?|(?:Vlan-interface|vlan|Bridge-Aggregation|LoopBack)"
    r"\d+|if-range[^\]\r\n]*|(?:line|ui|luser|acl|port-group)-[^\]\r\n]+"
)
"""What follows the host name in the prompts of views; a host name may contain dashes, too."""

_INTERFACE = re.compile(r"interface ", re.I)
_END = re.compile(r"#|return\s*$")
_MANAGEMENT = "M-GigabitEthernet"

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
    "undo voice[ -]vlan mode auto",
    "undo mac-vlan enable",
    "undo dot1x handshake",
    "undo dot1x multicast-trigger",
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
    "(?:undo )?qos",
    "(?:undo )?priority-flow-control",
)
"""Lines that add or remove no VLAN of a port.

Sources: "Layer 2 LAN Switching", "Interface", "ACL and QoS" and "Security Command Reference" of
HPE's 5130 EI and 5900, and of H3C's S5130 and S6800."""

HARMLESS_ROUTED = (
    "(?:undo )?(?:arp|bfd|dhcp|ip|ipv6|isis|mpls|mtu|nat|nqa|ospf|ospfv3|pim|rip|tcp|vrrp)",
)
"""Lines that only say how a routed port routes. It carries no VLAN."""


class HpeComware(Dialect):
    """``hpe_comware``."""

    name = "hpe_comware"
    title = "HPE and H3C Comware (FlexFabric, 5130, 5700, …)"
    host = r"[^\s#<>\[\]]+?"
    prompt = rf"[<\[]HOST(?:-(?:{_VIEW}))?[>\]]"
    host_chars = 64
    configuring = re.compile(r"^\[")
    no_free_session = within_line(
        r"all (?:user interfaces|lines|vty[^\r\n]{0,20}) are (?:used|in use|busy)|"
        r"(?:maximum|max)[^\r\n]{0,30}(?:sessions|users|connections)[^\r\n]{0,20}"
        r"(?:reached|exceeded)|too many (?:users|sessions|connections)"
    )
    setup = ("screen-length disable",)
    logout = ("return", "quit")  # in a view, quit only leaves the view
    enter_config = ("system-view",)
    leave_config = ("return",)
    leave_port = "quit"
    errors = (
        r"%",
        r"error\b",
        r"please (?:set|first|configure|delete|remove|disable|specify|undo|create)\b",
        r"permission denied",
        r"(?:operation )?failed\b",
        r"can(?:no|')t\b",
        r"(?:the|this|vlan|interface|no|some|one)\b.*\b(?:does|do) ?n(?:o|')t exist",
        r"(?:the|this|vlan|interface|some|one)\b.*"
        r"\bis ?n(?:o|')t (?:supported|allowed|permitted|created|a|an|access|trunk)\b",
        r"(?:the|this) .*\b(?:overlaps|conflicts) with\b",
        r"object group with given name exists",
        r"invalid\b",
        r"unable to\b",
        r"not enough\b",
        r"too many\b",
        r"the (?:maximum )?number of .*(?:reached|exceeds?|exceeded)",
        r"(?:the )?(?:configuration|system) .*(?:is|are|been) (?:locked|busy)",
    )
    benign = (r"%\s?screen-length configuration is\b", r"%\s?(?:the )?current terminal\b")
    busy = re.compile(r"(?:configuration|system) [^\r\n]*(?:is|been) (?:locked|busy)", re.I)
    save = ("save force",)
    max_ranges = 5
    needs_current_config = True
    harmless = HARMLESS
    show_version = ("display version",)
    show_uptime = "display version"
    model = re.compile(r"^[ \t]*([^\r\n]+?) uptime is ", re.M | re.I)
    version = re.compile(r"Software, Version ([^\r\n]+)")
    types = (
        "Ethernet",
        "GigabitEthernet",
        "Smartrate-Ethernet",
        "Ten-GigabitEthernet",
        "Twenty-FiveGigE",
        "FortyGigE",
        "FiftyGigE",
        "HundredGigE",
        "FourHundredGigE",
        "M-GigabitEthernet",
        "Bridge-Aggregation",
    )
    short_forms = {
        "eth": "Ethernet",
        "ge": "GigabitEthernet",
        "sge": "Smartrate-Ethernet",
        "xge": "Ten-GigabitEthernet",
        "wge": "Twenty-FiveGigE",
        "fge": "FortyGigE",
        "hge": "HundredGigE",
        "mge": "M-GigabitEthernet",
        "bagg": "Bridge-Aggregation",
    }
    """The short forms of ``display interface brief``."""

    max_list_items: int = 10
    """VLANs or ranges of VLANs that one list takes (the manual's ``&<1-10>``)."""

    bulk_from: int = 4
    """With at least this many ports, one bulk read is shorter than a line for each port."""

    def reply(self, question: str) -> str:
        """Answer ``[Y/N]`` with Enter after the key."""
        return f"{super().reply(question).strip()}\r\n"

    def saved(self, answer: str) -> bool:
        """Comware prints ``… saved … successfully`` for each board, and which board failed."""
        done = re.search(r"saved? .*successfully", answer, re.I) is not None
        return done and re.search(r"\bfail", answer, re.I) is None

    # --- lines ------------------------------------------------------------------------------------

    def canonical_port(self, port: str) -> str:
        """Write the type in full, the numbers plainly: ``XGE1/0/49``: ``Ten-GigabitEthernet…``."""
        return portnames.written_out(port, self.types, self.short_forms)

    def enter_range(self, spans: Sequence[portnames.Span]) -> str:
        """Write both ends of each span in full: ``Gi1/0/1 to Gi1/0/24 Gi1/0/30``."""
        return f"interface range {' '.join(' to '.join(span.ends) for span in spans)}"

    def port_stages(self, config: PortConfig, options: Options) -> list[list[str]]:
        """Return the lines for a port whose configuration is unknown."""
        return self.port_stages_from(None, config, options)

    def port_stages_from(
        self, current: PortConfig | None, config: PortConfig, options: Options
    ) -> list[list[str]]:
        """Return the lines for a port. It is shut first if its link type may change.

        A port that keeps its type only ever carries its old and its new VLANs: an access port
        changes its VLAN in one line, and a trunk's PVID by itself permits nothing.
        """
        if config.parked:
            return [["shutdown"], ["port link-type access", "undo port access vlan"]]
        if not config.tagged:
            carry = f"port access vlan {config.untagged}"
            if current is not None and not current.tagged:
                return [[carry], ["undo shutdown"]]
            return [["shutdown"], ["port link-type access", carry], ["undo shutdown"]]
        if current is not None and current.tagged:
            unwanted = self._listed("undo port trunk permit vlan", current.vlans - config.vlans)
            return [[*self._trunk(config), *unwanted], ["undo shutdown"]]
        fresh = ["port link-type access", "port link-type trunk", "undo port trunk permit vlan all"]
        return [["shutdown"], [*fresh, *self._trunk(config)], ["undo shutdown"]]

    def _trunk(self, config: PortConfig) -> list[str]:
        """Set PVID and list. Without a native VLAN the PVID is VLAN 1, which no trunk permits."""
        native = config.untagged
        pvid = "undo port trunk pvid" if native is None else f"port trunk pvid vlan {native}"
        return [pvid, *self._listed("port trunk permit vlan", config.vlans)]

    def _listed(self, command: str, vlans: frozenset[int]) -> Iterator[str]:
        parts = [part.replace("-", " to ") for part in vlan_ranges(vlans).split(",") if part]
        for at in range(0, len(parts), self.max_list_items):
            yield f"{command} {' '.join(parts[at : at + self.max_list_items])}"

    def vlan_lines(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Create and name a VLAN, or remove it; created first, so that removing it can't fail."""
        if present:
            return [f"vlan {vlan}", f"name haas-{vlan}", "quit"]
        return [f"vlan {vlan}", "quit", f"undo vlan {vlan}"]

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show the configuration of each port, or of all ports if there are many."""
        if not ports or len(ports) >= self.bulk_from:
            return ["display current-configuration interface"]
        return [f"display current-configuration interface {port}" for port in ports]

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read the ``interface`` sections, which show only what differs from the defaults."""
        found: dict[str, PortState] = {}
        harmless = harmless_lines(self.harmless, options)
        for answer in answers:
            for header, lines in stanzas(answer, _INTERFACE, _END):
                name = header.removeprefix("interface ")
                try:
                    canonical = self.canonical_port(name)
                except ValueError:
                    continue
                if "." in name or canonical.startswith(_MANAGEMENT):
                    continue  # a sub-interface, or the management port
                if canonical.startswith(self.types):
                    found[canonical] = _state(lines, harmless)
        return found

    def read_vlans(self, options: Options) -> list[str]:
        """Show the VLANs in a list."""
        return ["display vlan"]

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Read the list after ``The VLANs include:`` (5.20: ``The following VLANs exist:``)."""
        text = "\n".join(answers)
        listed = re.search(r"VLANs? (?:include|exist)s?: *\r?\n?([^:]*)", text, re.I)
        lines = re.findall(r"^[ \t]*(\d[\d,() \-a-z]*)", listed[1] if listed else "", re.M)
        found = re.findall(r"(\d+)(?:\([^)]*\))?(?:(?:-| to )(\d+))?", " ".join(lines))
        return frozenset(
            vlan for first, last in found for vlan in range(int(first), int(last or first) + 1)
        )


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
    return PortState(
        config,
        port.open,
        next(iter(unknown), None),
        in_managed_form=managed and not port.routed and not unknown,
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

    def takes(self, words: Sequence[str]) -> bool:
        """Take a line in. Return False if its meaning is not known."""
        match words:
            case ["shutdown"]:
                self.open = False
            case ["undo", "shutdown"]:
                self.open = True
            case ["port", "link-mode", ("route" | "bridge") as mode]:
                self.routed = mode == "route"
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
            case _:
                return False
        return True

    @property
    def config(self) -> PortConfig:
        """The VLANs that the port carries once it is open."""
        if self.routed:
            return PARKED
        if self.kind == "access":
            return PortConfig(self.access)
        carried = self.permitted if self.kind == "trunk" else self.bare | self.tagged
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
    return {vlan for first, last in found for vlan in range(int(first), int(last or first) + 1)}
