"""Parts shared by two families of Dell: PowerConnect 55xx and the N-series (OS6).

Only their command lines are related: one is Marvell's ROS, the other Broadcom's FASTPATH. The
running configuration of both shows an interface only if it differs from the defaults, so the list
of existing ports comes from a second table. A section ends with ``exit`` or ``!``; its lines may or
may not be indented.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.harmless import HarmlessLines, harmless_lines
from haas_rpcd.drivers.switch.ioslike import IOS
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.switchport import ALL_VLANS, DEFAULT_VLAN, HARMLESS, vlan_set
from haas_rpcd.drivers.switch.writer import Options
from haas_rpcd.model import PortConfig

HARMLESS_DELL = (
    *HARMLESS,
    "(?:no )?(?:back-pressure|green-mode|green-ethernet|eee|sflow|rmon|loopback-detection)",
    "(?:no )?(?:port storm-control|port security|port jumbo-frame|port-security)",
    "(?:no )?(?:qos|classofservice|cos-queue|traffic-shape|rate-limit|service-acl|diffserv)",
    "(?:no )?(?:isdp|ip source-guard|ip verify|ip igmp|ipv6 mld|dhcp l2relay)",
    "(?:no )?(?:bridge multicast|garp timer|poe)",
    # In general mode: which of the frames of its VLANs a port takes
    "switchport general acceptable-frame-type",
    "no (?:gvrp|dot1x|voice|mac-based|switchport (?:protected|customer|voice|community))",
)
"""Dell's "PowerConnect 55xx Systems User Guide" and "N-Series CLI Reference Guide" (chapters about
interfaces, QoS, security). Not ``switchport general ingress-filtering disable``: such a port takes
frames of VLANs that it is not on."""

_STRAY = re.compile(r"^switchport\b|.(?<![\w-])(?:switchport\b|interface +[a-z-]+ ?\d)", re.I)
"""A line outside of a section that belongs in one, or the beginning of one after a page break.

The section may be that of any port without lines."""

_MIRROR = re.compile(r"\bmonitor session \d+ destination interface +([a-z-]+ ?\d[\d/]*)", re.I)
"""A port that gets copies of other ports' frames (OS6: "N-Series CLI Reference Guide", ``monitor
session``)."""


DELL = replace(
    IOS,
    enable_failed=re.compile(
        r"(?:% ?)?(?:incorrect password|bad passwords?|authentication failed|access denied|"
        r"no password set)[^\r\n]*(?=[\r\n])",
        re.I,
    ),
    enter_config=("configure",),
    benign=(*IOS.benign, r"these vlans do not exist"),
    save=("copy running-config startup-config",),
)
"""The dialogue with both families."""


OfEveryPort = Callable[[Sequence[str]], Sequence[str]]
"""Returns the global lines that concern a port with these lines of its own."""


def no_lines(answers: Sequence[str]) -> OfEveryPort:
    """Return a function that finds no lines: no global line concerns a port."""
    return lambda own: ()


@dataclass(frozen=True, kw_only=True)
class FlatInterfaces:
    """The ``interface`` sections of both families, and their table of ports.

    :func:`show_ports` and :meth:`read` are a :class:`dialect.Reader`'s ``read_ports`` and
    ``parse_ports``.
    """

    types: tuple[str, ...]
    fresh: Callable[[str], GeneralPort]
    """Returns a port of which this running configuration shows no line."""

    of_every_port: Callable[[Sequence[str]], OfEveryPort] = no_lines
    """Finds the global lines in answers that concern ports."""

    def canonical(self, port: str) -> str:
        """Write the type in full and in lower case; one of the families capitalizes it."""
        return portnames.written_out(port, self.types).lower()

    def read(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read the sections; a port that is only in the table has the default settings.

        Only the names are read from the table. (ntc-templates has a template for PowerConnect's
        table, but it fails at the first word that it does not know.)
        """
        lines: dict[str, list[str]] = {
            name: []
            for answer in answers[1:]
            for row in re.finditer(
                r"^ *([A-Za-z]{1,3}\d+(?:/\d+)*) +\S(?!.*Not Present)", answer, re.M
            )
            if (name := self._canonical(row[1])) is not None
        }
        listed = set(lines) if any(map(str.strip, answers[1:])) else None
        stray: list[str] = []
        mirrors: list[str] = []
        for answer in answers[:1]:
            for given, own in flat_sections(answer):
                name = self._canonical(given)
                if not given:
                    mirrors = [line for line in own if _MIRROR.search(line)]
                    stray += [
                        line
                        for line in own
                        if _STRAY.search(line) and not line.startswith("monitor session ")
                    ]
                elif name is not None and (listed is None or name in listed):
                    lines.setdefault(name, []).extend(own)
        for line in mirrors:
            for match in _MIRROR.finditer(line):
                if (name := self._canonical(match[1])) in lines:
                    lines[name].append(line)
        harmless = harmless_lines(HARMLESS_DELL, options)
        found: dict[str, PortState] = {}
        fresh, of_every_port = (
            self.fresh(answers[0] if answers else ""),
            self.of_every_port(answers),
        )
        for name, own in lines.items():
            port = replace(fresh)
            port.read([*own, *(() if own else stray), *of_every_port(own)], harmless)
            found[name] = port.seen
        return found

    def _canonical(self, port: str) -> str | None:
        try:
            return self.canonical(port)
        except ValueError:  # an unknown type, so no registered port
            return None


def show_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show the whole configuration and the table of ports, even for a single port.

    ``show running-config interface P`` prints an empty line for a port with default settings,
    and OS6 omits the port's name for all others.
    """
    return ["show running-config", "show interfaces status"]


@dataclass
class GeneralPort:
    """A port while its lines are read: in access, trunk or *general* mode.

    A list of VLANs may be shown as VLANs added to none, or as VLANs removed from all.
    """

    mode: str = "access"
    access: int | None = DEFAULT_VLAN
    native: int | None = DEFAULT_VLAN
    allowed: frozenset[int] | None = None
    """The VLANs of a trunk; None: all."""

    pvid: int | None = DEFAULT_VLAN
    general: frozenset[int] = frozenset({DEFAULT_VLAN})
    voice: int | None = None
    """The VLAN of a telephone, tagged beside the others."""

    takes_voice: bool = False
    """True if each port names its own voice VLAN (OS6)."""

    switch_voice: int | None = None
    """The switch's one voice VLAN, which a port joins once it hears a telephone (ROS)."""

    shut: bool = False
    not_understood: str | None = None

    def read(self, lines: Sequence[str], harmless: HarmlessLines) -> None:
        """Take in lines."""
        for line in lines:
            try:
                understood = self._understood(line.split())
            except ValueError:  # a number that is no VLAN
                understood = False
            if not understood and line not in harmless and self.not_understood is None:
                self.not_understood = line

    def _understood(self, words: Sequence[str]) -> bool:
        match words:
            case ["shutdown"]:
                self.shut = True
            case ["switchport", "mode", ("access" | "trunk" | "general") as mode]:
                self.mode = mode
            case ["switchport", "access", "vlan", vlan]:
                self.access = _vlan(vlan)
            case ["switchport", "trunk", "native", "vlan", vlan]:
                self.native = _vlan(vlan)
            case ["switchport", "trunk", "allowed", "vlan", *what]:
                return self._allow(what)
            case ["switchport", "general", "pvid", vlan]:
                self.pvid = _vlan(vlan)
            case ["switchport", "general", "allowed", "vlan", "remove", text]:
                self.general -= vlan_set(text)
            case ["switchport", "general", "allowed", "vlan", "add", text]:
                self.general |= vlan_set(text)
            case ["switchport", "general", "allowed", "vlan", "add", text, "tagged" | "untagged"]:
                self.general |= vlan_set(text)
            case ["voice", "vlan", vlan] if vlan.isdecimal() and self.takes_voice:
                self.voice = int(vlan)
            case ["voice", "vlan", "enable"] if self.switch_voice is not None:
                self.voice = self.switch_voice
            case _:
                return False
        return True

    def _allow(self, what: Sequence[str]) -> bool:
        match what:
            case ["none"]:
                self.allowed = frozenset()
            case ["all"]:
                self.allowed = None
            case ["add", text]:
                self.allowed = (self.allowed or frozenset()) | vlan_set(text)
            case ["remove", text]:
                every = ALL_VLANS if self.allowed is None else self.allowed
                self.allowed = every - vlan_set(text)
            case ["except", text]:
                self.allowed = ALL_VLANS - vlan_set(text)
            case [text]:
                self.allowed = vlan_set(text)
            case _:
                return False
        return True

    @property
    def seen(self) -> PortState:
        """The state of the port, once all its lines are read."""
        if self.mode == "access":
            vlans, untagged = _those(self.access), self.access
        elif self.mode == "general":
            vlans, untagged = self.general, self.pvid
        else:
            vlans, untagged = ALL_VLANS if self.allowed is None else self.allowed, self.native
        config = _carrying(vlans | _those(self.voice), untagged)
        managed = self.mode != "general" and self.voice is None
        return PortState(config, not self.shut, self.not_understood, in_managed_form=managed)


def _vlan(text: str) -> int | None:
    """Read a VLAN, or ``none``. Raises ValueError."""
    return None if text == "none" else int(text)


def _those(vlan: int | None) -> frozenset[int]:
    return frozenset() if vlan is None else frozenset({vlan})


def _carrying(vlans: frozenset[int], untagged: int | None) -> PortConfig:
    return PortConfig(
        untagged=untagged if untagged in vlans else None,
        tagged=tuple(sorted(vlans - {untagged})),
    )


def flat_sections(config: str) -> Iterator[tuple[str, list[str]]]:
    """Split a running configuration into its ``interface`` sections, indented or not.

    All lines outside of them come last, under an empty name. OS6 leaves an empty line inside a
    section where a page was turned.
    """
    name = ""
    lines: list[str] = []
    others: list[str] = []
    for row in config.replace("\r", "").split("\n"):
        text = row.strip()
        begun = re.fullmatch(r"interface +([A-Za-z][\w-]*? ?\d[\d/]*)", text, re.I)
        if begun or text in ("exit", "!"):
            if name:
                yield name, lines
            name, lines = (begun[1] if begun else ""), []
        elif text and not text.startswith("!"):
            (lines if name else others).append(text)
    if name:
        yield name, lines
    yield "", others
