"""What the many families whose command line resembles Cisco IOS have in common.

The trap of them all: a fresh port in trunk mode admits ALL VLANs until it is pruned. So the list of
allowed VLANs is written before the mode, and the mode before ``no shutdown``, each in a stage of
its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.dialect import Dialect, Options, PortState
from haas_rpcd.model import PortConfig, parse_vlan_ranges, vlan_ranges

NO_PORTS = re.compile(
    r"(?:vlan|vxlan|loopback|tunnel|null|nve|bdi|management|mgmt|control-plane)", re.I
)
"""Interfaces that are no ports of the switch: its own addresses, and the port to manage it by."""

DEFAULT_VLAN = 1
ALL_VLANS = tuple(range(1, 4095))


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
    """From so many ports on, one bulk read is shorter than a line for each."""

    types: tuple[str, ...] = ()
    """Types of ports, which may be shortened as long as it stays clear which is meant."""

    no_access_vlan: str = "no switchport access vlan"
    no_native_vlan: str = "no switchport trunk native vlan"
    """Lines that set the default VLAN: native then, which the list of allowed ones leaves out."""

    no_allowed_vlan: str = "switchport trunk allowed vlan none"
    trunk_mode: tuple[str, ...] = ("switchport mode trunk",)
    shows_default_mode: str = "access"
    """The mode of a port of whose mode the configuration does not speak."""

    # --- lines ------------------------------------------------------------------------------------

    def canonical_port(self, port: str) -> str:
        """Write the type out and the numbers plainly: ``gi1/0/1`` is ``GigabitEthernet1/0/1``."""
        return portnames.written_out(port, self.types)

    def port_stages(self, config: PortConfig, options: Options) -> list[list[str]]:
        """Give the lines for a port. What the inactive mode holds is always set before the mode."""
        if config.parked:
            return [
                ["shutdown"],
                ["switchport mode access", self.no_access_vlan, self.no_allowed_vlan],
            ]
        if not config.tagged:
            return [
                [f"switchport access vlan {config.untagged}", self.no_allowed_vlan],
                ["switchport mode access"],
                ["no shutdown"],
            ]
        return [
            [*self.before_trunk(options), *self.native_lines(config), *self.allowed_lines(config)],
            list(self.trunk_mode),
            ["no shutdown"],
        ]

    def before_trunk(self, options: Options) -> list[str]:
        """Give lines that a port wants before it can be a trunk."""
        return []

    def native_lines(self, config: PortConfig) -> list[str]:
        """Give the lines that set what a trunk port does with frames that have no tag."""
        if config.untagged is None:
            return [self.no_native_vlan]
        return [f"switchport trunk native vlan {config.untagged}"]

    def allowed_lines(self, config: PortConfig) -> list[str]:
        """Write an absolute list of allowed VLANs, over several lines where one is too long.

        The first line is absolute and the others add to it, so no line admits anything unwanted.
        """
        first, *more = self.split_list(vlan_ranges(config.vlans))
        return [
            f"switchport trunk allowed vlan {first}",
            *(f"switchport trunk allowed vlan add {row}" for row in more),
        ]

    def vlan_lines(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Make a VLAN (it exists once its mode has been left) or remove it."""
        return [f"vlan {vlan}", f"name haas-{vlan}", "exit"] if present else [f"no vlan {vlan}"]

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show the ports' configuration: one by one, or all of it when they are many."""
        if not ports or len(ports) >= self.bulk_from:
            return ["show running-config"]
        return [f"show running-config interface {port}" for port in ports]

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read ``interface`` sections; they show only what differs from the defaults."""
        found: dict[str, PortState] = {}
        for answer in answers:
            for name, lines in sections(answer):
                if NO_PORTS.match(name):
                    continue
                try:
                    canonical = self.canonical_port(name)
                except ValueError:  # of a kind that we know nothing of: no port that was registered
                    continue
                found[canonical] = self.port_state(lines)
        return found

    def port_state(self, lines: Sequence[str]) -> PortState:
        """Say what an interface with these lines is set to carry, and whether it is open.

        One that is in neither mode negotiates: it is an access port until its node asks for a
        trunk, so it counts as carrying what it then would.
        """
        access, native = DEFAULT_VLAN, DEFAULT_VLAN
        allowed: set[int] | None = None
        mode = self.shows_default_mode
        for line in lines:
            match line.split():
                case ["switchport", "mode", word, *_]:
                    mode = word
                case ["switchport", "access", "vlan", vlan] if vlan.isdecimal():
                    access = int(vlan)
                case ["switchport", "trunk", "native", "vlan", vlan] if vlan.isdecimal():
                    native = int(vlan)
                case ["switchport", "trunk", "allowed", "vlan", "none"]:
                    allowed = set()
                case ["switchport", "trunk", "allowed", "vlan", "add", text]:
                    allowed = (allowed or set()) | set(parse_vlan_ranges(text))
                case ["switchport", "trunk", "allowed", "vlan", text] if text[0].isdecimal():
                    allowed = set(parse_vlan_ranges(text))
        return PortState(_config(mode, access, native, allowed), self.is_open(lines))

    def is_open(self, lines: Sequence[str]) -> bool:
        """Whether an interface with these lines is not shut."""
        return "shutdown" not in lines

    def read_vlans(self, options: Options) -> list[str]:
        """Show the VLANs; the running configuration does not always have them."""
        return ["show vlan brief"]

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Read the first column of the table."""
        return frozenset(
            int(match[1])
            for answer in answers
            for match in re.finditer(r"^\s{0,3}(\d{1,4})\s+\S+", answer, re.M)
            if 1 <= int(match[1]) <= 4094
        )


def range_with_blanks(runs: Sequence[portnames.Span]) -> str:
    """Name runs of ports as IOS always took them: ``Gi1/0/1 - 24 , Gi1/0/30``."""
    return " , ".join(
        f"{run.prefix}{run.first} - {run.last}" if run.last > run.first else portnames.names(run)[0]
        for run in runs
    )


def sections(config: str) -> Iterator[tuple[str, list[str]]]:
    """Split a running configuration into its ``interface`` sections."""
    for match in re.finditer(
        r"^interface +(\S+(?: ?\d\S*)?)[ \t]*\n((?:[ \t]+[^\n]*\n?)*)",
        config.replace("\r", ""),
        re.M | re.I,
    ):
        yield match[1], [line.strip() for line in match[2].splitlines()]


def _config(mode: str, access: int, native: int, allowed: set[int] | None) -> PortConfig:
    if mode == "access":
        return PortConfig(untagged=access)
    carried = set(ALL_VLANS) if allowed is None else allowed
    if mode != "trunk":
        return PortConfig(untagged=access, tagged=tuple(sorted(carried - {access})))
    return PortConfig(
        untagged=native if native in carried else None,
        tagged=tuple(sorted(carried - {native})),
    )
