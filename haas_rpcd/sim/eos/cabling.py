"""``show lldp neighbors detail`` and ``show mac address-table`` of EOS.

Their layout is that of ntc-templates' samples.
"""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Announced, Args, CliSwitch, Commands, Session
from haas_rpcd.sim.cli.plugging import dotted, dotted_if_mac
from haas_rpcd.sim.eos.state import NAMING, Config

Switch = CliSwitch[Config]


def _details(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    found = list(switch.neighbours())
    for name in switch.port_list:
        said = [each for port, each in found if port == name]
        yield f"Interface {name} detected {len(said)} LLDP neighbors:"
        yield ""
        for each in said:
            yield from _neighbor(each)


def _neighbor(said: Announced) -> Iterator[str]:
    chassis, port = dotted_if_mac(said.chassis), dotted_if_mac(said.port)
    kind = "MAC address (4)" if said.has_mac else "Locally assigned (7)"
    is_mac = port != said.port
    shown = port if is_mac else f'"{port}"'
    yield f"  Neighbor {chassis}/{shown}, age 12 seconds"
    yield "  Discovered 0:01:11 ago; Last changed 0:01:11 ago"
    yield f"  - Chassis ID type: {kind}"
    yield f"    Chassis ID     : {chassis}"
    yield f"  - Port ID type: {'MAC address (3)' if is_mac else 'Interface name (5)'}"
    yield f"    Port ID     : {shown}"
    yield "  - Time To Live: 120 seconds"
    yield from [f'  - System Name: "{said.name}"'] if said.name else []
    yield "  - IEEE802.1/IEEE802.3 Link Aggregation"
    yield "    Link Aggregation Status: Capable, Disabled (0x01)"
    yield "    Port ID                : 0"
    yield ""


def _macs(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield "          Mac Address Table"
    yield "-" * 66
    yield ""
    yield "Vlan    Mac Address       Type        Ports      Moves   Last Move"
    yield "----    -----------       ----        -----      -----   ---------"
    heard = list(switch.heard())
    for port, vlan, mac in heard:
        port = NAMING.short(port)
        yield f"{vlan:>4}    {dotted(mac)}    DYNAMIC     {port:<10} 1       0:08:16 ago"
    yield f"Total Mac Addresses for this criterion: {len(heard)}"
    yield ""
    yield "          Multicast Mac Address Table"
    yield "-" * 66
    yield ""
    yield "Vlan    Mac Address       Type        Ports"
    yield "----    -----------       ----        -----"
    yield "Total Mac Addresses for this criterion: 0"


COMMANDS: Commands = [
    ("show lldp neighbors detail", _details),
    ("show mac address-table", _macs),
]
