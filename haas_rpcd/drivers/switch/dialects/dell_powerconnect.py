"""Dell PowerConnect 55xx (5524, 5548), and related switches with Marvell's ROS (35xx, R1-2210).

Sources: published sessions and configurations of 3548, 5324, 5524, 5548 and R1-2210, and what the
drivers of HIL and networking-generic-switch send to such switches and expect. Dell's CLI reference
was not available. Two things are inferred: how a 5548 shows a trunk's list (as VLANs added, or
removed), and that VLANs that are not on the list can be removed from it.

Option ``access_none``: false for models without ``access vlan none``. On those models a parked port
returns to the default VLAN, as in other families.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from haas_rpcd.drivers.switch import lldptables, mactables, membership, portnames
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.dell import DELL, FlatInterfaces, GeneralPort, OfEveryPort, show_ports
from haas_rpcd.drivers.switch.dialect import About, Dialect, Reader
from haas_rpcd.drivers.switch.dialogue import Dialogue, first_error_line
from haas_rpcd.drivers.switch.ioslike import SwitchportLines, opened, show_vlan
from haas_rpcd.drivers.switch.patterns import at_end
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.switchport import ALL_VLANS
from haas_rpcd.drivers.switch.vlantables import COLUMNS, vlans_in_table
from haas_rpcd.drivers.switch.writer import (
    InContexts,
    Options,
    PortContexts,
    PortStages,
    Vlans,
    Writer,
    rows_of,
)
from haas_rpcd.model import PortConfig
from haas_rpcd.registered import Uptime
from haas_rpcd.vlanranges import vlan_ranges

_VOICE_VLAN = re.compile(r"^ *voice vlan id (\d+)[ \t\r]*$", re.M | re.I)


def _fresh_port(config: str) -> GeneralPort:
    """A port on which the voice VLAN is enabled joins it once it hears a telephone."""
    found = _VOICE_VLAN.search(config)
    return GeneralPort(switch_voice=int(found[1]) if found else None)


_SMARTPORTS = re.compile(r"(?<!no )\bmacro auto enabled\b", re.I)


def _of_every_port(answers: Sequence[str]) -> OfEveryPort:
    """Find the line by which a neighbour chooses the macro of its port, and so its VLANs.

    (ROS' "Auto Smartport", on unless a port has ``no macro auto smartport``: Cisco's "300 Series
    Managed Switches CLI Guide", ``macro auto``.)
    """
    found = _SMARTPORTS.search(answers[0]) if answers else None
    lines = [found[0]] if found else []

    def of_port(own: Sequence[str]) -> Sequence[str]:
        return [] if "no macro auto smartport" in own else lines

    return of_port


_INTERFACES = FlatInterfaces(
    types=("gigabitethernet", "tengigabitethernet", "fastethernet", "port-channel"),
    fresh=_fresh_port,
    of_every_port=_of_every_port,
)

_NO_VOICE_VLAN = ("no voice vlan enable",)
"""("The device supports a single voice VLAN", and adds ports to it by itself: Dell's "PowerConnect
55xx Systems User Guide", "Voice VLAN". Older models lack the command.)"""

_LINES = SwitchportLines(no_voice_vlan=_NO_VOICE_VLAN)
_UPTIME = re.compile(r"(?<![\d,])(\d+),(\d\d):(\d\d):(\d\d)\b")


# --- answers --------------------------------------------------------------------------------------


def _find_error(dialogue: Dialogue, answer: str, prompt: re.Match[str]) -> str | None:
    """Find the error. A missing VLAN is no error in the context where VLANs are removed."""
    error = first_error_line(dialogue, answer, prompt)
    if error and "(config-vlan)" in prompt.group() and "not created by user" in error:
        return None
    return error


def _uptime(answer: str) -> Uptime | None:
    """Read ``days,hours:minutes:seconds``, which is shown for each unit of a stack."""
    found = _UPTIME.search(answer)
    if found is None:
        return None
    days, hours, minutes, seconds = map(int, found.groups())
    return Uptime(((days * 24 + hours) * 60 + minutes) * 60 + seconds, resolution=1)


# --- lines ----------------------------------------------------------------------------------------


def _port_stages(current: PortState | None, config: PortConfig, options: Options) -> PortStages:
    """Return the lines for a port. A parked port has no access VLAN, so opening it is harmless.

    A list of VLANs can't be set as a whole, only added to and removed from. So all wanted VLANs are
    added, and all others removed.
    """
    if config.parked:
        nothing = "switchport access vlan none"
        if options.get("access_none") is False:
            nothing = _LINES.no_access_vlan
        rest = (_LINES.no_allowed_vlan, *_NO_VOICE_VLAN)
        return PortStages(["shutdown"], [["switchport mode access", nothing, *rest]])
    if not config.tagged:
        return _LINES.stages(current, config, options)
    native = "none" if config.untagged is None else str(config.untagged)
    others = sorted(set(ALL_VLANS) - config.vlans)
    allowed = "switchport trunk allowed vlan"
    settings = [
        *(f"{allowed} add {row}" for row in rows_of(vlan_ranges(config.vlans))),
        # In between: the native VLAN must be on the list, and can't be removed from it.
        f"switchport trunk native vlan {native}",
        *(f"{allowed} remove {row}" for row in rows_of(vlan_ranges(others))),
        *_NO_VOICE_VLAN,
    ]
    return opened(current, config, [settings, _LINES.trunk_mode])


def _vlan_script(changes: Vlans, options: Options) -> list[Stage]:
    """Create and remove VLANs in one visit to the VLAN database; then name the new ones."""
    made = {index: change.vlan for index, change in changes.items() if change.present}
    stages: list[Stage] = [
        [
            Block(
                (index,),
                (f"vlan {change.vlan}" if change.present else f"no vlan {change.vlan}",),
                "vlan database",
                "exit",
            )
            for index, change in changes.items()
        ],
        [
            Block((index,), (f"name haas-{vlan}",), f"interface vlan {vlan}", "exit")
            for index, vlan in made.items()
        ],
    ]
    return [stage for stage in stages if stage]


DIALECT = Dialect(
    name="dell_powerconnect",
    title="Dell PowerConnect 55xx",
    options=frozenset({"access_none"}),
    canonical_port=_INTERFACES.canonical,
    example_ports=("gi1/0/1", "gi1/0/2"),
    port_names=portnames.of_types((*_INTERFACES.types, "e")),  # 3400: ``e1``
    trunks_need_vlans=True,
    dialogue=replace(
        DELL,
        # The switch reads from one small buffer and loses input that arrives while it works on a
        # line, as everyone knows who pastes into it. Waiting for each answer costs a round trip,
        # which is short compared to the time that a line takes.
        window=1,
        setup=("terminal datadump",),
        question=at_end(
            r"[^\r\n]*(?:\[confirm\]|[\[(]y(?:es)?/no?[\])][^\r\n]{0,8}|"
            r"\[yes/press any key for no\]\.*) ?"
        ),
        replies=(("", "Y\r\n"),),  # key and Enter: some firmware reads the one, some the other
        errors=(
            *DELL.errors,
            r"vlan (?:\d+ )?was not created by user",
            r"configuration database locked",
            r"(?:port|interface)(?: \S+)? is not",
            r"copy failed",
            r"operation failed",
            r"authentication failed",
        ),
        benign=(*DELL.benign, r"%\s?overwrite file"),
        find_error=_find_error,
        optional_lines=_NO_VOICE_VLAN,
        busy=re.compile(r"configuration database locked by another application", re.I),
        # Older firmware confirms only by a log message, newer firmware also in the answer.
        saved=re.compile(r"copy succeeded|copy operation was completed", re.I),
    ),
    writer=Writer(
        ports=InContexts(_port_stages, PortContexts(max_ranges=4, leave="exit")),
        vlans=_vlan_script,
        needs_current="joining",
    ),
    reader=Reader(
        read_ports=show_ports,
        parse_ports=_INTERFACES.read,
        read_vlans=show_vlan,
        parse_vlans=vlans_in_table(COLUMNS),
        witness=membership.Witness(line="show vlan", read=membership.table),
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("show lldp neighbors",),
            read=lldptables.ros,
        ),
        learnt=Table(
            lines=("show mac address-table",),
            read=mactables.ros,
            otherwise=("show bridge address-table",),
        ),
    ),
    about=About(
        show_version=("show version", "show system"),
        model=re.compile(r"(PowerConnect [A-Z]?\d{4}\w*)"),
        version=re.compile(r"^(?:SW version|[ ]*1)[ ]+(\d+(?:\.\d+){2,})\b", re.M | re.I),
        base_mac=re.compile(r"^System MAC Address: *(\S+)", re.M | re.I),
        show_uptime="show system",
        uptime=_uptime,
    ),
)
