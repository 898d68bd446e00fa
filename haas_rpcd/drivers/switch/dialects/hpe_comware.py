"""Comware on HPE's FlexFabric and 5xxx switches, and on H3C's.

Sources: HPE's and H3C's "Layer 2 LAN Switching" references and guides (7500, 5700, S12500-X; all
Comware 7), the "Fundamentals Configuration Guide", and published sessions.

A port's link type decides which lines it accepts, and changing the type opens VLAN 1:

* An access port accepts only ``port access vlan``, a trunk only ``port trunk …``. So nothing can be
  prepared for the other type.
* A port that becomes a trunk permits VLAN 1 and nothing else, with VLAN 1 as its PVID. A port that
  becomes an access port is in VLAN 1. So a port is shut before its type changes, and opened after
  all its VLANs are set.
* VLANs are added to a trunk's list and removed from it. The list is read first, so that a port that
  remains a trunk stays up. If the list is unknown, the port becomes an access port in between,
  which clears the list.
* A port joins an aggregation only if its VLANs are those of the aggregate interface, which are the
  only ones that can be set from then on (H3C's "S6850 Series Configuration Guide", "Aggregation
  member port restrictions"). The aggregate interface says whether its members use LACP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from haas_rpcd.drivers.switch import comwareconfig, lldpblocks, mactables, membership, portnames
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.channels import ChannelLines, Channels, member_line, number_of
from haas_rpcd.drivers.switch.comwareconfig import AGGREGATE, DYNAMIC, MEMBER
from haas_rpcd.drivers.switch.dialect import About, Dialect, Reader
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.patterns import within_line
from haas_rpcd.drivers.switch.sessionlist import SessionList, comware_logins
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.vlantables import rows
from haas_rpcd.drivers.switch.writer import (
    InContexts,
    Options,
    PortContexts,
    PortStages,
    VlanByVlan,
    Writer,
    stays_open,
)
from haas_rpcd.model import Channel, PortConfig
from haas_rpcd.vlanranges import vlan_ranges

_VIEW = (
    r"[A-Za-z-]+\d+(?:/\d+)+(?::\d+)?(?:\.\d+)?|(?:Vlan-interface|vlan|Bridge-Aggregation|LoopBack)"
    r"\d+|if-range[^\]\r\n]*|(?:line|ui|luser|acl|port-group)-[^\]\r\n]+"
)
"""What follows the host name in the prompts of views; a host name may contain dashes, too."""

_VLAN_LIST = re.compile(r"VLANs? (?:include|exist)s?:", re.I)
_ITEM = r"\d{1,4}(?: ?\([a-z ]+\))?(?:(?:-| to )\d{1,4})?"
_VLANS = re.compile(rf"\s*{_ITEM}(?:(?:\s*,\s*|\s+){_ITEM})*\s*,?\s*", re.I)

_NO_VOICE_VLAN = ("undo voice-vlan enable", "undo voice vlan enable")
"""In Comware 7 and in 5. In automatic mode a port with a voice VLAN can't be an access port
(H3C's "Layer 2 LAN Switching Command Reference", ``voice-vlan enable``)."""

_MANAGEMENT = "M-GigabitEthernet"

_TYPES = (
    "Ethernet",
    "GigabitEthernet",
    "Smartrate-Ethernet",
    "Ten-GigabitEthernet",
    "Twenty-FiveGigE",
    "FortyGigE",
    "FiftyGigE",
    "HundredGigE",
    "FourHundredGigE",
    "M-GigabitEthernet",
    "Bridge-Aggregation",
)

_SHORT_FORMS = {
    "eth": "Ethernet",
    "ge": "GigabitEthernet",
    "sge": "Smartrate-Ethernet",
    "xge": "Ten-GigabitEthernet",
    "wge": "Twenty-FiveGigE",
    "fge": "FortyGigE",
    "hge": "HundredGigE",
    "mge": "M-GigabitEthernet",
    "bagg": "Bridge-Aggregation",
}
"""The short forms of ``display interface brief``."""

_MAX_LIST_ITEMS = 10
"""VLANs or ranges of VLANs that one list takes (the manual's ``&<1-10>``)."""

_BULK_FROM = 4
"""With at least this many ports, one bulk read is shorter than a line for each port."""


def _canonical(port: str) -> str:
    """Write the type in full, the numbers plainly: ``XGE1/0/49``: ``Ten-GigabitEthernet…``."""
    return portnames.written_out(port, _TYPES, _SHORT_FORMS)


# --- lines ----------------------------------------------------------------------------------------


def _range_line(spans: Sequence[portnames.Span]) -> str:
    """Write both ends of each span in full: ``Gi1/0/1 to Gi1/0/24 Gi1/0/30``."""
    return f"interface range {' '.join(' to '.join(span.ends) for span in spans)}"


def _port_stages(current: PortState | None, config: PortConfig, options: Options) -> PortStages:
    """Return the lines for a port. It is shut first if its link type may change.

    A port that keeps its type only ever carries its old and its new VLANs: an access port changes
    its VLAN in one line, and a trunk's PVID by itself permits nothing.
    """
    no_voice = _NO_VOICE_VLAN if current is None else ()
    if config.parked:
        back = [*no_voice, "port link-type access", "undo port access vlan"]
        return PortStages(["shutdown"], [back])
    present = None if current is None else current.config
    if not config.tagged:
        settings = [f"port access vlan {config.untagged}"]
        if present is None or present.tagged:
            settings = [*no_voice, "port link-type access", *settings]
    elif present is not None and present.tagged:
        unwanted = _listed("undo port trunk permit vlan", present.vlans - config.vlans)
        settings = [*_trunk(config), *unwanted]
    else:
        fresh = [*no_voice, "port link-type access", "port link-type trunk"]
        settings = [*fresh, "undo port trunk permit vlan all", *_trunk(config)]
    if stays_open(current, config):
        return PortStages(settings=[settings])
    is_shut = current is not None and not current.open
    return PortStages([] if is_shut else ["shutdown"], [settings], ["undo shutdown"])


def _trunk(config: PortConfig) -> list[str]:
    """Set PVID and list. Without a native VLAN the PVID is VLAN 1, which no trunk permits."""
    native = config.untagged
    pvid = "undo port trunk pvid" if native is None else f"port trunk pvid vlan {native}"
    return [pvid, *_listed("port trunk permit vlan", config.vlans)]


def _listed(command: str, vlans: frozenset[int]) -> Iterator[str]:
    parts = [part.replace("-", " to ") for part in vlan_ranges(vlans).split(",") if part]
    for at in range(0, len(parts), _MAX_LIST_ITEMS):
        yield f"{command} {' '.join(parts[at : at + _MAX_LIST_ITEMS])}"


def _channel(number: int) -> str:
    return f"{AGGREGATE}{number}"


def _aggregation_mode(channel: Channel) -> list[str]:
    """Set the mode of an aggregate interface: dynamic means LACP, and static is the default."""
    mode = "link-aggregation mode"
    return [f"{mode} dynamic" if channel.mode == "lacp" else f"undo {mode}"]


def _vlan_lines(vlan: int, present: bool, options: Options) -> list[str]:
    """Create and name a VLAN, or remove it; created first, so that removing it can't fail."""
    if present:
        return [f"vlan {vlan}", f"name haas-{vlan}", "quit"]
    return [f"vlan {vlan}", "quit", f"undo vlan {vlan}"]


# --- reading back ---------------------------------------------------------------------------------


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show the configuration of each port, or of all ports if there are many.

    Also if there is a channel: not all of them need exist.
    """
    if not ports or len(ports) >= _BULK_FROM or any(port.startswith(AGGREGATE) for port in ports):
        return ["display current-configuration interface"]
    return [f"display current-configuration interface {port}" for port in ports]


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read the ``interface`` sections, which show only what differs from the defaults."""
    harmless = harmless_lines(comwareconfig.HARMLESS, options)
    found: dict[str, PortState] = {}
    for answer in answers:
        for name, state in comwareconfig.read_ports(answer, harmless):
            try:
                canonical = _canonical(name)
            except ValueError:
                continue
            if canonical.startswith(_TYPES) and not canonical.startswith(_MANAGEMENT):
                found[canonical] = state
    return found


def _read_vlans(options: Options) -> list[str]:
    """Show the VLANs in a list."""
    return ["display vlan"]


def _parse_vlans(answers: Sequence[str]) -> frozenset[int]:
    """Read the list after ``The VLANs include:`` (5.20: ``The following VLANs exist:``).

    Raises ValueError if there is none, or if a line of it has something else.
    """
    lines = iter(list(rows(answers)))
    if not any(_VLAN_LIST.search(line) for line in lines):
        raise ValueError("no list of VLANs")
    listed = [line for line in lines if line.lstrip()[:1].isdecimal()]
    if strange := next((line for line in listed if not _VLANS.fullmatch(line)), None):
        raise ValueError(f"not a list of VLANs: {strange.strip()}")
    found = re.findall(r"(\d+)(?: ?\([^)]*\))?(?:(?:-| to )(\d+))?", " ".join(listed))
    return frozenset(
        vlan for first, last in found for vlan in portnames.numbers(first, last or first)
    )


DIALECT = Dialect(
    name="hpe_comware",
    title="HPE and H3C Comware (FlexFabric, 5130, 5700, …)",
    canonical_port=_canonical,
    channels=Channels(
        name=_channel,
        member=member_line(
            rf"{MEMBER}(?P<number>\d+)(?P<mode>|{DYNAMIC})",
            _channel,
            {"": "static", DYNAMIC: "lacp"},
        ),
    ),
    example_ports=("GigabitEthernet1/0/1", "GigabitEthernet1/0/2"),
    port_names=portnames.of_types(kind for kind in _TYPES if kind != _MANAGEMENT),
    dialogue=Dialogue(
        host=r"[^\s#<>\[\]]+?",
        prompt=rf"[<\[]HOST(?:-(?:{_VIEW}))?[>\]]",
        host_chars=64,
        configuring=re.compile(r"^\["),
        no_free_session=within_line(
            r"all (?:user interfaces|lines|vty[^\r\n]{0,20}) are (?:used|in use|busy)|"
            r"(?:maximum|max)[^\r\n]{0,30}(?:sessions|users|connections)[^\r\n]{0,20}"
            r"(?:reached|exceeded)|too many (?:users|sessions|connections)"
        ),
        setup=("screen-length disable",),
        logout=("return", "quit"),  # in a view, quit only leaves the view
        replies=(("yes/no", "yes\r\n"), ("y/n", "y\r\n"), ("", "\r\n")),
        errors=(
            r"%",
            r"error\b",
            r"please (?:set|first|configure|delete|remove|disable|specify|undo|create)\b",
            r"permission denied",
            r"(?:operation )?failed\b",
            r"can(?:no|')t\b",
            r"(?:the|this|vlan|interface|no|some|one)\b.*\b(?:does|do) ?n(?:o|')t exist",
            r"(?:the|this|vlan|interface|some|one)\b.*"
            r"\bis ?n(?:o|')t (?:supported|allowed|permitted|created|a|an|access|trunk)\b",
            r"(?:the|this) .*\b(?:overlaps|conflicts) with\b",
            r"object group with given name exists",
            r"invalid\b",
            r"unable to\b",
            r"not enough\b",
            r"too many\b",
            r"the (?:maximum )?number of .*(?:reached|exceeds?|exceeded)",
            r"(?:the )?(?:configuration|system) .*(?:is|are|been) (?:locked|busy)",
        ),
        benign=(
            r"%\s?screen-length configuration is\b",
            r"%\s?(?:the )?current terminal\b",
            # display device manuinfo, of parts without a serial number
            r"the operation is not supported on the specified (?:fan|power|(?:sub)?slot)\b",
        ),
        optional_lines=_NO_VOICE_VLAN,
        sessions=SessionList("display users", comware_logins, end="free line {line}"),
        unknown_command=re.compile(r"%\s*(?:unrecognized command|wrong parameter)", re.I),
        busy=re.compile(r"(?:configuration|system) [^\r\n]*(?:is|been) (?:locked|busy)", re.I),
        enter_config=("system-view",),
        leave_config=("return",),
        save=("save force",),
        # It prints this for each board, and which board failed.
        saved=re.compile(r"\A(?![\s\S]*\bfail)[\s\S]*?saved? .*successfully", re.I),
    ),
    writer=Writer(
        ports=InContexts(
            _port_stages,
            PortContexts(max_ranges=5, range_line=_range_line, leave="quit"),
            ChannelLines(
                make=_aggregation_mode,
                join=lambda channel: [f"{MEMBER}{number_of(channel)}"],
                leave=lambda channel: ["undo port link-aggregation group"],
                remove=lambda channel: [f"undo interface {channel.name}"],
                joins_alike=True,
                open=("undo shutdown",),
            ),
        ),
        vlans=VlanByVlan(_vlan_lines),
        needs_current="always",
    ),
    reader=Reader(
        read_ports=_read_ports,
        parse_ports=_parse_ports,
        read_vlans=_read_vlans,
        parse_vlans=_parse_vlans,
        witness=membership.Witness(line="display vlan all", read=membership.comware),
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("display lldp neighbor-information verbose",),
            read=lldpblocks.comware,
            otherwise=("display lldp neighbor-information",),
        ),
        learnt=Table(
            lines=("display mac-address",),
            read=mactables.comware,
        ),
    ),
    about=About(
        show_version=("display version",),
        model=re.compile(r"^[ \t]*([^\r\n]+?) uptime is ", re.M | re.I),
        version=re.compile(r"Software, Version ([^\r\n]+)"),
        show_serial="display device manuinfo",
        # of the members, not of their fans and power supplies
        serial=re.compile(
            r"^ ?(?:slot \d+|chassis self)\b[^\n]*\n(?:[ \t]*DEVICE_NAME[^\n]*\n)?"
            r"[ \t]*DEVICE_SERIAL_NUMBER *: *(\S+)",
            re.M | re.I,
        ),
        show_uptime="display version",
    ),
)
