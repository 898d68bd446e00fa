"""``show lldp neighbors`` and ``show mac address-table`` of Dell OS10.

Sources: the tests of Intel's mfd-switchmanagement, whose rows are one character narrower than the
titles above them, and the "OS10 Enterprise Edition User Guide", 10.4.3.0.
"""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Session
from haas_rpcd.sim.os10.state import Config

Switch = CliSwitch[Config]


def _neighbors(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield "Loc PortID          Rem Host Name        Rem Port Id                    Rem Chassis Id"
    yield "-" * 86
    for port, said in switch.neighbours():
        name = said.name or "Not Advertised"
        name = name if len(name) <= 20 else f"{name[:17]}..."
        yield f"{port:<20}{name:<21}{said.port[:29]:<30}{said.chassis[:24]:<24}"


def _macs(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield "Codes: pv <vlan-id> - private vlan where the mac is originally learnt"
    yield "VlanId        Mac Address         Type        Interface"
    for port, vlan, mac in switch.heard():
        yield f"{vlan:<14}{mac:<20}{'dynamic':<12}{port}"


COMMANDS: Commands = [
    ("show lldp neighbors", _neighbors),
    ("show mac address-table", _macs),
]
