"""``display lldp neighbor-information`` and ``display mac-address`` of Comware.

Their layout is that of ntc-templates' samples (hp_comware), and of published outputs of Comware 7,
which writes short names of ports into the MAC table.
"""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Session
from haas_rpcd.sim.cli.plugging import dotted, dotted_if_mac
from haas_rpcd.sim.comware.state import COMWARE_5, NAMING, Config

Switch = CliSwitch[Config]


def _neighbors(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    indexes: dict[str, int] = {}
    for port, said in switch.neighbours():
        number = switch.port_list.index(port) + 1
        if port not in indexes:
            yield f"LLDP neighbor-information of port {number}[{port}]:"
            yield "LLDP agent nearest-bridge:"
        indexes[port] = indexes.get(port, 0) + 1
        yield f" LLDP neighbor index : {indexes[port]}"
        yield " Update time         : 0 days, 0 hours, 1 minutes, 46 seconds"
        yield f" Chassis type        : {'MAC address' if said.has_mac else 'Locally assigned'}"
        yield f" Chassis ID          : {dotted_if_mac(said.chassis, dot='-')}"
        is_mac = said.port.count(":") == 5
        yield f" Port ID type        : {'MAC address' if is_mac else 'Interface name'}"
        yield f" Port ID             : {dotted_if_mac(said.port, dot='-')}"
        yield " Time to live        : 120"
        yield from [f" System name         : {said.name}"] if said.name else []
        yield " Maximum frame size  : 1500"
        yield ""


def _macs(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    heard = switch.heard()
    if switch.running.release is COMWARE_5:
        yield "MAC ADDR       VLAN ID  STATE          PORT INDEX               AGING TIME(s)"
        for port, vlan, mac in heard:
            yield f"{dotted(mac, dot='-')} {vlan:<8} {'Learned':<14} {port:<24} AGING"
        return
    yield "MAC Address      VLAN ID    State            Port/Nickname            Aging"
    for port, vlan, mac in heard:
        yield f"{dotted(mac, dot='-')}   {vlan:<10} {'Learned':<16} {NAMING.short(port):<24} Y"


COMMANDS: Commands = [
    ("display lldp neighbor-information verbose", _neighbors),
    ("display mac-address", _macs),
]
