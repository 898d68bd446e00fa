"""``show lldp neighbors detail`` and ``show mac address-table`` of NX-OS.

Their layout is that of ntc-templates' and genieparser's samples.
"""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Session
from haas_rpcd.sim.cli.plugging import dotted, dotted_if_mac
from haas_rpcd.sim.nxos.state import NAMING, Config

Switch = CliSwitch[Config]


def _details(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield "Capability codes:"
    yield "  (R) Router, (B) Bridge, (T) Telephone, (C) DOCSIS Cable Device"
    yield "  (W) WLAN Access Point, (P) Repeater, (S) Station, (O) Other"
    yield "Device ID            Local Intf      Hold-time  Capability  Port ID  "
    count = 0
    for port, said in switch.neighbours():
        yield ""
        yield f"Chassis id: {dotted_if_mac(said.chassis)}"
        yield f"Port id: {dotted_if_mac(said.port)}"
        yield f"Local Port id: {NAMING.short(port)}"
        yield "Port Description: null"
        yield f"System Name: {said.name or 'null'}"
        yield "System Description: null"
        yield "Time remaining: 97 seconds"
        yield "System Capabilities: not advertised"
        yield "Enabled Capabilities: not advertised"
        yield "Management Address: not advertised"
        yield "Management Address IPV6: not advertised"
        yield "Vlan ID: not advertised"
        yield ""
        count += 1
    yield f"Total entries displayed: {count}"


def _macs(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield "Legend: "
    yield "        * - primary entry, G - Gateway MAC, (R) - Routed MAC, O - Overlay MAC"
    yield "        age - seconds since last seen,+ - primary entry using vPC Peer-Link,"
    yield "        (T) - True, (F) - False, C - ControlPlane MAC, ~ - vsan"
    yield "   VLAN     MAC Address      Type      age     Secure NTFY Ports"
    yield "---------+-----------------+--------+---------+------+----+------------------"
    for port, vlan, mac in switch.heard():
        yield f"* {vlan:>4}     {dotted(mac)}   dynamic  0         F      F    {NAMING.short(port)}"
    yield "G    -     5e00.c0ff.0007   static   -         F      F    sup-eth1(R)"


COMMANDS: Commands = [
    ("show lldp neighbors detail", _details),
    ("show mac address-table", _macs),
]
