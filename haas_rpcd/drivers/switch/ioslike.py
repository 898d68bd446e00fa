"""Parts shared by the many families whose command line resembles Cisco IOS.

They share a trap: a fresh port in trunk mode admits ALL VLANs until it is pruned. Therefore the
allowed VLANs are set before the mode, and the mode before ``no shutdown``, each in its own stage.
An open port whose mode changes is shut for that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.dialect import About
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.stanzas import interface_sections
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.switchport import HARMLESS, HARMLESS_SUBINTERFACE, Switchport
from haas_rpcd.drivers.switch.vlantables import STATUS, vlans_in_table
from haas_rpcd.drivers.switch.writer import (
    MAX_LIST,
    Options,
    PortStages,
    rows_of,
    stays_open,
)
from haas_rpcd.model import PortConfig
from haas_rpcd.vlanranges import vlan_ranges

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


IOS = Dialogue(
    enable="enable",
    enable_failed=re.compile(
        r"% ?(?:bad secrets?|access denied|bad passwords?|no password set|error in authentication|"
        r"authentication failed|incorrect (?:login/)?password)[^\r\n]*(?=[\r\n])",
        re.I,
    ),
    setup=("terminal length 0",),
    errors=(
        r"%",
        r"command rejected",
        r"error\b",
        r"invalid input",
        r"incomplete command",
    ),
    optional_lines=("no switchport voice vlan", "no switchport phone vlan"),
    benign=(
        r"%\s?access vlan does not exist\. creating vlan",
        r"%\s?warning: portfast",
        r"%\s?applying vlan changes",
        r"%\s?vlan \d+ (?:created|already exists|added)",
        r"%\s?portfast has been configured",
        r"%\s?warning\b",
    ),
    enter_config=("configure terminal",),
    leave_config=("end",),
    save=("write memory",),
    saved=re.compile(r"\[OK\]"),
)
"""The dialogue with IOS, of which a family replaces what is different."""

IOS_ABOUT = About(show_version=("show version",), show_uptime="show version")


# --- lines ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SwitchportLines:
    """Makes ``switchport …`` lines; :meth:`stages` is a :data:`writer.StagesOf`."""

    no_access_vlan: str = "no switchport access vlan"
    no_native_vlan: str = "no switchport trunk native vlan"
    """Lines that restore the default VLAN. As the native VLAN of a trunk it is not in the list of
    allowed VLANs, so untagged frames are dropped."""

    no_voice_vlan: tuple[str, ...] = ()
    """Lines that remove a telephone's VLAN, which an access port carries tagged."""

    no_allowed_vlan: str = "switchport trunk allowed vlan none"
    trunk_mode: tuple[str, ...] = ("switchport mode trunk",)
    native_on_list: bool = False
    """True if a trunk must allow its native VLAN before it takes it."""

    before_trunk: Callable[[Options], list[str]] = field(default=lambda options: [])
    """Returns lines that a port needs before it can become a trunk."""

    def stages(self, current: PortState | None, config: PortConfig, options: Options) -> PortStages:
        """Return the lines for a port. The settings of a mode are always set before the mode."""
        if config.parked:
            cleared = ["switchport mode access", self.no_access_vlan, self.no_allowed_vlan]
            return PortStages(["shutdown"], [[*cleared, *self.no_voice_vlan]])
        native, allowed = [self._native(config)], allowed_lines(config)
        if not config.tagged:
            mode: Sequence[str] = ["switchport mode access"]
            settings = [f"switchport access vlan {config.untagged}", self.no_allowed_vlan]
        else:
            mode = self.trunk_mode
            settings = [
                *self.before_trunk(options),
                *([*allowed, *native] if self.native_on_list else [*native, *allowed]),
            ]
        return opened(current, config, [[*settings, *self.no_voice_vlan], mode])

    def _native(self, config: PortConfig) -> str:
        """Return the line that sets the VLAN of a trunk port's untagged frames."""
        if config.untagged is None:
            return self.no_native_vlan
        return f"switchport trunk native vlan {config.untagged}"


def opened(
    current: PortState | None, config: PortConfig, settings: Sequence[Sequence[str]]
) -> PortStages:
    """Return the stages of a port that is shut for its settings, unless it may stay open."""
    if stays_open(current, config):
        return PortStages(settings=settings)
    is_shut = current is not None and not current.open
    return PortStages([] if is_shut else ["shutdown"], settings, ["no shutdown"])


def allowed_lines(config: PortConfig) -> list[str]:
    """Set an absolute list of allowed VLANs, on several lines if it is long.

    The first line is absolute and the others add to it, so no line admits an unwanted VLAN.
    """
    first, *more = rows_of(vlan_ranges(config.vlans), MAX_LIST)
    return [
        f"switchport trunk allowed vlan {first}",
        *(f"switchport trunk allowed vlan add {row}" for row in more),
    ]


def vlan_lines(vlan: int, present: bool, options: Options) -> list[str]:
    """Create a VLAN (it exists once its context is left) or remove it."""
    return [f"vlan {vlan}", f"name haas-{vlan}", "exit"] if present else [f"no vlan {vlan}"]


def range_with_blanks(spans: Sequence[portnames.Span]) -> str:
    """Enter several ports as every IOS takes it: ``interface range Gi1/0/1 - 24 , Gi1/0/30``."""
    return f"interface range {' , '.join(span.text(dash=' - ') for span in spans)}"


# --- reading back ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Interfaces:
    """The ``interface`` sections of a running configuration.

    :meth:`show` and :meth:`read` are a :class:`dialect.Reader`'s ``read_ports`` and
    ``parse_ports``.
    """

    types: tuple[str, ...]
    """Types of ports. In a port's name the type may be shortened to any unambiguous prefix."""

    short_forms: Mapping[str, str] = field(default_factory=dict)
    """Short types that the switch shows, where they could mean several types (keys in lower case;
    from genieparser's ``utils/common.py``). In a port's name that somebody gives they are refused:
    not every model takes them for the same type."""

    harmless: tuple[str, ...] = HARMLESS
    """Beginnings of lines that do not affect a port's VLANs; see
    :mod:`haas_rpcd.drivers.switch.harmless`."""

    fresh: Callable[[str], Switchport] = field(default=lambda config: Switchport("access"))
    """Returns a port of which this configuration, or part of it, shows no line."""

    bulk_from: int = 4
    """With at least this many ports, one bulk read is shorter than a line for each port."""

    every_port: re.Pattern[str] | None = None
    """Global lines by which the switch changes ports by itself, so none is understood."""

    show_global: tuple[str, ...] = ()
    """Lines that show what decides about ports outside of their sections, beside those."""

    def canonical(self, port: str) -> str:
        """Write the type in full and the numbers plainly: ``gi1/0/1``: ``GigabitEthernet1/0/1``."""
        return portnames.written_out(port, self.types)

    @property
    def names(self) -> portnames.PortNames:
        """The canonical names of ports, without interfaces that are no switch ports."""
        return portnames.of_types(kind for kind in self.types if not NO_PORTS.match(kind))

    def written_out(self, shown: str) -> str:
        """Write out the type of a port that the switch shows, if it is one of ``short_forms``."""
        kind = shown.rstrip("0123456789/")
        return self.short_forms.get(kind.lower(), kind) + shown[len(kind) :]

    def show(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show the configuration of each port, or the whole one if there are many ports."""
        if not ports or len(ports) >= self.bulk_from:
            return ["show running-config"]
        return [*(f"show running-config interface {port}" for port in ports), *self.show_global]

    def read(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read the ``interface`` sections, which show only what differs from the defaults."""
        found: dict[str, PortState] = {}
        shown = "\n!\n".join(answers)
        ports = self.port_lines(interface_sections(shown))
        for port, line in self._mirrors(shown):
            ports.setdefault(port, []).append(line)
        fresh = self.fresh(shown)
        told = self.every_port.findall(shown) if self.every_port is not None else []
        for port, lines in ports.items():
            if not _is_management(lines):
                state = replace(fresh, unknown=[])
                concerning = [line for line in told if not _switched_off(line, lines)]
                state.read([*lines, *concerning], harmless_lines(self.harmless, options))
                found[port] = state.seen
        return found

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
                port = self.canonical(name)
            except ValueError:  # an ambiguous type, so no registered port
                continue
            if not port.startswith(self.types):
                continue
            if not dot:
                ports.setdefault(port, []).extend(lines)
            elif bridging := [line for line in lines if line not in routing]:
                ports.setdefault(port, []).extend(bridging)
        return ports

    def _mirrors(self, config: str) -> Iterator[tuple[str, str]]:
        """Yield each port to which frames of other ports are copied, with the line that says so."""
        for match in MIRROR.finditer(config):
            kind = ""
            ports = _AFTER_MIRRORED.split(match[1])[0]  # ``Gi1/0/3 ingress untagged vlan 5``
            for name in _MIRRORED.finditer(ports):
                kind = name[1] or kind
                slot, slash, first = name[2].rpartition("/")
                for number in portnames.numbers(first, name[3] or first):
                    shown = self.written_out(f"{kind}{slot}{slash}{number}")
                    for port in self.port_lines([(shown, [])]):
                        yield port, match[0].strip()


def _switched_off(told: str, lines: Sequence[str]) -> bool:
    """Return whether lines of a port switch a global one off: ``no macro auto processing``."""
    off = f"no {' '.join(told.split()[:2])}"
    return any(line.startswith(off) for line in lines)


def _is_management(lines: Sequence[str]) -> bool:
    """Return whether an interface with these lines is the management port, not a switch port.

    On Catalyst switches it has an ordinary name, such as ``GigabitEthernet0/0``.
    """
    return any(MANAGEMENT_VRF.fullmatch(line) for line in lines)


def show_vlan_brief(options: Options) -> list[str]:
    """Show the VLANs; the running configuration does not always contain them."""
    return ["show vlan brief"]


def show_vlan(options: Options) -> list[str]:
    """Show the VLANs, in families without a shorter table."""
    return ["show vlan"]


vlan_table = vlans_in_table(STATUS)
"""Reads the VLANs that ``show vlan brief`` shows."""
