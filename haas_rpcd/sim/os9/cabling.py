"""``show lldp neighbors detail`` and ``show mac-address-table`` of Dell OS9.

Sources: the fixtures of the Ansible collection dellemc.os9, and Dell's S4820T reference guide.
"""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Announced, Args, Commands, Session
from haas_rpcd.sim.os9.state import NAMING, Os9


def _details(switch: Os9, session: Session, args: Args) -> Iterator[str]:
    found: dict[str, list[Announced]] = {}
    for port, said in switch.neighbours():
        found.setdefault(port, []).append(said)
    for port, heard in found.items():
        yield "=" * 72
        count = f"{len(heard)} neighbor{'' if len(heard) == 1 else 's'}"
        yield f" Local Interface {NAMING.short(port)} has {count}"
        yield "  Total Frames Out: 1747"
        yield "  Total Frames In: 10333"
        yield "  Next packet will be sent after 17 seconds"
        yield "  The neighbors are given below:"
        yield f"  {'-' * 71}"
        yield ""
        for index, said in enumerate(heard, 1):
            yield from _neighbor(port, said, index)


def _neighbor(port: str, said: Announced, index: int) -> Iterator[str]:
    chassis = "Mac address (4)" if said.has_mac else "Locally assigned (7)"
    remote = "Mac address (3)" if said.port.count(":") == 5 else "Interface name (5)"
    yield f"    Remote Chassis ID Subtype: {chassis}"
    yield f"    Remote Chassis ID:  {said.chassis}"
    yield f"    Remote Port Subtype:  {remote}"
    yield f"    Remote Port ID:  {said.port}"
    yield f"    Local Port ID: {port}"
    yield f"    Locally assigned remote Neighbor Index: {index}"
    yield "    Remote TTL:  120"
    yield "    Information valid for next 117 seconds"
    yield from [f"    Remote System Name:  {said.name}"] if said.name else []
    yield f"   {'-' * 75}"
    yield ""


def _macs(switch: Os9, session: Session, args: Args) -> Iterator[str]:
    yield "Codes: *N - VLT Peer Synced MAC"
    yield "*I - Internal MAC Address used for Inter Process Communication"
    yield "VlanId     Mac Address           Type          Interface        State"
    for port, vlan, mac in switch.heard():
        yield f" {vlan:<6} {mac}       Dynamic         {NAMING.short(port):<15} Active"


COMMANDS: Commands = [
    ("show lldp neighbors detail", _details),
    ("show mac-address-table", _macs),
]
