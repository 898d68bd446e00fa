"""Dell SmartFabric OS10 on PowerSwitch S and Z series.

Sources: Dell's "SmartFabric OS10 User Guide" (CLI basics, interfaces, VLANs), published
configurations, and open-source drivers.

Ports are registered as ``ethernet1/1/1``, or ``ethernet1/1/3:1`` if split.

Its commands resemble those of IOS, but differ in meaning. ``switchport trunk allowed vlan`` adds to
the list, so the list is read first and VLANs are removed by name. The untagged VLAN of a trunk is
its access VLAN, and must not be on the list. A fresh trunk carries VLAN 1 untagged and nothing
else. A port is shut while its mode changes. Members of port channels have ``no switchport``. Words
are never shortened, because the command line expands them as they are typed, so the echo would
differ from the line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from haas_rpcd.drivers.switch import lldptables, mactables, membership, portnames
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.channels import Channels, channel_group, channel_lines
from haas_rpcd.drivers.switch.dialect import Dialect, Reader
from haas_rpcd.drivers.switch.harmless import HarmlessLines, harmless_lines
from haas_rpcd.drivers.switch.ioslike import IOS, IOS_ABOUT, Interfaces, opened, show_vlan
from haas_rpcd.drivers.switch.stanzas import interface_sections
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.switchport import DEFAULT_VLAN, HARMLESS, HARMLESS_ROUTED
from haas_rpcd.drivers.switch.vlantables import ACTIVE, vlans_in_table
from haas_rpcd.drivers.switch.writer import (
    InContexts,
    Options,
    PortContexts,
    PortStages,
    VlanByVlan,
    Writer,
    rows_of,
)
from haas_rpcd.model import PARKED, PortConfig
from haas_rpcd.vlanranges import parse_vlan_ranges, vlan_ranges

HARMLESS_OS10 = (
    *HARMLESS,
    "(?:no )?(?:priority-flow-control|ets|dcbx|qos-map|trust-map|trust|buffer|queue)",
    "(?:no )?service-policy (?:input|output)",
    "(?:no )?(?:default mtu|unidirectional|link-bundle-monitor|uplink-state-group|scale-profile)",
    "(?:no )?(?:ip|ipv6) (?:igmp|mld|dhcp)",
    # A port-channel whose other links are on the switch's peer, which is configured by itself
    "(?:no )?vlt-port-channel",
)
"""Dell's "SmartFabric OS10 User Guide" (interfaces, Layer 2, QoS), and published configurations."""

_INTERFACES = Interfaces(types=("ethernet", "port-channel"), harmless=HARMLESS_OS10)

_VIRTUAL_NETWORKS = "show running-configuration | grep member-interface"
_IN_VIRTUAL_NETWORK = re.compile(r"\bmember-interface ((?:ethernet|port-channel) ?[\d/:]+).*")
"""A port in a virtual network, a bridge domain beside the VLANs: it carries one VLAN more, or
another one untagged. (Dell's "SmartFabric OS10 User Guide" 10.5.0, "Configure untagged access
ports"; only the section of the virtual network says so.)"""


def _channel(number: int) -> str:
    return f"port-channel{number}"


_JOINING = channel_lines()


# --- lines ----------------------------------------------------------------------------------------


def _range_line(spans: Sequence[portnames.Span]) -> str:
    """Write both ends with their whole number: ``interface range ethernet1/1/1-1/1/24``."""
    [span] = spans
    number = re.sub(r"^\D+", "", span.prefix)
    return f"interface range {span.prefix}{span.first}-{number}{span.last}"


def _port_stages(current: PortState | None, config: PortConfig, options: Options) -> PortStages:
    """Return the lines for a port. It stays open if it is in the right mode already."""
    if config.parked:
        back = ["switchport mode access", "no switchport access vlan"]
        return PortStages(["shutdown"], [[*_clear_lines(current), *back]])
    if not config.tagged:
        mode, lines = "access", [f"switchport access vlan {config.untagged}"]
    else:
        mode, lines = "trunk", [_untagged(config), *_tagged(config)]
    present = None if current is None else current.config
    if present is None or present.parked or bool(present.tagged) != bool(config.tagged):
        settings = [*_clear_lines(current), f"switchport mode {mode}", *lines]
    else:
        removed = _remove_lines(set(present.tagged) - set(config.tagged))
        settings = [f"switchport mode {mode}", *removed, *lines]
    return opened(current, config, [settings])


def _clear_lines(current: PortState | None) -> list[str]:
    """Remove a shut port from all tagged VLANs; ``no switchport`` also resets much else."""
    if current is None:
        return ["no switchport"]
    # A member has no list of its own.
    tagged = () if current.config.member else current.config.tagged
    return ["switchport mode trunk", *_remove_lines(tagged)] if tagged else []


def _remove_lines(vlans: Collection[int]) -> list[str]:
    rows = rows_of(vlan_ranges(set(vlans)))
    return [f"no switchport trunk allowed vlan {row}" for row in rows if row]


def _untagged(config: PortConfig) -> str:
    if config.untagged is None:
        return "no switchport access vlan"
    return f"switchport access vlan {config.untagged}"


def _tagged(config: PortConfig) -> list[str]:
    """Add the tagged VLANs, on several lines if there are many."""
    rows = rows_of(vlan_ranges(config.tagged))
    return [f"switchport trunk allowed vlan {row}" for row in rows]


def _vlan_lines(vlan: int, present: bool, options: Options) -> list[str]:
    """Create a VLAN through its interface, or remove it."""
    if not present:
        return [f"no interface vlan {vlan}"]
    return [f"interface vlan {vlan}", f"description haas-{vlan}", "exit"]


# --- reading back ---------------------------------------------------------------------------------


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show all ports of the types in ``ports``, and which are in virtual networks."""
    kinds = {_INTERFACES.canonical(port).rstrip("0123456789/:") for port in ports}
    shown = [
        f"show running-configuration interface {kind}"
        for kind in _INTERFACES.types
        if not ports or kind in kinds
    ] or [f"show running-configuration interface {_INTERFACES.types[0]}"]
    return [*shown, _VIRTUAL_NETWORKS]


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read the ``interface`` sections, which end with ``!``; not every release indents them."""
    found: dict[str, PortState] = {}
    members = {
        _INTERFACES.canonical(member[1].replace(" ", "")): member[0].strip()
        for answer in answers
        for member in _IN_VIRTUAL_NETWORK.finditer(answer)
    }
    for answer in answers:
        for port, lines in _INTERFACES.port_lines(
            interface_sections(answer, indented=False)
        ).items():
            state = _Port()
            lines += [members[port]] if port in members else []
            state.read(lines, harmless_lines(HARMLESS_OS10, options))
            found[port] = state.seen
    return found


_parse_vlans = vlans_in_table(ACTIVE)
"""Reads the table's first column, after its codes. (ntc-templates' template for OS9 drops rows with
any code except ``*``.)"""


@dataclass
class _Port:
    """A port while its lines are read.

    Its access VLAN is untagged in either mode. A trunk without one has no untagged VLAN.
    """

    trunk: bool = False
    untagged: int | None = None
    tagged: frozenset[int] = frozenset()
    routed: bool = False
    shut: bool = False
    unknown: list[str] = field(default_factory=list)

    def read(self, lines: Sequence[str], harmless: HarmlessLines) -> None:
        """Take in lines."""
        for line in lines:
            try:
                understood = self._understood(line.split())
            except ValueError:  # a number that is no VLAN
                understood = False
            if not understood and line not in harmless:
                self.unknown.append(line)

    def _understood(self, words: Sequence[str]) -> bool:
        match words:
            case ["shutdown"]:
                self.shut = True
            case ["no", "switchport"]:
                self.routed = True
            case ["switchport", "mode", ("access" | "trunk") as mode]:
                self.trunk = mode == "trunk"
            case ["switchport", "access", "vlan", vlan]:
                self.untagged = int(vlan)
            case ["switchport", "trunk", "allowed", "vlan", text]:
                self.tagged |= frozenset(parse_vlan_ranges(text))
            case _:
                return False
        return True

    @property
    def seen(self) -> PortState:
        """The state of the port, once all its lines are read."""
        routing = harmless_lines(HARMLESS_ROUTED if self.routed else (), {})
        unknown = next((line for line in self.unknown if line not in routing), None)
        if self.routed:
            return PortState(PARKED, not self.shut, unknown)
        untagged = self.untagged or (None if self.trunk else DEFAULT_VLAN)
        config = PortConfig(untagged, tuple(sorted(self.tagged - {untagged})))
        return PortState(config, not self.shut, unknown)


DIALECT = Dialect(
    name="dell_os10",
    title="Dell SmartFabric OS10 (PowerSwitch)",
    canonical_port=_INTERFACES.canonical,
    channels=Channels(name=_channel, member=channel_group(_channel)),
    example_ports=("ethernet1/1/1", "ethernet1/1/2"),
    port_names=_INTERFACES.names,
    trunks_need_vlans=True,
    dialogue=replace(
        IOS,
        enable=None,
        configuring=re.compile(r"\(conf[^()]*\)#"),
        errors=(*IOS.errors, r"syntax error"),
        busy=re.compile(r"locked by|(?:configuration|session) (?:is )?locked", re.I),
        save=("copy running-configuration startup-configuration",),
        # It prints nothing after a successful save; a failure is an error of the line.
        saved=re.compile(r"\A\s*\Z|copy completed", re.I),
    ),
    writer=Writer(
        ports=InContexts(
            _port_stages,
            PortContexts(max_ranges=1, range_line=_range_line, leave="exit"),
            replace(_JOINING, join=lambda channel: ["no switchport", *_JOINING.join(channel)]),
        ),
        vlans=VlanByVlan(_vlan_lines),
        needs_current="always",
        parked_config=PortConfig(DEFAULT_VLAN),
    ),
    reader=Reader(
        read_ports=_read_ports,
        parse_ports=_parse_ports,
        read_vlans=show_vlan,
        parse_vlans=_parse_vlans,
        witness=membership.Witness(line="show vlan", read=membership.coded),
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("show lldp neighbors",),
            read=lldptables.os10,
        ),
        learnt=Table(
            lines=("show mac address-table",),
            read=mactables.os10,
        ),
    ),
    about=replace(
        IOS_ABOUT,
        model=re.compile(r"^\s*System Type: *(\S+)", re.M | re.I),
        version=re.compile(r"^\s*OS Version: *(\S+)", re.M | re.I),
    ),
)
