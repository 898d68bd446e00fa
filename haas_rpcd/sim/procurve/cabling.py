"""``show lldp info remote-device detail`` and ``show mac-address`` of ProVision.

Their layout is that of ntc-templates' samples (hp_procurve).
"""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Session
from haas_rpcd.sim.cli.plugging import dotted
from haas_rpcd.sim.procurve.state import Config

Switch = CliSwitch[Config]


def _details(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield from ["", " LLDP Remote Device Information Detail", ""]
    for at, (port, said) in enumerate(switch.neighbours()):
        yield from ["-" * 78] if at else []
        is_mac = said.port.count(":") == 5
        chassis = dotted(said.chassis, 6, "-") if said.has_mac else said.chassis
        yield f"  Local Port   : {port}"
        yield f"  ChassisType  : {'mac-address' if said.has_mac else 'local':<20}"
        yield f"  ChassisId    : {chassis:<25}"
        yield f"  PortType     : {'mac-address' if is_mac else 'interface-name':<58}"
        yield f"  PortId       : {said.port.replace(':', ' ') if is_mac else said.port:<58}"
        yield f"  SysName      : {said.name:<32}"
        yield f"  System Descr : {'':<61}"
        yield f"  PortDescr    : {'':<61}"
        yield f"  Pvid         : {'':<25}"
        yield ""
        yield "  System Capabilities Supported  : "
        yield "  System Capabilities Enabled    : "
        yield ""
        yield "  Remote Management Address"
        yield ""


def _macs(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield from ["", " Status and Counters - Port Address Table", ""]
    yield "  MAC Address       Port                            VLAN"
    yield "  ----------------- ------------------------------- ----"
    for port, vlan, mac in switch.heard():
        yield f"  {dotted(mac, 6, '-'):<17} {port:<31} {vlan:<4}"
    yield ""


COMMANDS: Commands = [
    ("show lldp info remote-device detail", _details),
    ("show mac-address", _macs),
]
