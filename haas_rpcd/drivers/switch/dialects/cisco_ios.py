"""Cisco IOS on Catalyst switches.

Facts from Cisco's "Catalyst 2960 Switch Command Reference" (Release 15) and from the notes on
vendors' command lines. The trap: a fresh port in trunk mode admits all VLANs until it is pruned, so
the list of allowed VLANs is always written before the mode, and the mode before ``no shutdown``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from haas_rpcd.drivers.switch.dialect import Dialect, Options, at_end
from haas_rpcd.model import PARKED, PortConfig, parse_vlan_ranges, vlan_ranges

_LIST_LENGTH = 180
"""Characters of a VLAN list on one line: IOS cuts lines at 254 characters."""

_BULK = 4
"""From so many ports on, one ``show running-config`` is shorter than a line for each."""

_BENIGN = re.compile(
    r"^%\s?(?:Access VLAN does not exist\. Creating vlan|Warning: portfast|Applying VLAN changes|"
    r"VLAN \d+ created|Portfast has been configured)",
    re.I,
)

_TYPES = (
    "Ethernet",
    "FastEthernet",
    "GigabitEthernet",
    "TwoGigabitEthernet",
    "FiveGigabitEthernet",
    "TenGigabitEthernet",
    "TwentyFiveGigE",
    "FortyGigabitEthernet",
    "HundredGigE",
    "AppGigabitEthernet",
    "Port-channel",
)
"""Types of ports, which IOS lets one shorten as long as it stays clear which is meant."""

_DEFAULT_VLAN = 1
_ALL = tuple(range(1, 4095))


class CiscoIos(Dialect):
    """``cisco_ios``. Option ``encapsulation``: "dot1q", for models that also know ISL (3560, 3750).

    On those, ``switchport mode trunk`` is refused until the encapsulation has been set; on the
    others there is no such command.
    """

    name = "cisco_ios"
    options = frozenset({"encapsulation"})
    any_prompt = at_end(r"[\w.:/@-]+(?:\([\w.:/ -]*\))?[>#] ?")
    enable = "enable"
    enable_failed = re.compile(
        r"% ?(?:bad secrets?|access denied|bad passwords?|no password set|error in authentication)"
        r"[^\r\n]*(?=[\r\n])",
        re.I,
    )
    setup = ("terminal length 0", "terminal width 511")
    goodbye = ("exit",)
    pager = at_end(r"[\x08 ]*--More--[\x08 ]*")
    question = at_end(r"[^\r\n]*(?:\[confirm\]|\(y/n\)[^\r\n]{0,4}|filename \[[^\]]*\]\? ?)")
    enter_config = ("configure terminal",)
    leave_config = ("end",)
    save = ("write memory",)
    version = ("show version",)

    def own_prompt(self, prompt: str) -> re.Pattern[str]:
        """Match this host's prompts; IOS shortens a long name in front of ``(config-if)``."""
        host = re.escape(prompt.rstrip("#> ").split("(")[0][:16])
        logs = r"(?:[\r\n]+[*.]?[^\r\n]*%[A-Z][A-Z0-9_]*-[0-7]-[^\r\n]*(?=[\r\n]))*[\r\n]*"
        return re.compile(
            rf"(?:(?<=\n)|(?<=\r)|\A){host}[^\s#>()]*(?:\([^()\r\n]*\))?[>#] ?{logs}\Z"
        )

    def answer(self, question: str) -> str:
        """Take the default of a question: a key for ``[confirm]``, Enter for a file name."""
        return "y" if "y/n" in question.lower() else "\r\n"

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """Take every line that begins with % as an error, but those known to be mere remarks."""
        lines = [line.strip() for line in answer.splitlines()]
        for line in lines:
            if line.startswith("%") and not _BENIGN.match(line):
                return line
            if line.startswith(("Command rejected", "ERROR:", "Error:")):
                return line
        return None

    # --- lines ------------------------------------------------------------------------------------

    def canonical_port(self, port: str) -> str:
        """Write the type out and the numbers plainly: ``gi1/0/1`` is ``GigabitEthernet1/0/1``."""
        found = re.match(r"([A-Za-z-]+) ?(\d.*)$", port)
        if found is None:
            return port.lower()
        short = found[1].lower()
        meant = [kind for kind in _TYPES if kind.lower().startswith(short)]
        exact = [kind for kind in meant if kind.lower() == short]
        if len(exact or meant) > 1:
            raise ValueError(f"{port} may be {' or '.join(meant)}: write the type out")
        kind = (exact or meant or [short])[0]
        return kind + re.sub(r"\d+", lambda number: str(int(number[0])), found[2].lower())

    def set_port(self, port: str, config: PortConfig, options: Options) -> list[str]:
        """Give the lines for a port. What the inactive mode holds is always set before the mode."""
        if config.parked:
            return [
                f"interface {port}",
                "shutdown",
                "switchport mode access",
                "no switchport access vlan",
                "switchport trunk allowed vlan none",
            ]
        if not config.tagged:
            return [
                f"interface {port}",
                f"switchport access vlan {config.untagged}",
                "switchport mode access",
                "switchport trunk allowed vlan none",
                "no shutdown",
            ]
        native = (
            "no switchport trunk native vlan"  # VLAN 1 then, which the list below does not allow
            if config.untagged is None
            else f"switchport trunk native vlan {config.untagged}"
        )
        encapsulation = options.get("encapsulation")
        return [
            f"interface {port}",
            *([f"switchport trunk encapsulation {encapsulation}"] if encapsulation else []),
            native,
            *_allowed(config.vlans),
            "switchport mode trunk",
            "switchport nonegotiate",
            "no shutdown",
        ]

    def set_vlan(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Make a VLAN (it exists once its mode has been left) or remove it."""
        return [f"vlan {vlan}", f"name haas-{vlan}", "exit"] if present else [f"no vlan {vlan}"]

    def saved(self, answer: str) -> bool:
        """IOS ends a successful save with ``[OK]``."""
        return "[OK]" in answer

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show the ports' configuration: one by one, or all of it when they are many."""
        if len(ports) >= _BULK:
            return ["show running-config"]
        return [f"show running-config interface {port}" for port in ports]

    def parse_ports(self, ports: Sequence[str], answers: Sequence[str]) -> dict[str, PortConfig]:
        """Read ``interface`` sections; IOS shows only what differs from its defaults."""
        sections = [section for answer in answers for section in _sections(answer)]
        return {
            port: _carried(lines)
            for port in ports
            for name, lines in sections
            if self.canonical_port(port) == self.canonical_port(name)
        }

    def read_vlans(self, options: Options) -> list[str]:
        """Show the VLANs; in VTP server mode the running configuration does not have them."""
        return ["show vlan brief"]

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Read the first column of the table."""
        return frozenset(
            int(match[1])
            for answer in answers
            for match in re.finditer(r"^(\d{1,4})\s+\S+\s+\S+", answer, re.M)
        )


def _allowed(vlans: frozenset[int]) -> list[str]:
    """Write an absolute list of allowed VLANs, over several lines where one would be too long.

    The first line is absolute and the others add to it, so no line admits anything unwanted.
    """
    rows = [""]
    for part in vlan_ranges(vlans).split(","):
        joined = f"{rows[-1]},{part}" if rows[-1] else part
        if len(joined) <= _LIST_LENGTH:
            rows[-1] = joined
        else:
            rows.append(part)
    first, *more = rows
    return [
        f"switchport trunk allowed vlan {first}",
        *(f"switchport trunk allowed vlan add {row}" for row in more),
    ]


def _sections(config: str) -> Iterator[tuple[str, list[str]]]:
    """Split a running configuration into its ``interface`` sections."""
    for match in re.finditer(
        r"^interface (\S+(?: ?\d\S*)?)\s*\n((?:[ \t]+[^\n]*\n?)*)", config.replace("\r", ""), re.M
    ):
        yield match[1], [line.strip() for line in match[2].splitlines()]


def _carried(lines: list[str]) -> PortConfig:
    """Say what an interface with these lines carries. A shut one carries nothing.

    One that is in neither mode (IOS does not show the default, "dynamic") negotiates: it is an
    access port until its node asks for a trunk, so it counts as carrying what it then would.
    """
    if "shutdown" in lines:
        return PARKED
    access, native = _DEFAULT_VLAN, _DEFAULT_VLAN
    allowed: set[int] | None = None
    mode = "dynamic"
    for line in lines:
        match line.split():
            case ["switchport", "mode", word, *_]:
                mode = word
            case ["switchport", "access", "vlan", vlan]:
                access = int(vlan)
            case ["switchport", "trunk", "native", "vlan", vlan]:
                native = int(vlan)
            case ["switchport", "trunk", "allowed", "vlan", "none"]:
                allowed = set()
            case ["switchport", "trunk", "allowed", "vlan", "add", text]:
                allowed = (allowed or set()) | set(parse_vlan_ranges(text))
            case ["switchport", "trunk", "allowed", "vlan", text]:
                allowed = set(parse_vlan_ranges(text))
    if mode == "access":
        return PortConfig(untagged=access)
    carried = set(_ALL) if allowed is None else allowed
    if mode != "trunk":
        return PortConfig(untagged=access, tagged=tuple(sorted(carried - {access})))
    return PortConfig(
        untagged=native if native in carried else None,
        tagged=tuple(sorted(carried - {native})),
    )
