"""What Dell's own two families resemble each other in: PowerConnect 55xx and the N-series (OS6).

They are kin by their command line only: one is Marvell's ROS, the other Broadcom's FASTPATH. Both
show an interface in the running configuration only where something about it is not the default,
so the ports there are come from a table beside it. A section is ended by ``exit`` or ``!``, and its
lines may or may not be indented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from haas_rpcd.drivers.switch.dialect import Options, PortState
from haas_rpcd.drivers.switch.ioslike import ALL_VLANS, DEFAULT_VLAN, IosLike
from haas_rpcd.model import PortConfig, parse_vlan_ranges


class DellLike(IosLike):
    """The base of both."""

    enable_failed = re.compile(
        r"(?:% ?)?(?:incorrect password|bad passwords?|authentication failed|access denied|"
        r"no password set)[^\r\n]*(?=[\r\n])",
        re.I,
    )
    enter_config = ("configure",)
    benign = (*IosLike.benign, r"these vlans do not exist")
    max_ranges = 4

    def canonical_port(self, port: str) -> str:
        """Names are written in small letters on one family, and begin with a capital on the other.

        The type in full and in small letters is one name for both ways.
        """
        return super().canonical_port(port).lower()

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show all of the configuration, and which ports there are, however few are asked for.

        ``show running-config interface P`` prints nothing but an empty line for a port at its
        defaults, and on OS6 it leaves the port's name out for any other.
        """
        return ["show running-config", "show interfaces status"]

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read the sections; a port that is in the table and has none is at its defaults.

        Of the table only the names are read. (ntc-templates has a template for PowerConnect's,
        which gives up at the first word it doesn't know.)
        """
        found = {
            name: self.port_state([])
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
                    found[name] = self.port_state(lines)
        return found

    def _canonical(self, port: str) -> str | None:
        try:
            return self.canonical_port(port)
        except ValueError:  # of a kind that we know nothing of: no port that was registered
            return None

    def port_state(self, lines: Sequence[str]) -> PortState:
        """Say what an interface with these lines is set to carry, and whether it is open.

        A list of VLANs may be shown as what was added to none or as what was removed from all.
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
        else:  # a trunk, or a mode of which we know only that it lets through what one does
            config = _carrying(frozenset(ALL_VLANS) if allowed is None else allowed, native)
        return PortState(config, self.is_open(lines))


def _listed(before: frozenset[int] | None, words: Sequence[str]) -> frozenset[int] | None:
    """Read one ``switchport trunk allowed vlan …`` on top of those before it (None: all)."""
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
    """Split a running configuration into its sections of interfaces, indented or not.

    Where a page was turned, OS6 leaves an empty line in the midst of one.
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
