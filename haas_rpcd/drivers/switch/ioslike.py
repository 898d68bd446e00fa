"""The base of the many families whose command line resembles Cisco IOS.

They share a trap: a fresh port in trunk mode admits ALL VLANs until it is pruned. Therefore the
allowed VLANs are set before the mode, and the mode before ``no shutdown``, each in its own stage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.dialect import Dialect, Options
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.sections import interface_sections
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.switchport import HARMLESS, HARMLESS_SUBINTERFACE, Switchport
from haas_rpcd.model import PortConfig, vlan_ranges

NO_PORTS = re.compile(
    r"vlan|vxlan|loopback|tunnel|null|nve|bdi|bluetooth|appgigabitethernet|management|mgmt|"
    r"control-plane|[a-z]+0$",
    re.I,
)
"""Interfaces that are not switch ports: those with the switch's own addresses, those to its own
applications, and management (``FastEthernet0`` on a Catalyst 2960-S)."""

MIRROR = re.compile(
    r"\b(?:monitor session \S+ destination|destination interface) (?:interface )?([a-z-]+\d.*)$",
    re.M | re.I,
)
"""A destination of a monitor session. (No anchor: a page break may stand before the line.)"""

_MIRRORED = re.compile(r"\b([a-z-]*)(\d[\d/]*)(?: *- *(\d+)\b(?!/))?", re.I)

_AFTER_MIRRORED = re.compile(r" (?:encapsulation|ingress)\b", re.I)

MANAGEMENT_VRF = re.compile(r"(?:ip )?vrf forwarding mgmt\S*", re.I)


class IosLike(Dialect):
    """The base of the dialects in which a port is set by ``interface P`` and ``switchport …``."""

    enable: str | None = "enable"
    enable_failed: re.Pattern[str] | None = re.compile(
        r"% ?(?:bad secrets?|access denied|bad passwords?|no password set|error in authentication|"
        r"authentication failed|incorrect (?:login/)?password)[^\r\n]*(?=[\r\n])",
        re.I,
    )
    setup: tuple[str, ...] = ("terminal length 0",)
    enter_config: tuple[str, ...] = ("configure terminal",)
    leave_config: tuple[str, ...] = ("end",)
    leave_port = "exit"
    show_version: tuple[str, ...] = ("show version",)
    show_uptime: str = "show version"
    errors: ClassVar[tuple[str, ...]] = (
        r"%",
        r"command rejected",
        r"error\b",
        r"invalid input",
        r"incomplete command",
    )
    benign: ClassVar[tuple[str, ...]] = (
        r"%\s?access vlan does not exist\. creating vlan",
        r"%\s?warning: portfast",
        r"%\s?applying vlan changes",
        r"%\s?vlan \d+ (?:created|already exists|added)",
        r"%\s?portfast has been configured",
        r"%\s?warning\b",
    )

    bulk_from: int = 4
    """With at least this many ports, one bulk read is shorter than a line for each port."""

    types: tuple[str, ...] = ()
    """Types of ports. In a port's name the type may be shortened to any unambiguous prefix."""

    short_forms: ClassVar[Mapping[str, str]] = {}
    """Short types that the switch shows, where they could mean several types (keys in lower case;
    from genieparser's ``utils/common.py``). In a port's name that somebody gives they are refused:
    not every model takes them for the same type."""

    no_access_vlan: str = "no switchport access vlan"
    no_native_vlan: str = "no switchport trunk native vlan"
    """Lines that restore the default VLAN. As the native VLAN of a trunk it is not in the list of
    allowed VLANs, so untagged frames are dropped."""

    no_voice_vlan: tuple[str, ...] = ()
    """Lines that remove a telephone's VLAN, which an access port carries tagged."""

    optional_lines = frozenset({"no switchport voice vlan", "no switchport phone vlan"})

    no_allowed_vlan: str = "switchport trunk allowed vlan none"
    trunk_mode: tuple[str, ...] = ("switchport mode trunk",)
    harmless = HARMLESS
    # --- lines ------------------------------------------------------------------------------------

    def canonical_port(self, port: str) -> str:
        """Write the type in full and the numbers plainly: ``gi1/0/1``: ``GigabitEthernet1/0/1``."""
        return portnames.written_out(port, self.types)

    def port_stages(self, config: PortConfig, options: Options) -> list[list[str]]:
        """Return the lines for a port. The settings of a mode are always set before the mode."""
        if config.parked:
            return [
                ["shutdown"],
                [
                    "switchport mode access",
                    self.no_access_vlan,
                    self.no_allowed_vlan,
                    *self.no_voice_vlan,
                ],
            ]
        if not config.tagged:
            return [
                [
                    f"switchport access vlan {config.untagged}",
                    self.no_allowed_vlan,
                    *self.no_voice_vlan,
                ],
                ["switchport mode access"],
                ["no shutdown"],
            ]
        return [
            [
                *self.before_trunk(options),
                *self.native_lines(config),
                *self.allowed_lines(config),
                *self.no_voice_vlan,
            ],
            list(self.trunk_mode),
            ["no shutdown"],
        ]

    def before_trunk(self, options: Options) -> list[str]:
        """Return lines that a port needs before it can become a trunk."""
        return []

    def native_lines(self, config: PortConfig) -> list[str]:
        """Return the lines that set the VLAN of a trunk port's untagged frames."""
        if config.untagged is None:
            return [self.no_native_vlan]
        return [f"switchport trunk native vlan {config.untagged}"]

    def allowed_lines(self, config: PortConfig) -> list[str]:
        """Set an absolute list of allowed VLANs, on several lines if it is long.

        The first line is absolute and the others add to it, so no line admits an unwanted VLAN.
        """
        first, *more = self.split_list(vlan_ranges(config.vlans))
        return [
            f"switchport trunk allowed vlan {first}",
            *(f"switchport trunk allowed vlan add {row}" for row in more),
        ]

    def vlan_lines(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Create a VLAN (it exists once its context is left) or remove it."""
        return [f"vlan {vlan}", f"name haas-{vlan}", "exit"] if present else [f"no vlan {vlan}"]

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show the configuration of each port, or the whole one if there are many ports."""
        if not ports or len(ports) >= self.bulk_from:
            return ["show running-config"]
        return [f"show running-config interface {port}" for port in ports]

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read the ``interface`` sections, which show only what differs from the defaults."""
        found: dict[str, PortState] = {}
        shown = "\n!\n".join(answers)
        ports = self.port_lines(interface_sections(shown))
        for port, line in self.mirrors(shown):
            ports.setdefault(port, []).append(line)
        for port, lines in ports.items():
            if not self.is_management(lines):
                state = self.fresh_port(shown)
                state.read(lines, harmless_lines(self.harmless, options))
                found[port] = state.seen
        return found

    def fresh_port(self, config: str) -> Switchport:
        """Return a port of which this configuration, or part of it, shows no line."""
        return Switchport("access")

    def port_lines(self, sections: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
        """Return the lines of each port by its canonical name, without other interfaces.

        What a sub-interface does besides routing is added to the lines of its port.
        """
        routing = harmless_lines((*self.harmless, *HARMLESS_SUBINTERFACE), {})
        ports: dict[str, list[str]] = {}
        for name, lines in sections:
            name, dot, _ = name.partition(".")
            if NO_PORTS.match(name):
                continue
            try:
                port = self.canonical_port(name)
            except ValueError:  # an ambiguous type, so no registered port
                continue
            if not port.startswith(self.types):
                continue
            if not dot:
                ports.setdefault(port, []).extend(lines)
            elif bridging := [line for line in lines if line not in routing]:
                ports.setdefault(port, []).extend(bridging)
        return ports

    def mirrors(self, config: str) -> Iterator[tuple[str, str]]:
        """Yield each port to which frames of other ports are copied, with the line that says so."""
        for match in MIRROR.finditer(config):
            kind = ""
            ports = _AFTER_MIRRORED.split(match[1])[0]  # ``Gi1/0/3 ingress untagged vlan 5``
            for name in _MIRRORED.finditer(ports):
                kind = name[1] or kind
                slot, slash, first = name[2].rpartition("/")
                for number in range(int(first), int(name[3] or first) + 1):
                    shown = self.short_forms.get(kind.lower(), kind)
                    for port in self.port_lines([(f"{shown}{slot}{slash}{number}", [])]):
                        yield port, match[0].strip()

    def is_open(self, lines: Sequence[str]) -> bool:
        """Return whether an interface with these lines is open."""
        return "shutdown" not in lines

    def is_management(self, lines: Sequence[str]) -> bool:
        """Return whether an interface with these lines is the management port, not a switch port.

        On Catalyst switches it has an ordinary name, such as ``GigabitEthernet0/0``.
        """
        return any(MANAGEMENT_VRF.fullmatch(line) for line in lines)

    def read_vlans(self, options: Options) -> list[str]:
        """Show the VLANs; the running configuration does not always contain them."""
        return ["show vlan brief"]

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Read the first column of the table."""
        return frozenset(
            int(match[1])
            for answer in answers
            for match in re.finditer(r"^\s{0,3}(\d{1,4})\s+\S+", answer, re.M)
            if 1 <= int(match[1]) <= 4094
        )


def range_with_blanks(spans: Sequence[portnames.Span]) -> str:
    """Write spans of ports as every IOS takes them: ``Gi1/0/1 - 24 , Gi1/0/30``."""
    return " , ".join(span.text(dash=" - ") for span in spans)


def sections(config: str) -> Iterator[tuple[str, list[str]]]:
    """Split a running configuration into its ``interface`` sections."""
    for match in re.finditer(
        r"^interface +(\S+(?: ?\d\S*)?)[ \t]*\n((?:[ \t]+[^\n]*\n?)*)",
        config.replace("\r", ""),
        re.M | re.I,
    ):
        yield match[1], [line.strip() for line in match[2].splitlines()]
