"""Finds the ports of a Junos switch of which other places of its configuration say something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from haas_rpcd.drivers.switch.harmless import HarmlessLines
from haas_rpcd.drivers.switch.junosstatements import PORT, statements, strange_lines
from haas_rpcd.drivers.switch.portnames import numbers

_HARMLESS_ELSEWHERE = re.compile(
    r"(?:ethernet-)?switch(?:ing)?-options "
    r"(?:interface \S+ (?:interface-mac-limit|no-mac-learning|interface-mac-ip-limit|"
    r"persistent-learning|static-mac)|"
    r"interfaces \S+ no-mac-learning|storm-control|bpdu-block|nonstop-bridging|"
    r"secure-access-port|mac-table-aging-time|port-error-disable|unknown-unicast-forwarding|"
    r"traceoptions|vtep-source-interface|mac-notification|mac-move-limit)"
    r"|forwarding-options analyzer \S+ input|ethernet-switching-options analyzer \S+ input"
    r"|forwarding-options (?:storm-control-profiles|dhcp-relay|sampling|helpers|hash-key|"
    r"enhanced-hash-key)"
)
"""Statements outside of ``interfaces`` and ``vlans`` that add or remove no VLAN of the ports that
they name."""

_EVERY_PORT = re.compile(r"\bvlans\b|\binterfaces? (?:all|access-ports|interface-range)\b")
INSTANCES = "routing-instances "
_NAMED = re.compile(r"\b(?<!-)interfaces? (\S+)")
_DEVICE = re.compile(rf"(?:{PORT}|[a-z]+-\d\S*|[a-z]{{2,5}}\d+|irb|vlan|vme|vtep)(?:\.\d+)?")
"""A name that is no range's: a port's, or one of other interfaces."""

_MOVES = re.compile(r"firewall .*filter (\S+) term \S+ then (?:vlan|interface) ")
"""("Firewall Filter Match Conditions, Actions, and Action Modifiers for EX Series Switches": they
"forward matched packets to a specific VLAN", or "to the specified interface".)"""


def of_lines(
    answers: Iterable[str], elsewhere: str, ports: Iterable[str], harmless: HarmlessLines
) -> Iterator[tuple[str, str]]:
    """Yield ports with statements elsewhere, and with lines that are not statements at all."""
    strange = [line for answer in answers for line in strange_lines(answer)]
    for line in (*strange, *(one for one in statements(elsewhere) if one not in harmless)):
        if _HARMLESS_ELSEWHERE.match(line):
            continue
        named = set(re.findall(rf"\b({PORT})\b", line))
        every = _EVERY_PORT.search(line) and not line.startswith(INSTANCES)
        yield from ((port, line) for port in ports if port in named or every)


def of_filters(
    elsewhere: str, ports: Mapping[str, Sequence[str]], harmless: HarmlessLines
) -> Iterator[tuple[str, str]]:
    """Yield ports with a filter that forwards frames elsewhere than their VLAN says."""
    said = [one for one in statements(elsewhere) if one not in harmless]
    said += strange_lines(elsewhere)
    moving = {found[1] for found in map(_MOVES.search, said) if found}
    for port, lines in ports.items():
        for line in lines:
            if " filter " in line and line.rpartition(" ")[2] in moving:
                yield port, line


def of_named_ranges(
    answers: Iterable[str],
    ranges: Mapping[str, Sequence[str]],
    ports: Iterable[str],
    harmless: HarmlessLines,
) -> Iterator[tuple[str, str]]:
    """Yield ports with statements elsewhere that name their range instead of them.

    ("Interface ranges can be used at places where the interface node is used", such as ``vlans``
    and ``protocols dot1x``: Juniper's "Interfaces User Guide for Switches". Only below
    ``interfaces`` is a range expanded. A name that nobody knows may be that of any port.)
    """
    said = [one for answer in answers for one in statements(answer) if one not in harmless]
    said += [one for answer in answers for one in strange_lines(answer)]
    for line in said:
        found = _NAMED.search(line)
        if found is None or " description " in line or _HARMLESS_ELSEWHERE.match(line):
            continue
        name = found[1].partition(".")[0]
        if name in ranges:
            members = [one for one in ranges[name] if one.startswith("member")]
            yield from ((p, line) for p in ports if any(_is_member(p, one) for one in members))
        elif not _DEVICE.fullmatch(found[1]) and not line.startswith(INSTANCES):
            yield from ((port, line) for port in ports)


def of_ranges(
    ranges: Mapping[str, Sequence[str]], own: Mapping[str, Sequence[str]], harmless: HarmlessLines
) -> Iterator[tuple[str, str]]:
    """Yield ports that do not show what their range says: it was not inherited, or overridden."""
    for name, lines in ranges.items():
        members = [line for line in lines if line.startswith(("member ", "member-range "))]
        settings = [line for line in lines if line not in members and line not in harmless]
        for port, shown in own.items():
            if not any(_is_member(port, member) for member in members):
                continue
            for line in settings:
                path = line.rpartition(" ")[0]
                if line not in shown and not any(one.startswith(f"{path} ") for one in shown):
                    yield port, f"interface-range {name} {line}"


def _is_member(port: str, member: str) -> bool:
    """Read ``member ge-0/0/[1-4,7]``, ``member "ge-0/*/*"``, ``member-range P to P``."""
    kind, _, what = member.replace('"', "").partition(" ")
    if kind == "member-range":
        first, _, last = what.partition(" to ")
        head = port.rpartition("/")[0]
        ends = [end.rpartition("/") for end in (first, last)]
        if any(not end[2].isdecimal() for end in ends):
            return True
        number = port.rpartition("/")[2].partition(":")[0]
        if {end[0] for end in ends} != {head}:
            return ends[0][0] != ends[1][0] and port[:3] == first[:3]  # it spans slots
        return int(ends[0][2]) <= int(number or 0) <= int(ends[1][2])
    pattern = ""
    for part in re.split(r"(\[[^\]]*\]|\*)", what):
        if part == "*":
            pattern += r"[\d/:]*"
        elif part.startswith("["):
            spans = re.findall(r"(\d+)(?:-(\d+))?", part)
            every = [n for low, high in spans for n in numbers(low, high or low)]
            pattern += f"(?:{'|'.join(map(str, every))})"
        else:
            pattern += re.escape(part)
    return re.fullmatch(pattern, port) is not None
