"""ProVision on HP's ProCurve and on HPE's Aruba 25xx to 54xx switches (ArubaOS-Switch).

Sources: "Advanced Traffic Management Guide" (K/KA/KB.15.15), HPE's pages on ArubaOS-Switch 16.08,
and published sessions and configurations.

Every line names its VLAN and its ports (``vlan 100 untagged 1-24``). No context is entered, so a
refused line does not change the meaning of the lines after it.

A port is always on at least one VLAN. ``untagged`` removes it from its previous untagged VLAN. A
port that will lose its last VLAN, or be tagged only, joins the default VLAN by name first, so that
nothing depends on what a release does by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from haas_rpcd.drivers.switch import lldptables, mactables, membership, portnames, procurveconfig
from haas_rpcd.drivers.switch.byvlan import DEFAULT_VLAN, ByVlan, Membership
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.dialect import About, Dialect, Reader, uptime_after
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.patterns import (
    ASKS_KEY,
    ASKS_USERNAME,
    ASKS_WORD,
    at_end,
    on_own_line,
    within_line,
)
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.vlantables import COLUMNS, vlans_in_table
from haas_rpcd.drivers.switch.writer import Current, Options, PortContexts, Ports, Vlans, Writer
from haas_rpcd.model import PortConfig

_CURSOR = r"[ \r]*"
"""What remains of the cursor movements that ProVision writes after every question."""


def _canonical(port: str) -> str:
    """``a1`` is ``A1``, ``trk1`` is ``Trk1``, ``ethernet 1/01`` is ``1/1``."""
    name = re.sub(r"^(?:ethernet|eth) ?", "", port.strip(), flags=re.I).upper()
    name = re.sub(r"\d+", lambda number: str(int(number[0])), name)
    return re.sub(r"^TRK(?=\d)", "Trk", name)


# --- lines ----------------------------------------------------------------------------------------


def _port_list(spans: Sequence[portnames.Span]) -> str:
    """Write ``1-24,26``, ``A1-A4`` and ``1/1-1/24``: both ends in full."""
    return ",".join("-".join(span.ends) for span in spans)


def _range_line(spans: Sequence[portnames.Span]) -> str:
    """Several ports are entered by the same command as one."""
    return f"interface {_port_list(spans)}"


def _can_stay_open(current: PortConfig, config: PortConfig) -> bool:
    """Return whether a port is on some VLAN all the time, and never on the default one.

    If it has an untagged VLAN before and after, one line moves it. If it has one only after, a
    tagged VLAN must remain.
    """
    if current.untagged is not None:
        return current == config or config.untagged is not None
    return current == config or not set(current.tagged).isdisjoint(config.tagged)


def _to_leave(
    present: frozenset[Membership], wanted: frozenset[Membership], config: PortConfig
) -> frozenset[Membership]:
    """Return the tagged memberships: a port leaves its untagged VLAN by joining another.

    A port that will have no untagged VLAN leaves all VLANs, and starts at the default VLAN.
    """
    if config.untagged is not None:
        return frozenset(place for place in present if place.tagged) - wanted
    only_tagged = all(place.tagged for place in present)
    return present - wanted if only_tagged else present


_PORTS = ByVlan(
    canonical=_canonical,
    contexts=PortContexts(max_ranges=8, range_line=_range_line, leave="exit"),
    shut_line="disable",
    open_line="enable",
    port_list=_port_list,
    join_default_first=True,
    # A port that joins a VLAN tagged stays untagged where it was.
    must_leave_default=lambda options: True,
    can_stay_open=_can_stay_open,
    to_leave=_to_leave,
)


def _port_script(changes: Ports, options: Options, current: Current) -> list[Stage]:
    """Combine each line with its context into one line."""
    return [
        [Block(block.changes, tuple(_whole(block)), effect=block.effect) for block in stage]
        for stage in _PORTS(changes, options, current)
    ]


def _whole(block: Block) -> Iterator[str]:
    """``vlan 100`` and ``no untagged 5`` are ``no vlan 100 untagged 5``."""
    for line in block.lines:
        undone = line.removeprefix("no ")
        yield f"{block.enter} {line}" if undone == line else f"no {block.enter} {undone}"


def _vlan_script(changes: Vlans, options: Options) -> list[Stage]:
    """Create and name VLANs, or remove them; created first, so that removing them can't fail.

    Nothing is sent ahead after the removal of a VLAN: if unregistered ports are on it, ProVision
    asks whether to move them. The first letter of the next line would answer the question.
    """
    stages: list[Stage] = [[]]
    for index, change in changes.items():
        made = f"vlan {change.vlan} name haas-{change.vlan}"
        removed = () if change.present else (f"no vlan {change.vlan}",)
        stages[-1].append(Block((index,), (made, *removed)))
        if removed:
            stages.append([])
    return stages


# --- reading back ---------------------------------------------------------------------------------


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show the configuration, whose VLANs list all ports."""
    return ["show running-config"]


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read the whole configuration."""
    harmless = harmless_lines(procurveconfig.HARMLESS, options)
    return procurveconfig.read_ports("\n".join(answers), _canonical, harmless)


def _read_vlans(options: Options) -> list[str]:
    """Show the table of VLANs."""
    return ["show vlans"]


_read_table = vlans_in_table(COLUMNS)


def _parse_vlans(answers: Sequence[str]) -> frozenset[int]:
    """Read the table's first column. The default VLAN always exists.

    ntc-templates is no help here: its template fails at a log message in the table.
    """
    return _read_table(answers) | {DEFAULT_VLAN}


DIALECT = Dialect(
    name="hp_procurve",
    title="HP ProCurve and ArubaOS-Switch (ProVision)",
    canonical_port=_canonical,
    example_ports=("1", "2"),
    port_names=portnames.PortNames(
        re.compile(r"(?:Trk|(?:\d+/)?[A-Z]{0,2})\d+|\d+/\d+/\d+"), "or A1, 1/1, 1/A1, Trk1"
    ),
    trunks_need_vlans=True,
    dialogue=Dialogue(
        host=r"[^\s#>()\[\]]+(?: [^\s#>()\[\]]+){0,5}",
        prompt=rf"HOST(?:\([^()\r\n]*\))*[>#]{_CURSOR}",
        host_chars=255,
        configuring=re.compile(r"\((?:config|vlan|eth)[^()]*\)#"),
        window=8,
        username=at_end(ASKS_USERNAME + _CURSOR),
        password=at_end(ASKS_WORD + _CURSOR),
        login_failed=on_own_line(
            r"invalid password|unable to verify password|login(?: incorrect| failed)|access denied|"
            r"authentication failed|too many login attempts"
        ),
        no_free_session=within_line(
            r"maximum (?:number of )?(?:telnet )?(?:sessions|users)[^\r\n]{0,30}"
            r"(?:reached|exceeded|active)|too many (?:users|sessions|connections)|"
            r"(?:all|no more) (?:telnet )?sessions? (?:are )?(?:in use|available|active)"
        ),
        press_key=at_end(ASKS_KEY + _CURSOR),
        enable="enable",
        enable_failed=re.compile(
            r"(?:invalid password|unable to verify password|access denied|authentication failed)"
            r"[^\r\n]*(?=[\r\n])",
            re.I,
        ),
        setup=("no page",),
        # "Do you want to log out?", "… save current configuration?"
        logout=("logout", "y", "n"),
        pager=at_end(rf"[\x08 \r]*-- ?more ?--[^\r\n]{{0,60}}{_CURSOR}"),
        question=at_end(rf"[^\r\n]*[\[(]y/n(?:/\^c)?[\])][?: ]*{_CURSOR}"),
        errors=(
            r"(?:invalid|incomplete|ambiguous) input\b",
            r"module not present for port",
            r"error\b",
            r"can(?:no|')t\b",
            r"unable to\b",
            r".*\btoo long\. allowed length",
            r"(?:the )?maximum number of vlans",
            r"vlan\b.* (?:not found|does not exist|is not configured|already exists as)",
            r"(?:port|interface)\b.* (?:does not exist|is not a member|must be)",
            r".*\bmust be a member of at least one\b",
            r"(?:operation|command|commit|authorization) .*(?:failed|not allowed|denied)",
            r"(?:operation|commit|authorization) (?:failed|denied)",
            r"(?:inconsistent|invalid|wrong) value\b",
            r"not (?:enough|authorized)\b",
            r"(?:no )?resources? unavailable",
            r"value .* is (?:out of range|invalid)",
            r"duplicate\b",
        ),
        benign=(r"invalid input: status\b",),  # `show config status`, if a release lacks it
        enter_config=("configure terminal",),
        leave_config=("end",),
        # A successful save prints nothing, so the second line asks whether one is still needed.
        save=("write memory", "show config status"),
        saved=re.compile(r"\A(?![\s\S]*(?:needs? to be saved|has been changed))", re.I),
    ),
    writer=Writer(
        ports=_port_script,
        vlans=_vlan_script,
        needs_current="always",
        parked_config=PortConfig(DEFAULT_VLAN),
    ),
    reader=Reader(
        read_ports=_read_ports,
        parse_ports=_parse_ports,
        read_vlans=_read_vlans,
        parse_vlans=_parse_vlans,
        # The line that RackTables sends (its gateway ``hpprocurveN1178``).
        witness=membership.Witness(
            line="show vlans ports ethernet all detail", read=membership.provision
        ),
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("show lldp info remote-device detail",),
            read=lldptables.procurve,
            otherwise=("show lldp info remote-device",),
        ),
        learnt=Table(
            lines=("show mac-address",),
            read=mactables.procurve,
        ),
    ),
    about=About(
        show_version=("show system", "show lldp info local-device"),
        model=re.compile(r"System Desc\w* *: *([^,\r\n]+)", re.I),
        version=re.compile(r"(?:Software revision *: *|, revision )([^\s,]+)", re.I),
        serial=re.compile(r"Serial Number *: *(\S+)", re.I),
        base_mac=re.compile(r"Base MAC Addr *: *(\S+)", re.I),
        show_uptime="show system",
        uptime=uptime_after(re.compile(r"Up Time *: *((?:[^\s,:]+,? ?)+)", re.I)),
    ),
)
