"""The base of two families of Dell: PowerConnect 55xx and the N-series (OS6).

Only their command lines are related: one is Marvell's ROS, the other Broadcom's FASTPATH. The
running configuration of both shows an interface only if it differs from the defaults, so the list
of existing ports comes from a second table. A section ends with ``exit`` or ``!``; its lines may or
may not be indented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from haas_rpcd.drivers.switch.dialect import Options
from haas_rpcd.drivers.switch.ioslike import IosLike
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.switchport import ALL_VLANS, DEFAULT_VLAN
from haas_rpcd.model import PortConfig, parse_vlan_ranges


class DellLike(IosLike):
    """The base of both dialects."""

    enable_failed = re.compile(
        r"(?:% ?)?(?:incorrect password|bad passwords?|authentication failed|access denied|"
        r"no password set)[^\r\n]*(?=[\r\n])",
        re.I,
    )
    enter_config = ("configure",)
    benign = (*IosLike.benign, r"these vlans do not exist")
    max_ranges = 4

    def canonical_port(self, port: str) -> str:
        """Write the type in full and in lower case; one of the families capitalizes it."""
        return super().canonical_port(port).lower()

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show the whole configuration and the table of ports, even for a single port.

        ``show running-config interface P`` prints an empty line for a port with default settings,
        and OS6 omits the port's name for all others.
        """
        return ["show running-config", "show interfaces status"]

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read the sections; a port that is only in the table has the default settings.

        Only the names are read from the table. (ntc-templates has a template for PowerConnect's
        table, but it fails at the first word that it does not know.)
        """
        found = {
            name: self.port_state([], options)
            for answer in answers[1:]
            for row in re.finditer(
                r"^ *([A-Za-z]{1,3}\d+(?:/\d+)*) +\S(?!.*Not Present)", answer, re.M
            )
            if (name := self._canonical(row[1])) is not None
        }
        listed = set(found)
        for answer in answers[:1]:
            for given, lines in flat_sections(answer):
                name = self._canonical(given)
                if name is not None and (name in listed or not listed):
                    found[name] = self.port_state(lines, options)
        return found

    def _canonical(self, port: str) -> str | None:
        try:
            return self.canonical_port(port)
        except ValueError:  # an unknown type, so no registered port
            return None

    def port_state(self, lines: Sequence[str], options: Options) -> PortState:
        """Return the state of an interface with these lines.

        A list of VLANs may be shown as VLANs added to none, or as VLANs removed from all.
        """
        mode = "access"
        access: int | None = DEFAULT_VLAN
        native: int | None = DEFAULT_VLAN
        pvid: int | None = DEFAULT_VLAN
        allowed: frozenset[int] | None = None
        general = frozenset({DEFAULT_VLAN})
        for line in lines:
            match line.split():
                case ["switchport", "mode", word, *_]:
                    mode = word
                case ["switchport", "access", "vlan", vlan]:
                    access = int(vlan) if vlan.isdecimal() else None
                case ["switchport", "trunk", "native", "vlan", vlan]:
                    native = int(vlan) if vlan.isdecimal() else None
                case ["switchport", "trunk", "allowed", "vlan", *words]:
                    allowed = _listed(allowed, words)
                case ["switchport", "general", "pvid", vlan] if vlan.isdecimal():
                    pvid = int(vlan)
                case ["switchport", "general", "allowed", "vlan", "remove", text, *_]:
                    general -= set(parse_vlan_ranges(text))
                case ["switchport", "general", "allowed", "vlan", "add", text, *_]:
                    general |= set(parse_vlan_ranges(text))
        if mode == "access":
            config = PortConfig(untagged=access)
        elif mode == "general":
            config = _carrying(general, pvid)
        else:  # a trunk, or a mode that is only known to carry what a trunk would
            config = _carrying(frozenset(ALL_VLANS) if allowed is None else allowed, native)
        return PortState(config, self.is_open(lines))


def _listed(before: frozenset[int] | None, words: Sequence[str]) -> frozenset[int] | None:
    """Apply one ``switchport trunk allowed vlan …`` to the list before it (None: all VLANs)."""
    match words:
        case ["none"]:
            return frozenset()
        case ["add", text]:
            return (before or frozenset()) | set(parse_vlan_ranges(text))
        case ["remove", text]:
            every = frozenset(ALL_VLANS) if before is None else before
            return every - set(parse_vlan_ranges(text))
        case ["except", text]:
            return frozenset(ALL_VLANS) - set(parse_vlan_ranges(text))
        case [text] if text[0].isdecimal():
            return frozenset(parse_vlan_ranges(text))
    return None


def _carrying(vlans: frozenset[int], untagged: int | None) -> PortConfig:
    return PortConfig(
        untagged=untagged if untagged in vlans else None,
        tagged=tuple(sorted(vlans - {untagged})),
    )


def flat_sections(config: str) -> Iterator[tuple[str, list[str]]]:
    """Split a running configuration into its ``interface`` sections, indented or not.

    OS6 leaves an empty line inside a section where a page was turned.
    """
    name: str | None = None
    lines: list[str] = []
    for row in config.replace("\r", "").split("\n"):
        text = row.strip()
        begun = re.fullmatch(r"interface +([A-Za-z][\w-]*? ?\d[\d/]*)", text, re.I)
        if begun or text in ("exit", "!"):
            if name is not None:
                yield name, lines
            name, lines = (begun[1] if begun else None), []
        elif name is not None and text:
            lines.append(text)
    if name is not None:
        yield name, lines
