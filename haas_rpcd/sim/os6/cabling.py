"""``show lldp remote-device all`` and ``show mac address-table`` of Dell OS6.

Sources: the fixtures of the Ansible collection dellemc.os6, and pastebin.com/CpZFMrWY (an N4000). A
long name ends with `` ...`` as in ntc-templates' sample of Broadcom's ICOS, a sibling.
"""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Session
from haas_rpcd.sim.cli.plugging import dotted
from haas_rpcd.sim.os6.state import NAMING, Config

Switch = CliSwitch[Config]

_NAME = 17
"""Characters of the last column."""


def _neighbors(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    yield from ["", "LLDP Remote Device Summary", "", "Local"]
    yield "Interface RemID   Chassis ID          Port ID           System Name"
    yield "--------- ------- ------------------- ----------------- -----------------"
    for number, (port, said) in enumerate(switch.neighbours(), 1):
        name = said.name if len(said.name) <= _NAME else f"{said.name[: _NAME - 4]} ..."
        yield (
            f"{NAMING.short(port):<9} {number:<7} {_shown(said.chassis)[:19]:<19} "
            f"{_shown(said.port)[:17]:<17} {name}"
        ).rstrip()
    yield ""


def _shown(text: str) -> str:
    return text.upper() if text.count(":") == 5 else text


def _macs(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    heard = list(switch.heard())
    yield from ["", "Aging time is 300 Sec", ""]
    yield "Vlan     Mac Address           Type        Port"
    yield "-------- --------------------- ----------- ---------------------"
    for port, vlan, mac in heard:
        yield f"{vlan:<8} {dotted(mac).upper():<21} {'Dynamic':<11} {NAMING.short(port)}"
    yield f"{1:<8} {'F8B1.5655.3D1C':<21} {'Management':<11} Vl1"
    yield from ["", f"Total MAC Addresses in use: {len(heard) + 1}", ""]


COMMANDS: Commands = [
    ("show lldp remote-device all", _neighbors),
    ("show mac address-table", _macs),
]
