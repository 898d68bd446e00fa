"""Dell OS9, formerly Force10's FTOS (S, Z, C and MXL series).

Sources: Dell's configuration guides for OS9 and FTOS (Virtual LANs; Lock CONFIGURATION Mode),
published sessions, and ntc-templates' recorded output. How a save is confirmed is from Dell's
Puppet module and from memory.

A port is in Layer-2 mode (``switchport``) or carries no VLAN at all. In Layer-2 mode it is untagged
on the default VLAN until it joins another. With ``portmode hybrid``, which must be set first, it
also stays untagged on one VLAN while it is tagged on others. So a tagged-only port must not be
hybrid, and a parked port is not in Layer-2 mode. ``no switchport`` is refused while a port is on
any VLAN except the default one; if it is accepted, no VLAN was left behind. Channels: see
:mod:`~haas_rpcd.drivers.switch.os9channels`.

Option ``default_vlan``: the value of ``default vlan-id``, if it is not 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from haas_rpcd.drivers.switch import lldpblocks, mactables, membership, portnames
from haas_rpcd.drivers.switch.byvlan import ByVlan
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.channels import Channels
from haas_rpcd.drivers.switch.dialect import Dialect, Reader
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.ioslike import IOS, IOS_ABOUT, NO_PORTS, show_vlan
from haas_rpcd.drivers.switch.os9channels import WithChannels
from haas_rpcd.drivers.switch.os9config import HARMLESS, OS9Config
from haas_rpcd.drivers.switch.patterns import at_end, on_own_line
from haas_rpcd.drivers.switch.sessionlist import SessionList, os9_logins
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.vlantables import ACTIVE, vlans_in_table
from haas_rpcd.drivers.switch.writer import Options, PortContexts, VlanByVlan, Writer
from haas_rpcd.model import Channel, PortConfig

_CHANNEL = "Port-channel"

_TYPES = (
    "FastEthernet",
    "GigabitEthernet",
    "TenGigabitEthernet",
    "twentyFiveGigE",
    "fortyGigE",
    "fiftyGigE",
    "hundredGigE",
    "ManagementEthernet",
    _CHANNEL,
)


def _canonical(port: str) -> str:
    """Write the type in full, with one blank: ``te0/1`` is ``TenGigabitEthernet 0/1``."""
    return re.sub(r"(?<=[A-Za-z])(?=\d)", " ", portnames.written_out(port, _TYPES))


# --- lines ----------------------------------------------------------------------------------------


def _enter_vlan(vlan: int) -> str:
    """A VLAN is an interface, too."""
    return f"interface vlan {vlan}"


def _slot(port: str) -> str:
    """Ports of one slot are named in a line, as in the switch's configuration; a channel alone."""
    return port.rpartition("/")[0] or port


def _apart(port: str) -> str:
    """Enter each channel by itself: those of a range must exist."""
    return port if port.startswith(_CHANNEL) else ""


def _port_list(spans: Sequence[portnames.Span]) -> str:
    """Write ``TenGigabitEthernet 0/1-4,9``."""
    first = spans[0]
    if first.first < 0:
        return first.prefix
    return first.prefix + ",".join(span.numbers for span in spans)


def _before_joining(config: PortConfig, options: Options) -> list[str]:
    """Choose the mode while the port is on no VLAN; a parked port gets none."""
    hybrid = config.untagged is not None and bool(config.tagged)
    mode = ["portmode hybrid" if hybrid else "no portmode hybrid", "switchport"]
    return ["no switchport", *([] if config.parked else mode)]


def _vlan_lines(vlan: int, present: bool, options: Options) -> list[str]:
    """Create and name a VLAN, or remove it; created first, so that removing it can't fail."""
    if present:
        return [_enter_vlan(vlan), f"name haas-{vlan}", "exit"]
    return [_enter_vlan(vlan), "exit", f"no {_enter_vlan(vlan)}"]


# --- channels -------------------------------------------------------------------------------------


def _channel(number: int) -> str:
    return f"{_CHANNEL} {number}"


_LACP = re.compile(r"port-channel-protocol lacp port-channel (\d+) mode active", re.I)
_STATIC = re.compile(r"channel-member (?:(?! of ).)+ of Port-channel (\d+)")


def _member(line: str) -> Channel | None:
    """Read the lines of a member with LACP, or the channel's that lists a port as its member."""
    if found := _LACP.fullmatch(line):
        return Channel(_channel(int(found[1])), "lacp")
    found = _STATIC.fullmatch(line)
    return Channel(_channel(int(found[1])), "static") if found else None


# --- reading back ---------------------------------------------------------------------------------


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show everything: ports, and the VLANs that list them, are in different sections."""
    return ["show running-config"]


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read the whole configuration."""
    return OS9Config(_canonical, harmless_lines(HARMLESS, options)).read("\n".join(answers))


_parse_vlans = vlans_in_table(ACTIVE)
"""Reads the table's first column, after its codes. (ntc-templates' template for OS9 drops rows with
any code except ``*``.)"""


DIALECT = Dialect(
    name="dell_os9",
    title="Dell OS9 (Force10 FTOS)",
    options=frozenset({"default_vlan"}),
    canonical_port=_canonical,
    channels=Channels(name=_channel, member=_member),
    example_ports=("te0/1", "te0/2"),
    port_names=portnames.of_types(
        (kind for kind in _TYPES if not NO_PORTS.match(kind)), r" \d[\d/:]*"
    ),
    trunks_need_vlans=True,
    dialogue=replace(
        IOS,
        configuring=re.compile(r"\(conf[^()]*\)#"),
        login_failed=on_own_line(
            r"(?:error: ?)?(?:login invalid|authentication failed|access denied|bad passwords?)"
        ),
        enable_failed=re.compile(
            r"% ?(?:error: ?)?(?:access denied|authentication failed|bad passwords?|"
            r"no password set|enable password)[^\r\n]*(?=[\r\n])",
            re.I,
        ),
        question=at_end(r"[^\r\n]*(?:\[confirm(?: yes/no)?\]|[\[(]y(?:es)?/no?[\])]) ?:? ?"),
        benign=(*IOS.benign, r"%\s?info\b", r"%\s?note\b"),
        sessions=SessionList("show users", os9_logins),
        busy=re.compile(
            r"is in exclusive configuration mode|can't lock configuration mode exclusively", re.I
        ),
        save=("copy running-config startup-config",),
        saved=re.compile("successfully copied"),  # 8380 bytes successfully copied
    ),
    writer=Writer(
        ports=WithChannels(
            ByVlan(
                canonical=_canonical,
                contexts=PortContexts(max_ranges=5, leave="exit", kind=_apart),
                enter_vlan=_enter_vlan,
                port_list=_port_list,
                kind=_slot,
                leave_all_first=True,
                before_joining=_before_joining,
                clear=("no switchport",),  # leaves Layer-2 mode
            )
        ),
        vlans=VlanByVlan(_vlan_lines),
        needs_current="always",
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
            lines=("show lldp neighbors detail",),
            read=lldpblocks.os9,
        ),
        learnt=Table(
            lines=("show mac-address-table",),
            read=mactables.os9,
        ),
    ),
    about=replace(
        IOS_ABOUT,
        model=re.compile(r"^System Type: *(\S+)", re.M),
        version=re.compile(r"Application Software Version: *(\S+)"),
    ),
)
