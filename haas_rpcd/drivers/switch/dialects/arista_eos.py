"""Arista EOS.

Sources: Arista's user manual ("Virtual LANs (VLANs)", "Ethernet Ports", "Command-Line Interface"),
and open-source drivers.

Ports are registered as ``Ethernet1``, ``Ethernet49/1`` or ``Et3/1``.

A VLAN that a port names is not created; until it exists, the port carries nothing. On a routed port
(``no switchport``) everything can be set too, and takes effect once the port switches. So
``switchport`` is sent after everything else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from haas_rpcd.drivers.switch import lldpblocks, mactables, membership, portnames
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.channels import Channels, channel_group, channel_lines
from haas_rpcd.drivers.switch.dialect import Dialect, Reader
from haas_rpcd.drivers.switch.ioslike import (
    IOS,
    IOS_ABOUT,
    Interfaces,
    SwitchportLines,
    show_vlan_brief,
    vlan_lines,
    vlan_table,
)
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.switchport import (
    HARMLESS,
    HARMLESS_ROUTED,
    NO_SWITCHPORT,
    Switchport,
)
from haas_rpcd.drivers.switch.writer import (
    InContexts,
    Options,
    PortContexts,
    PortStages,
    VlanByVlan,
    Writer,
    stays_open,
)
from haas_rpcd.model import PortConfig

HARMLESS_EOS = (
    *HARMLESS,
    NO_SWITCHPORT,
    "(?:no )?switchport mac address",
    "(?:no )?switchport (?:tap|tool)",
    "(?:no )?(?:error-correction|phy|transceiver|link-debounce|l2 mtu|l2 mru|poe)",
    "(?:no )?(?:sflow|flow tracker|ptp|lanz|queue-monitor|snmp trap|dcbx|mac timestamp)",
    "(?:no )?(?:sync-e|link tracking group|comment)",
    "(?:no )?(?:qos|service-profile|service-policy type qos|priority-flow-control|shape)",
    "(?:no )?mac security",
    # Queues, and the lines below one
    "(?:no )?(?:tx-queue|uc-tx-queue|mc-tx-queue|bandwidth|priority|random-detect)",
    # A port-channel's links, and multihoming, which share its VLANs with another switch
    "(?:no )?(?:mlag|port-channel|evpn ethernet-segment|identifier|route-target|redundancy)",
    "(?:no )?designated-forwarder",
    # A VLAN may be restricted to the trunks of a group. That adds none to a trunk's list.
    "(?:no )?switchport trunk group",
    # "Switched ports ignore all IP-level configuration commands"
    *HARMLESS_ROUTED,
)
"""Arista's user manual ("Virtual LANs", "Ethernet Ports", "Quality of Service"), batfish's model of
trunk groups (``eos_trunk_group``), and configurations that Arista's AVD renders for its tests."""


def _fresh_port(config: str) -> Switchport:
    """Ports switch, unless the default mode is another. Then only ``switchport`` is shown."""
    return Switchport("access", routed="switchport default mode routed" in config)


_INTERFACES = Interfaces(
    types=("Ethernet", "Port-Channel"),
    harmless=HARMLESS_EOS,
    fresh=_fresh_port,
    bulk_from=1,  # lines outside of a port's section decide about it: the default mode, monitors
)
_DEFAULTS = re.compile(r"\binterface defaults\b.*((?:\n(?!!|interface ).*)*)")
_ETHERNET = re.compile(r"^interface Ethernet[\d/]+[ \t\r]*$", re.M)


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read the sections of ports, each after what ``interface defaults`` says of all.

    (``interface defaults``, ``ethernet``, ``shutdown``: what Arista's AVD renders.)
    """
    shown = "\n!\n".join(answers)
    defaults = _DEFAULTS.search(shown)
    if defaults is not None:
        said = [f"   {line.strip()}" for line in defaults[1].splitlines() if "shutdown" in line]
        shown = _ETHERNET.sub(lambda header: "\n".join([header[0].rstrip(), *said]), shown)
    return _INTERFACES.read([shown], options)


# ``show running-config all`` has the line for each port (batfish's
# ``arista_interface_show_run_all_3``).
_LINES = SwitchportLines(no_voice_vlan=("no switchport phone vlan",))


def _type(port: str) -> str:
    """Return the letters (and the blank) at the start of a port's name."""
    found = re.match(r"[A-Za-z-]* ?", port)
    return found[0] if found else ""


def _range_line(spans: Sequence[portnames.Span]) -> str:
    """Write the type only once: ``interface Ethernet1-4,7,49/1-4``."""
    kind = _type(spans[0].prefix)
    own = [span._replace(prefix=span.prefix[len(kind) :]) for span in spans]
    return f"interface {kind}{portnames.joined(own)}"


def _port_stages(current: PortState | None, config: PortConfig, options: Options) -> PortStages:
    """Send ``switchport`` after all settings, while the port is shut. One that stays open switches
    already."""
    stages = _LINES.stages(current, config, options)
    if stays_open(current, config):
        return stages
    return stages._replace(settings=[*stages.settings, ["switchport"]])


def _channel(number: int) -> str:
    """Name a channel. (Arista's rbeapi, ``lib/rbeapi/api/interfaces.rb``, makes and removes it so.)

    A member has the channel's VLANs, not its own: published configurations of members have none,
    except where LACP may fall back to single ports (``eos_cli_config_gen`` of Arista's collection
    arista.avd, ``port-channel-interfaces.cfg``). By itself a member carries nothing then, as HaaS
    does not configure ``lacp fallback``: the line of a channel that has it is not understood.
    """
    return f"Port-Channel{number}"


DIALECT = Dialect(
    name="arista_eos",
    title="Arista EOS",
    canonical_port=_INTERFACES.canonical,
    channels=Channels(name=_channel, member=channel_group(_channel)),
    example_ports=("Ethernet1", "Ethernet2"),
    port_names=_INTERFACES.names,
    dialogue=replace(
        IOS,
        setup=("terminal length 0", "terminal width 511"),
        saved=re.compile("Copy completed successfully"),
    ),
    writer=Writer(
        ports=InContexts(
            _port_stages,
            PortContexts(
                max_ranges=8,
                range_line=_range_line,
                kind=lambda port: _type(port).lower(),
                leave="exit",
            ),
            channel_lines(),
        ),
        vlans=VlanByVlan(vlan_lines),
        needs_current="joining",
    ),
    reader=Reader(
        read_ports=_INTERFACES.show,
        parse_ports=_parse_ports,
        read_vlans=show_vlan_brief,
        parse_vlans=vlan_table,
        witness=membership.Witness(line="show vlan brief", read=membership.table),
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("show lldp neighbors detail",),
            read=lldpblocks.eos,
        ),
        learnt=Table(
            lines=("show mac address-table",),
            read=mactables.eos,
            otherwise=("show mac-address-table",),
        ),
    ),
    about=replace(
        IOS_ABOUT,
        model=re.compile(r"^Arista (\S+)", re.M),
        version=re.compile(r"^Software image version: (\S+)", re.M),
        serial=re.compile(r"^Serial number:[ \t]*(\S+)", re.M),
        base_mac=re.compile(r"^System MAC address:[ \t]*(\S+)", re.M),
    ),
)
