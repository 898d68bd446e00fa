"""Cisco IOS on Catalyst switches.

Sources: Cisco's "Catalyst 2960 Switch Command Reference" (Release 15), and open-source drivers.

Option ``encapsulation``: "dot1q", for models that also know ISL (3560, 3750). These models refuse
``switchport mode trunk`` until the encapsulation is set. The others lack the command.
"""

from __future__ import annotations

import re
from dataclasses import replace

from haas_rpcd.drivers.switch import lldpblocks, mactables, membership
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.channels import Channels, channel_group, channel_lines
from haas_rpcd.drivers.switch.dialect import Dialect, Reader
from haas_rpcd.drivers.switch.ioslike import (
    IOS,
    IOS_ABOUT,
    Interfaces,
    SwitchportLines,
    range_with_blanks,
    show_vlan_brief,
    vlan_lines,
    vlan_table,
)
from haas_rpcd.drivers.switch.sessionlist import SessionList, ios_logins
from haas_rpcd.drivers.switch.switchport import TAG_NATIVE, Switchport, tags_native
from haas_rpcd.drivers.switch.writer import InContexts, Options, PortContexts, VlanByVlan, Writer

_GLOBAL_LINES = (
    "show running-config | include "
    rf"^monitor session|^ destination interface|^vlan {TAG_NATIVE}"
    "|^autoconf enable|^macro auto global processing"
)

_EVERY_PORT = re.compile(r"(?<!no )\b(?:autoconf enable|macro auto global processing)\b")
"""A neighbour that says by CDP or LLDP what it is makes its port a trunk, or changes its VLANs. The
running configuration does not show what Autoconf does to a port. (Cisco's "Network Management
Configuration Guide, Catalyst 9400", 16.12, "Configuring Autoconf": "applied to all the interfaces";
"Auto Smartports Configuration Guide".)"""


def _encapsulation(options: Options) -> list[str]:
    """Set the encapsulation on models that have a choice."""
    chosen = options.get("encapsulation")
    return [f"switchport trunk encapsulation {chosen}"] if chosen else []


def _fresh_port(config: str) -> Switchport:
    """Ports negotiate: one becomes a trunk as soon as its node asks for that.

    So the VLANs of that trunk count as carried.
    """
    tagged = tags_native(config)
    return Switchport("dynamic", native_tagged=tagged, may_tag_native=tagged, address_routes=True)


def _channel(number: int) -> str:
    return f"Port-channel{number}"


_INTERFACES = Interfaces(
    types=(
        "Ethernet",
        "FastEthernet",
        "GigabitEthernet",
        "TwoGigabitEthernet",
        "FiveGigabitEthernet",
        "TenGigabitEthernet",
        "TwentyFiveGigE",
        "FortyGigabitEthernet",
        "FiftyGigE",
        "HundredGigE",
        "TwoHundredGigE",
        "FourHundredGigE",
        "AppGigabitEthernet",
        "Port-channel",
    ),
    short_forms={
        "tw": "TwoGigabitEthernet",
        "fi": "FiveGigabitEthernet",
        "fo": "FortyGigabitEthernet",
    },
    fresh=_fresh_port,
    every_port=_EVERY_PORT,
    show_global=(_GLOBAL_LINES,),
)

_LINES = SwitchportLines(
    trunk_mode=("switchport mode trunk", "switchport nonegotiate"),
    no_voice_vlan=("no switchport voice vlan",),
    before_trunk=_encapsulation,
)

DIALECT = Dialect(
    name="cisco_ios",
    title="Cisco IOS and IOS XE (Catalyst)",
    options=frozenset({"encapsulation"}),
    canonical_port=_INTERFACES.canonical,
    channels=Channels(
        name=_channel,
        member=channel_group(_channel),
        follow=False,  # a member that is alone uses its own VLANs
    ),
    example_ports=("Gi1/0/1", "Gi1/0/2"),
    port_names=_INTERFACES.names,
    dialogue=replace(
        IOS,
        setup=("terminal length 0", "terminal width 511"),
        errors=(
            *IOS.errors,
            r"vtp vlan configuration not allowed",
            r"command authorization failed",
            r"configuration mode (?:is )?locked",
        ),
        benign=(*IOS.benign, r"%\s?portfast will be configured"),
        sessions=SessionList("show users", ios_logins, end="clear line {line}"),
        optional_lines=(*IOS.optional_lines, "switchport"),
        busy=re.compile(r"configuration mode (?:is )?locked", re.I),
    ),
    # Older IOS refuses ranges without blanks around dash and comma.
    writer=Writer(
        ports=InContexts(
            _LINES.stages,
            PortContexts(max_ranges=5, range_line=range_with_blanks, leave="exit"),
            # "interface port-channel" creates "a Layer 3 port channel" on a Catalyst 4500 (Command
            # Reference, channel-group); a Catalyst 2960 only switches. What a port has that left a
            # channel is in no manual: the lines that park it remove all VLANs that it may have.
            channel_lines(make=["switchport"], own_vlans=True),
        ),
        vlans=VlanByVlan(vlan_lines),
        needs_current="joining",
    ),
    reader=Reader(
        read_ports=_INTERFACES.show,
        parse_ports=_INTERFACES.read,
        read_vlans=show_vlan_brief,
        parse_vlans=vlan_table,
        witness=membership.Witness(
            line="show vlan brief",
            read=membership.table,
            written_out=_INTERFACES.written_out,
            only_access_ports=True,
        ),
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("show lldp neighbors detail", "show lldp neighbors"),
            read=lldpblocks.ios,
        ),
        learnt=Table(
            lines=("show mac address-table",),
            read=mactables.ios,
            otherwise=("show mac-address-table",),
        ),
        written_out=_INTERFACES.written_out,
    ),
    about=replace(
        IOS_ABOUT,
        model=re.compile(r"^(?:Model number\s*: *|cisco (?=\S+ \())(\S+)", re.M | re.I),
        version=re.compile(r"Version ([^,\s]+)"),
        serial=re.compile(r"^(?:System serial number\s*: *|Processor board ID )(\S+)", re.M | re.I),
        base_mac=re.compile(r"^Base ethernet MAC Address\s*: *(\S+)", re.M | re.I),
    ),
)
