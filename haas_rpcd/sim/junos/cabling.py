"""``show lldp neighbors`` and ``show ethernet-switching table`` of Junos with ELS.

Their layout is that of ntc-templates' samples (juniper_junos).
"""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Args, CliSwitch, Commands
from haas_rpcd.sim.junos.session import Session
from haas_rpcd.sim.junos.state import Config

Switch = CliSwitch[Config]


def _neighbors(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    found = list(switch.neighbours())
    if found:
        yield _row("Local Interface", "Parent Interface", "Chassis Id", "Port info", "System Name")
    for port, said in found:
        yield _row(port, "-", said.chassis, said.port, said.name)


def _row(port: str, parent: str, chassis: str, remote: str, name: str) -> str:
    return f"{port:<18} {parent:<19} {chassis:<19} {remote:<18} {name}".rstrip()


def _macs(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    heard = list(switch.heard())
    names = {vlan.number: name for name, vlan in switch.running.vlans.items()}
    yield ""
    yield "MAC flags (S - static MAC, D - dynamic MAC, L - locally learned, P - Persistent static"
    yield (
        "           SE - statistics enabled, NM - non configured MAC, R - remote PE MAC, "
        "O - ovsdb MAC)"
    )
    yield ""
    yield ""
    yield f"Ethernet switching table : {len(heard)} entries, {len(heard)} learned"
    yield "Routing instance : default-switch"
    yield "    Vlan                MAC                 MAC         Age    Logical"
    yield "    name                address             flags              interface"
    for port, vlan, mac in heard:
        yield f"    {names[vlan]:<19} {mac}   DL            -   {port}.0"


COMMANDS: Commands = [
    ("show ethernet-switching table", _macs),
    ("show lldp neighbors", _neighbors),
]
