"""``show lldp neighbors detail`` and ``show mac-address`` of FastIron.

Their layout is that of ntc-templates' samples (brocade_fastiron, ruckus_fastiron).
"""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, RejectedError, Session
from haas_rpcd.sim.cli.plugging import dotted, dotted_if_mac
from haas_rpcd.sim.fastiron.state import Config

Switch = CliSwitch[Config]


def _details(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    if not switch.lldp:
        raise RejectedError("LLDP is not running")
    for name, said in switch.neighbours():
        port = dotted_if_mac(said.port)
        is_mac = port != said.port
        yield f"Local port: {name.rpartition(' ')[2]}"
        yield f"  Neighbor: {dotted_if_mac(said.chassis)}, TTL 101 seconds"
        kind = "MAC address" if said.has_mac else "locally assigned"
        yield f"    + Chassis ID ({kind}): {_quoted(dotted_if_mac(said.chassis), said.has_mac)}"
        kind = "MAC address" if is_mac else "locally assigned"
        yield f"    + Port ID ({kind}): {_quoted(port, is_mac)}"
        yield "    + Time to live: 120 seconds"
        yield from [f'    + System name         : "{said.name}"'] if said.name else []
        yield "    + Port VLAN ID: none"
        yield ""


def _quoted(text: str, is_mac: bool) -> str:
    return text if is_mac else f'"{text}"'


def _macs(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    heard = list(switch.heard())
    yield ""
    yield f"Total active entries from all ports = {len(heard)}"
    yield "MAC-Address     Port                 Type         VLAN "
    for name, vlan, mac in heard:
        yield f"{dotted(mac)}  {name.rpartition(' ')[2]:<20} Dynamic      {vlan:<4} "


COMMANDS: Commands = [
    ("show lldp neighbors detail", _details),
    ("show mac-address", _macs),
]
