"""Reads the state of ports from the running configuration of a FastIron switch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from haas_rpcd.drivers.switch.harmless import HarmlessLines
from haas_rpcd.drivers.switch.portnames import numbers
from haas_rpcd.drivers.switch.stanzas import stanzas
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PortConfig

DEFAULT_VLAN = 1

HARMLESS = (
    "port-name",
    "(?:no )?speed-duplex",
    "(?:no )?gig-default",
    "(?:no )?flow-control",
    "(?:no )?link-config",
    "(?:no )?optical-monitor",
    "(?:no )?inline power",
    "(?:no )?legacy-inline-power",
    "(?:no )?load-interval",
    "(?:no )?snmp-server",
    "(?:no )?sflow",
    "(?:no )?rate-limit",
    "(?:no )?(?:broadcast|multicast|unknown-unicast) limit",
    "(?:no )?(?:priority|trust|qos)",
    "(?:no )?spanning-tree",
    "(?:no )?stp-(?:bpdu-guard|protect)",
    "(?:no )?(?:pvst-mode|rstp)",
    "(?:no )?loop-detection",
    "(?:no )?link-(?:keepalive|error-disable|oam)",
    "(?:no )?(?:cdp|fdp|lldp)",
    "(?:no )?(?:dhcp|dhcp6) snooping",
    "(?:no )?(?:arp inspection|source-guard)",
    "(?:no )?(?:ip|ipv6) access-group",
    "(?:no )?mac filter-group",
    "(?:no )?mon(?:itor)? ethe\\w*",  # its frames are copied elsewhere
    # ``port security``, and what stands below it
    "(?:no )?port security",
    "enable$",
    "(?:no )?(?:maximum|violation|secure-mac-address|age|autosave)",
)
"""Lines of a port that add or remove no VLAN.

Sources: Ruckus' "FastIron Command Reference" and "Layer 2 Switching Configuration Guide" (08.0.80
to 08.0.95); the published configurations in tests/unit/readings/brocade_fastiron.toml."""

_HARMLESS_OF_VLAN = re.compile(
    r"(?:no )?(?:name|router-interface|spanning-tree|management-vlan|default-gateway|multicast6?|"
    r"priority|static-mac-address|loop-detection|vsrp|topology-group|802-1w|ip|ipv6|"
    r"metro-rings?|ring-interfaces|master|enable|diagnostics|hello-time|preforwarding-time)(?![\w-])"
)
_HARMLESS_ELSEWHERE = re.compile(
    r"(?:no )?(?:lldp|fdp|cdp|inline power|snmp-server|sflow|logging|link-keepalive|ip|ipv6|"
    r"optical-monitor|loop-detection|errdisable|static-mac-address|hitless|jumbo|SYSLOG)\b"
)
_EVERY_PORT = re.compile(r"\benable all\s*$")
"""802.1X, MAC authentication or the registration of VLANs on all ports: ``dot1x enable all`` and
``mac-authentication enable all`` below ``authentication``, which moves all ports to the
``auth-default-vlan`` (Ruckus' "FastIron Security Configuration Guide" 08.0.80, "Configuring
Flexible authentication globally"), ``mvrp enable all``, ``enable all`` below ``gvrp-enable``."""

_BEGIN = re.compile(r"vlan \d+|interface (?:ethe|lag)")
_END = re.compile(r"end\s*$")
_PAUSE = re.compile(r"!\s*$")
_LIST = re.compile(
    r"\b(ethe\w*|lag|stack-(?:port|trunk)) (\d+(?:/\d+)*)(?: to (\d+(?:/\d+)*))?(?!\S*\.)"
)


class FastIronConfig:
    """The state of ports by a running configuration."""

    def __init__(
        self, canonical: Callable[[str], str], harmless: HarmlessLines, dual_mode: bool
    ) -> None:
        """``dual_mode``: a port that is tagged on some VLAN leaves the default VLAN."""
        self._canonical = canonical
        self._harmless = harmless
        self._leaves_home = dual_mode
        self._untagged: dict[str, int] = {}
        self._tagged: dict[str, set[int]] = {}
        self._taken_off: set[tuple[int, str]] = set()
        self._unknown: dict[str, str] = {}
        self._every_port: str | None = None

    def read(self, config: str, brief: str) -> dict[str, PortState]:
        """Combine the sections of VLANs and ports, for all ports in the table ``brief``."""
        own: dict[str, list[str]] = {}
        for header, lines in stanzas(config, _BEGIN, _END, _PAUSE):
            match header.split():
                case ["vlan", vlan, *_] if vlan.isdecimal():
                    self._vlan(int(vlan), lines)
                case ["interface", *_]:
                    for port in _members(header):
                        own.setdefault(self._canonical(port), []).extend(lines)
                case _:
                    self._doubt(line for line in lines if not _HARMLESS_ELSEWHERE.match(line))
        for lines in own.values():
            self._doubt(line for line in lines if line not in self._harmless)
        found = re.search(r"\bdefault-vlan-id (\d+)", config)
        home = int(found[1]) if found else DEFAULT_VLAN
        names = re.findall(r"^((?:lg)?\d+(?:/\d+)*)[ \t]+\S+[ \t]", brief, re.M)
        ports = [self._canonical(name.replace("lg", "lag ")) for name in names]
        return {
            port: self._state(port, own.get(port, ()), home)
            for port in dict.fromkeys([*ports, *own])
        }

    def _vlan(self, vlan: int, lines: Sequence[str]) -> None:
        members: set[str] = set()
        strange: list[str] = []
        for line in lines:
            match line.split(maxsplit=1):
                case ["tagged", listed]:
                    for port in self._named(listed):
                        self._tagged.setdefault(port, set()).add(vlan)
                        members.add(port)
                case ["untagged", listed]:
                    ports = self._named(listed)
                    self._untagged |= dict.fromkeys(ports, vlan)
                    members.update(ports)
                case ["no", what] if what.startswith("untagged "):
                    self._taken_off |= {(vlan, port) for port in self._named(what)}
                case _:
                    if not _HARMLESS_OF_VLAN.match(line):
                        strange.append(line)
        self._doubt(strange)
        for line in strange[:1]:
            self._unknown = dict.fromkeys(members, line) | self._unknown

    def _doubt(self, lines: Iterable[str]) -> None:
        """Note the ports that lines elsewhere concern."""
        for line in lines:
            if _EVERY_PORT.search(line) and line not in self._harmless:
                self._every_port = line
            for port in self._named(line):
                self._unknown.setdefault(port, line)

    def _named(self, line: str) -> list[str]:
        return [self._canonical(name) for name in _members(line)]

    def _state(self, port: str, lines: Sequence[str], home: int) -> PortState:
        tagged = self._tagged.get(port, set())
        untagged = self._untagged.get(port)
        is_open = True
        voice: int | None = None
        unknown: list[str] = []
        for line in lines:
            match line.split():
                case ["disable"]:
                    is_open = False
                case ["dual-mode"]:
                    untagged = home
                case ["voice-vlan", vlan] if vlan.isdecimal():
                    voice = int(vlan)
                case ["dual-mode", vlan] if vlan.isdecimal():
                    untagged = int(vlan)
                case _:
                    if line not in self._harmless:
                        unknown.append(line)
        if port in self._unknown:
            unknown.append(self._unknown[port])
        if self._every_port is not None:
            unknown.append(self._every_port)
        left_home = self._leaves_home or (home, port) in self._taken_off
        if untagged is None and not (tagged and left_home):
            untagged = home
        # A port in dual mode is also tagged on its untagged VLAN. If it has no other tagged VLAN,
        # keep that one in the list, because the port must leave it as a tagged one.
        listed = tagged - {untagged} or tagged
        # A telephone's VLAN counts also if it does not list the port. Then nothing can take it off.
        carried = listed | ({voice} if voice is not None and voice != untagged else set())
        config = PortConfig(untagged, tuple(sorted(carried)))
        return PortState(
            config, is_open, next(iter(unknown), None), in_managed_form=carried == listed
        )


def _members(text: str) -> Iterator[str]:
    """Read ``ethe 1/1/1 to 1/1/4 ethe 1/2/1 lag 3``."""
    for match in _LIST.finditer(text):
        kind = "lag" if match[1] == "lag" else "ethernet"
        slot, slash, first = match[2].rpartition("/")
        last = (match[3] or match[2]).rpartition("/")[2]
        for number in numbers(first, last):
            yield f"{kind} {slot}{slash}{number}"
