"""Junos on EX and QFX switches with Enhanced Layer 2 Software (ELS).

Sources: Juniper's "Junos CLI User Guide", "Ethernet Switching User Guide" and "Getting Started with
Enhanced Layer 2 Software", and open-source drivers.

Junos edits a *candidate*: no line takes effect before ``commit``, which applies all of them or
none. So a port moves, or opens, in one step. The candidate is read before the commit: if a line was
accepted but is not in it, a port could open on the VLAN ``default``. ``configure private`` gives
the session a candidate of its own. So no unfinished edits of others are committed, and a session
that ends leaves nothing behind.

Ports have Junos' names, without a unit: ``ge-0/0/1``. A parked port is disabled and has no VLAN of
its own. Memberships listed under a VLAN (``vlans N interface P``) are read as well; creating a VLAN
removes them.

Every set removes a port's voice VLAN (``switch-options voip``, which the hierarchy of EX with ELS
lists). A model that does not know the statement has none: its syntax error is no refusal, and the
line has no effect. Option ``voip``: false if the login may not delete it. Then a port that has one
is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from haas_rpcd.drivers.switch import (
    junosconfig,
    junosstatements,
    lldptables,
    mactables,
    membership,
    portnames,
)
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.channels import Channels
from haas_rpcd.drivers.switch.dialect import About, Dialect, Reader, uptime_after
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.patterns import at_end
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.vlantables import rows
from haas_rpcd.drivers.switch.writer import (
    Current,
    Options,
    Ports,
    VlanByVlan,
    Writer,
    is_gone,
    removes,
)
from haas_rpcd.model import Channel, PortConfig, SetPort
from haas_rpcd.vlanranges import vlan_ranges

_UNIT = "unit 0 family ethernet-switching"
_MAX_SPANS = 24
_LIST_LENGTH = 180
_AS_SET = "| display inheritance no-comments | display set"
_MATCH = (
    '| match "switch-options|switching-options|dot1x|analyzer|port-mirror|mvrp|gvrp|'
    'routing-instances .* interface|then vlan|then interface"'
)
"""Picks what other places of the configuration say of ports: voice VLANs (``switch-options voip``),
802.1X, ports that mirror others, that join the VLANs for which their neighbour registers (MVRP,
GVRP), or that belong to a switch of its own inside of the switch (``instance-type mac-vrf``), and
filters that put frames into other VLANs or on other ports."""

_BANNER = re.compile(r"(?:\{[^{}]*\})?(?:\[edit\])?")
"""The line above a prompt: the member of a Virtual Chassis, and the edit level."""


def _find_error(dialogue: Dialogue, answer: str, prompt: re.Match[str]) -> str | None:
    """Quote the whole answer: a commit prints place and reason before ``error:``.

    A line with only a caret marks a mistake, whatever follows it.
    """
    said = [line.strip() for line in answer.splitlines()]
    said = [line for line in said if not _BANNER.fullmatch(line)]
    for line in said:
        if line == "^" or dialogue.looks_like_error(line):
            return " ".join(line for line in said if line != "^")
    return None


# --- lines ----------------------------------------------------------------------------------------


def _canonical(port: str) -> str:
    """Drop the unit, which is always 0: ``ge-0/0/1.0`` is ``ge-0/0/1``."""
    name, dot, unit = port.strip().lower().partition(".")
    if dot and unit != "0":
        raise ValueError(f"{port} is unit {unit} of {name}: register the port itself")
    return re.sub(r"\d+", lambda number: str(int(number[0])), name)


def _port_lines(config: PortConfig, options: Options) -> list[str]:
    """Return the lines for a port, with ``PORT`` for its name; they apply at the commit.

    New members would add to the present ones, so these are removed first.
    """
    voip = "delete switch-options voip interface PORT.0"
    no_voice = [voip] if _removes_voice(options) else []
    no_native = "delete interfaces PORT native-vlan-id"
    no_vlans = f"delete interfaces PORT {_UNIT} vlan"
    if config.parked:
        no_mode = f"delete interfaces PORT {_UNIT} interface-mode"
        return ["set interfaces PORT disable", no_native, no_mode, no_vlans, *no_voice]
    mode = "trunk" if config.tagged else "access"
    native = no_native
    if config.tagged and config.untagged is not None:
        native = f"set interfaces PORT native-vlan-id {config.untagged}"
    return [
        native,
        no_vlans,
        *no_voice,
        f"set interfaces PORT {_UNIT} interface-mode {mode}",
        *(f"set interfaces PORT {_UNIT} vlan members {row}" for row in _rows(config.vlans)),
        "delete interfaces PORT unit 0 disable",
        "delete interfaces PORT disable",
    ]


def _lines(change: SetPort, options: Options) -> list[str]:
    """Return the lines for a port, a channel or a member, with ``PORT`` for its name.

    A member must have no logical unit. ("Aggregated Ethernet Interfaces", Interfaces User Guide
    for Switches. The site sets ``chassis aggregated-devices ethernet device-count``.)
    """
    channel, lines = change.channel, _port_lines(change.config, options)
    if channel is None:
        return lines
    if change.is_channel:
        if change.config.parked:
            return ["delete interfaces PORT"]
        lacp = "aggregated-ether-options lacp"
        made = f"set interfaces PORT {lacp} active"
        return [made if channel.mode == "lacp" else f"delete interfaces PORT {lacp}", *lines]
    if change.config.parked:
        shut, *others = lines
        return [shut, "delete interfaces PORT ether-options 802.3ad", *others]
    return [
        "delete interfaces PORT native-vlan-id",
        "delete interfaces PORT unit 0",
        f"set interfaces PORT ether-options 802.3ad {channel.name}",
        "delete interfaces PORT disable",
    ]


def _channel(number: int) -> str:
    return f"ae{number}"


def _member(line: str) -> Channel | None:
    """Read the statement of a member, and behind it the mode of its channel if that is LACP."""
    found = re.fullmatch(r"(?:gig)?ether-options 802\.3ad (ae\d+)( lacp active)?", line)
    return Channel(found[1], "lacp" if found[2] else "static") if found else None


def _removes_voice(options: Options) -> bool:
    return options.get("voip") is not False


def _port_script(changes: Ports, options: Options, current: Current) -> list[Stage]:
    """Return one stage: only the commit after it takes effect and opens ports.

    Ports with the same configuration are set by ``wildcard range``, which Junos expands.
    """
    alike: dict[tuple[str, tuple[str, ...]], dict[str, int]] = {}
    for index, change in changes.items():
        port = _canonical(change.port)
        if removes(change) and is_gone(current.get(change.port)):
            continue
        alone = port if change.is_channel else ""
        alike.setdefault((alone, tuple(_lines(change, options))), {})[port] = index
    blocks = [
        Block(tuple(sorted(indexes[port] for port in ports)), typed)
        for (_, lines), indexes in alike.items()
        for ports, typed in _typed(lines, list(indexes), options)
    ]
    blocks.sort(key=lambda block: block.changes[-1])
    return [blocks]


def _typed(
    lines: Iterable[str], ports: Sequence[str], options: Options
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield groups of ports, each with the lines that set them."""
    for named, text in _ranges(ports, single=options.get("ranges") is False):
        wild = "wildcard range " if len(named) > 1 else ""
        yield named, tuple(wild + line.replace("PORT", text) for line in lines)


def _vlan_lines(vlan: int, present: bool, options: Options) -> list[str]:
    """Create a VLAN that lists no ports itself, or remove it."""
    if not present:
        return [f"delete vlans haas-{vlan}"]
    return [f"set vlans haas-{vlan} vlan-id {vlan}", f"delete vlans haas-{vlan} interface"]


def _rows(vlans: frozenset[int]) -> list[str]:
    """Write VLANs as lists of members, on several lines if one would be too long."""
    rows = [""]
    for part in vlan_ranges(vlans).split(","):
        joined = f"{rows[-1]} {part}".strip()
        if len(joined) <= _LIST_LENGTH:
            rows[-1] = joined
        else:
            rows.append(part)
    return [f"[ {row} ]" if " " in row else row for row in rows]


def _ranges(ports: Sequence[str], *, single: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield groups of ports, each with its text in a line: ``ge-0/0/[0-11,14]``."""
    if single:
        yield from (((port,), port) for port in ports)
        return
    prefixes: dict[str, list[portnames.Span]] = {}
    for span in portnames.spans(ports):
        prefixes.setdefault(span.prefix, []).append(span)
    for prefix, alike in prefixes.items():
        for at in range(0, len(alike), _MAX_SPANS):
            spans = alike[at : at + _MAX_SPANS]
            named = tuple(name for span in spans for name in span.names)
            numbers = ",".join(span.numbers for span in spans)
            yield named, named[0] if len(named) == 1 else f"{prefix}[{numbers}]"


# --- reading back ---------------------------------------------------------------------------------


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show the configuration, including what groups and ranges add, and all ports.

    A port that is missing in the configuration exists nevertheless, and carries nothing.
    """
    return [
        f"show configuration interfaces {_AS_SET}",
        f"show configuration vlans {_AS_SET}",
        "show interfaces terse",
        f"show configuration {_AS_SET} {_MATCH}",
    ]


def _read_candidate(options: Options) -> list[str]:
    """Show the same of the candidate: in configuration mode ``show`` shows that.

    (``user@host# show | display set``: "CLI User Guide", "Display set Commands from the Junos OS
    Configuration". ``run`` takes operational commands.)
    """
    return [
        f"show interfaces {_AS_SET}",
        f"show vlans {_AS_SET}",
        "run show interfaces terse",
        f"show {_AS_SET} {_MATCH}",
    ]


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read the ``set`` lines, and the first column of the table."""
    harmless = harmless_lines(junosconfig.HARMLESS, options)
    return junosconfig.read_ports(answers, harmless, voice=_removes_voice(options))


def _read_vlans(options: Options) -> list[str]:
    """Show the configured VLANs."""
    return [f"show configuration vlans {_AS_SET}"]


def _parse_vlans(answers: Sequence[str]) -> frozenset[int]:
    """Read the VLANs' ids."""
    return frozenset().union(
        *(vlan.ids for vlan in junosconfig.vlans_in("\n".join(rows(answers))).values())
    )


DIALECT = Dialect(
    name="juniper_junos",
    title="Juniper Junos (EX and QFX, ELS)",
    options=frozenset({"voip"}),
    canonical_port=_canonical,
    channels=Channels(name=_channel, member=_member, listed=True),
    example_ports=("ge-0/0/1", "ge-0/0/2"),
    port_names=portnames.of_types(junosstatements.TYPES, r"-?\d[\d/]*(?::\d+)?"),
    dialogue=Dialogue(
        host=r"[\w.-]+",
        prompt=r"(?:[^\s>#%]+@)?HOST(?::[^\s>#%]*)?(?: (?=[#%]))?[>#%] ?",
        host_chars=255,
        # A shell: ``root@sw1:RE:0%``, newer ``root@sw1:~ #``.
        user_mode=re.compile(r"(?:%| #)\Z"),
        configuring=re.compile(r"(?<! )#\Z"),
        enable="cli",  # root logs in to a shell
        setup=(
            "set cli complete-on-space off",
            "set cli screen-length 0",
            "set cli screen-width 0",
        ),
        question=at_end(r"[^\r\n]*\[yes,no\] \((?:yes|no)\) ?"),
        # It agrees to leaving uncommitted edits, and to nothing else.
        replies=(("uncommitted", "yes\r\n"), ("", "no\r\n")),
        errors=(
            r"error:",
            r"syntax error\b",
            r"unknown command\b",
            r"missing argument\b",
            r"invalid (?:value|numeric|interface|input|argument|identifier|ip address)\b",
            r"(?:number|value \S+) is (?:out of|not within) range",
            r"'[^']*' is ambiguous\b",
            r"could not connect to \S+ *: *permission",
            r"permission denied\b",
            r"configuration check-out failed",
            r"commit failed",
        ),
        find_error=_find_error,
        optional_lines=(r"(?:wildcard range )?delete switch-options voip interface \S+",),
        unknown_command=re.compile(r"(?:error: )?(?:syntax error|unknown command)", re.I),
        busy=re.compile(
            r"configuration database (?:is )?(?:locked|modified|already open)"
            r"|commit (?:is )?already in progress",
            re.I,
        ),
        enter_config=("configure private",),
        leave_config=("exit configuration-mode",),
    ),
    writer=Writer(
        ports=_port_script,
        vlans=VlanByVlan(_vlan_lines),
        commit=("commit",),
        candidate=_read_candidate,
        abort=("rollback 0",),
    ),
    reader=Reader(
        read_ports=_read_ports,
        parse_ports=_parse_ports,
        read_vlans=_read_vlans,
        parse_vlans=_parse_vlans,
        witness=membership.Witness(line="show vlans", read=membership.junos),
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("show lldp neighbors",),
            read=lldptables.junos,
        ),
        learnt=Table(
            lines=("show ethernet-switching table", "show vlans"),
            read=mactables.junos,
        ),
    ),
    about=About(
        show_version=("show version",),
        model=re.compile(r"^Model: *(\S+)", re.M),
        version=re.compile(r"^(?:Junos: *|JUNOS [^\[\n]*\[)([^\s\]]+)", re.M),
        show_serial="show chassis hardware",
        # of the chassis, and of a Virtual Chassis' members
        serial=re.compile(r"^(?:Chassis {32}|FPC \d+ +REV \S+ +\S+ +)(\S+) +\S", re.M),
        show_uptime="show system uptime",
        uptime=uptime_after(re.compile(r"System booted: [^(\n]*\(([^)\n]*) ago\)")),
    ),
)
