"""Dell EMC Networking OS6 on the N-series (N1500 to N4000), which is Broadcom's FASTPATH.

Sources: Dell's "N-Series User's Guide" ("Layer 2 Switching Commands") and "User's Configuration
Guide", published output of N2048, N3048, M6348 and 8024F, and HIL's driver, written for N3000s. How
a trunk's empty list is shown is unknown; all forms of IOS are accepted.

VLANs 1 to 4093; VLAN 1 is the default VLAN.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from haas_rpcd.drivers.switch import lldptables, mactables, membership, portnames
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.dell import DELL, FlatInterfaces, GeneralPort, OfEveryPort, show_ports
from haas_rpcd.drivers.switch.dialect import About, Dialect, Reader
from haas_rpcd.drivers.switch.ioslike import SwitchportLines, show_vlan, vlan_lines
from haas_rpcd.drivers.switch.vlantables import COLUMNS, vlans_in_table
from haas_rpcd.drivers.switch.writer import InContexts, PortContexts, VlanByVlan, Writer

_DOT1X = re.compile(
    r"\b(?<!no )(?:dot1x system-auth-control|authentication enable)[ \t]*$", re.M | re.I
)


def _of_every_port(answers: Sequence[str]) -> OfEveryPort:
    """Find the line that starts 802.1X, which then controls each port that it is not off for.

    (The default of ``dot1x port-control`` is ``auto``; a RADIUS server may assign a VLAN.)
    """
    started = _DOT1X.search(answers[0]) if answers else None
    lines = [started[0].strip()] if started else []

    def of_port(own: Sequence[str]) -> Sequence[str]:
        off = any(line.endswith("port-control force-authorized") for line in own)
        return [] if off else lines

    return of_port


_INTERFACES = FlatInterfaces(
    types=(
        "gigabitethernet",
        "tengigabitethernet",
        "twentyfivegigabitethernet",
        "fortygigabitethernet",
        "hundredgigabitethernet",
        "port-channel",
    ),
    fresh=lambda config: GeneralPort(takes_voice=True),
    of_every_port=_of_every_port,
)

# The list has no ``none``, so all VLANs are removed from it. Without a native VLAN the default VLAN
# takes its place; it is not on the list, so untagged frames are dropped. ``no voice vlan`` is in
# the CLI reference of every FASTPATH: "disable the Voice VLAN capability".
_LINES = SwitchportLines(
    no_allowed_vlan="switchport trunk allowed vlan remove 1-4093",
    no_voice_vlan=("no voice vlan",),
    native_on_list=True,
)

DIALECT = Dialect(
    name="dell_os6",
    title="Dell N-Series (OS6)",
    canonical_port=_INTERFACES.canonical,
    example_ports=("Gi1/0/1", "Gi1/0/2"),
    port_names=portnames.of_types(_INTERFACES.types),
    dialogue=replace(
        DELL,
        errors=(
            *DELL.errors,
            r"vlan +[\d,-]+ +error:",
            r"vlans failed to be (?:configured|created|deleted)",
            r"vlan id not found",
            r"vlan range - separate",
            r"value is out of range",
            r"command not found",
            r"an invalid interface",
            r"interface (?:is )?not in",
            r"port is not",
            r"could not",
            r"unable to",
            r"failed to",
            r"configuration not saved",
            r"name must be",
        ),
        logout=("quit",),
        saved=re.compile("Configuration Saved!"),  # after a question
    ),
    writer=Writer(
        ports=InContexts(_LINES.stages, PortContexts(max_ranges=4, leave="exit")),
        vlans=VlanByVlan(vlan_lines),
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
            lines=("show lldp remote-device all",),
            read=lldptables.os6,
        ),
        learnt=Table(
            lines=("show mac address-table",),
            read=mactables.os6,
            otherwise=("show bridge address-table",),
        ),
    ),
    about=About(
        show_version=("show version",),
        model=re.compile(r"^System Model ID\.+ *(\S+)", re.M),
        version=re.compile(
            r"^(?:System Description\.+ [^\r\n,]+, *|[ ]*1[ ]+)(\d+(?:\.\d+){2,})\b", re.M
        ),
        serial=re.compile(r"^Serial Number\.+ *(\S+)", re.M),
        show_uptime="show system",
    ),
)
