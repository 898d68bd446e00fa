"""``show lldp neighbors`` and ``show mac address-table`` of Marvell's ROS.

Their layout is that of ntc-templates' samples of an SG300, which runs ROS as well. Long texts go on
in the next row.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Session
from haas_rpcd.sim.powerconnect.state import NAMING, Config

Switch = CliSwitch[Config]


def _neighbors(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield "System capability legend:"
    yield "B - Bridge; R - Router; W - Wlan Access Point; T - telephone;"
    yield "D - DOCSIS Cable Device; H - Host; r - Repeater;"
    yield "TP - Two Ports MAC Relay; S - S-VLAN; C - C-VLAN; O - Other"
    yield ""
    yield "  Port        Device ID        Port ID       System Name    Capabilities  TTL  "
    yield "--------- ----------------- ------------- ----------------- ------------ ----- "
    for port, said in switch.neighbours():
        pieces = zip_longest(
            [NAMING.short(port)],
            _pieces(said.chassis, 17),
            _pieces(f"{said.port:^13}", 13),
            _pieces(f"{said.name:^17}", 17),
            ["H"],
            ["105"],
            fillvalue="",
        )
        for local, chassis, remote, name, can, ttl in pieces:
            yield f"{local:<9} {chassis:<17} {remote:<13} {name:<17} {can:^12} {ttl:^5} "


def _pieces(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]


def _macs(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield "Flags: I - Internal usage VLAN"
    yield "Aging time is 300 sec"
    yield ""
    yield "    Vlan          Mac Address         Port       Type    "
    yield "------------ --------------------- ---------- ---------- "
    yield f"{1:^12} {'00:1e:c9:00:00:01':^21} {0:^10} {'self':^10} "
    for port, vlan, mac in switch.heard():
        yield f"{vlan:^12} {mac:^21} {NAMING.short(port):^10} {'dynamic':^10} "


COMMANDS: Commands = [
    ("show lldp neighbors", _neighbors),
    ("show mac address-table", _macs),
]
