"""Cisco NX-OS on Nexus switches.

Sources: Cisco's "Nexus 9000 Series NX-OS Interfaces" and "Layer 2 Switching Configuration Guide",
and open-source drivers.

Ports are registered as ``Ethernet1/1``, or ``Ethernet1/49/1`` if split.

If a port's own configuration does not say whether it routes or switches, or whether it is shut,
then ``system default switchport`` and the model decide. So the configuration is read with all
defaults. A port that seems to carry nothing may be routed. It is shut before ``switchport``,
because it would come up on VLAN 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from haas_rpcd.drivers.switch import lldpblocks, mactables, membership, portnames
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.channels import Channels, channel_group, channel_lines
from haas_rpcd.drivers.switch.dialect import Dialect, Reader
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.ioslike import (
    IOS,
    IOS_ABOUT,
    Interfaces,
    SwitchportLines,
    show_vlan_brief,
    vlan_lines,
    vlan_table,
)
from haas_rpcd.drivers.switch.sessionlist import SessionList, nxos_logins
from haas_rpcd.drivers.switch.stanzas import interface_sections
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.switchport import (
    HARMLESS,
    NO_SWITCHPORT,
    TAG_NATIVE,
    Switchport,
    tags_native,
)
from haas_rpcd.drivers.switch.writer import (
    InContexts,
    Options,
    PortContexts,
    PortStages,
    VlanByVlan,
    Writer,
)
from haas_rpcd.model import PortConfig

_PORT_LINES = '| include "interface|shutdown|switchport"'
_GLOBAL_LINES = f'show running-config | include "vlan {TAG_NATIVE}"'

HARMLESS_NXOS = (
    *HARMLESS,
    NO_SWITCHPORT,
    "(?:no )?(?:medium|rate-mode|layer2-qos|priority-flow-control|hardware|link|link-flap)",
    "(?:no )?(?:buffer-boost|queue-limit|ttag)",
    "(?:no )?service-policy type (?:qos|queuing)",
    "(?:no )?(?:ip|mac) port access-group",
    # A port-channel whose other links are on the switch's peer, which is configured by itself
    "(?:no )?(?:vpc|port-channel|evpn multisite)",
)
"""Cisco's "Nexus 9000 Series NX-OS Interfaces Configuration Guide"; batfish's
``cisco_nxos/grammar/testconfigs``, e.g. ``nxos_interface_show_all_1`` for what ``all`` shows."""

_INTERFACES = Interfaces(types=("Ethernet", "port-channel"), harmless=HARMLESS_NXOS)
_LINES = SwitchportLines()


# --- lines ----------------------------------------------------------------------------------------


def _range_line(spans: Sequence[portnames.Span]) -> str:
    """Name several ports without the word ``range``: ``interface Ethernet1/1-4,Ethernet1/7``.

    Only releases since 7.0 know the word, and not on all models.
    """
    return f"interface {portnames.joined(spans)}"


def _channel(number: int) -> str:
    """Name a channel. LACP needs ``feature lacp``, which the site enables."""
    return f"port-channel{number}"


def _port_stages(current: PortState | None, config: PortConfig, options: Options) -> PortStages:
    """Make a port that may be routed a switch port, once it is shut.

    It may also have a telephone's VLAN, which not every model knows.
    """
    stages = _LINES.stages(current, config, options)
    if current is not None and not current.config.parked:
        return stages
    fresh = ["switchport", "no switchport voice vlan"]
    first, *others = stages.settings
    return stages._replace(settings=[[*fresh, *first], *others])


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show the ports' configuration twice: what is not a default, and the lines that matter.

    The latter with all defaults. Last comes a line that decides about all trunks.
    """
    if not ports or len(ports) >= _INTERFACES.bulk_from:
        which = [""]
    else:
        which = [f" {port}" for port in ports]
    shown = [
        line
        for ports_shown in which
        for line in (
            f"show running-config interface{ports_shown}",
            f"show running-config interface{ports_shown} all {_PORT_LINES}",
        )
    ]
    return [*shown, _GLOBAL_LINES]


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read the answers in pairs; only a port that both show is read completely."""
    found: dict[str, PortState] = {}
    *answers, common = answers
    tagged = tags_native(common)
    for own, everything in zip(answers[::2], answers[1::2], strict=True):
        lines = _INTERFACES.port_lines(interface_sections(own))
        for port, more in _INTERFACES.port_lines(interface_sections(everything)).items():
            if port in lines:
                state = Switchport("access", native_tagged=tagged)
                state.read([*more, *lines[port]], harmless_lines(HARMLESS_NXOS, options))
                found[port] = state.seen
    return found


DIALECT = Dialect(
    name="cisco_nxos",
    title="Cisco NX-OS (Nexus)",
    canonical_port=_INTERFACES.canonical,
    channels=Channels(name=_channel, member=channel_group(_channel), follow=False),
    example_ports=("Ethernet1/1", "Ethernet1/2"),
    port_names=_INTERFACES.names,
    # Layer 2 Switching Configuration Guide, "VLAN Ranges". (Nexus 5000 and 7000 reserve only 3968
    # to 4047 and 4094.)
    reserved_vlans=frozenset(range(3968, 4095)),
    dialogue=replace(
        IOS,
        setup=("terminal length 0", "terminal width 511"),
        errors=(
            *IOS.errors,
            r"invalid .* at '\^' marker",
            r"syntax error",
            r"permission denied",
            r"configuration update aborted",
            r"command failed",
            r"unable to perform the action\b",
            r"cannot (?:run|execute|create|delete) ",
        ),
        benign=(*IOS.benign, r"error (?:facility|description):"),
        sessions=SessionList("show users", nxos_logins),
        busy=re.compile(
            r"(?:configuration|database) (?:is )?(?:currently )?locked|"
            r"services in transient state|another (?:configuration )?session",
            re.I,
        ),
        save=("copy running-config startup-config",),
        saved=re.compile(r"^\s*Copy complete\b", re.M),  # the rest of the line varies
    ),
    writer=Writer(
        ports=InContexts(
            _port_stages,
            PortContexts(max_ranges=8, range_line=_range_line, leave="exit"),
            # Without "force", a port that has been anything else before may be "not compatible".
            channel_lines(own_vlans=True, words="force mode"),
        ),
        vlans=VlanByVlan(vlan_lines),
        needs_current="always",
        parked_config=PortConfig(1),
    ),
    reader=Reader(
        read_ports=_read_ports,
        parse_ports=_parse_ports,
        read_vlans=show_vlan_brief,
        parse_vlans=vlan_table,
        witness=membership.Witness(
            line="show vlan brief", read=membership.table, only_access_ports=True
        ),
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("show lldp neighbors detail",),
            read=lldpblocks.nxos,
        ),
        learnt=Table(
            lines=("show mac address-table",),
            read=mactables.ios,
        ),
    ),
    about=replace(
        IOS_ABOUT,
        model=re.compile(r"^\s*cisco (Nexus[^\r\n]*?)(?: \([^)\r\n]*\))* chassis", re.M | re.I),
        version=re.compile(r"^\s*(?:NXOS|system): +version (\S+)", re.M),
        serial=re.compile(r"^[ \t]*Processor Board ID (\S+)", re.M | re.I),
    ),
)
