"""``show lldp neighbors`` and ``show mac address-table`` of IOS.

Their layout is that of ntc-templates' and genieparser's samples of Catalyst switches.
"""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Announced, Args, Commands, RejectedError, Session
from haas_rpcd.sim.cli.plugging import dotted, dotted_if_mac
from haas_rpcd.sim.ios.catalyst import Catalyst
from haas_rpcd.sim.ios.portname import short

_OWN = ("0100.0ccc.cccc", "0100.0ccc.cccd", "0180.c200.0000", "ffff.ffff.ffff")


def _running(switch: Catalyst) -> list[tuple[str, Announced]]:
    if not switch.lldp:
        raise RejectedError("% LLDP is not enabled")
    return list(switch.neighbours())


def _neighbors(switch: Catalyst, session: Session, args: Args) -> Iterator[str]:
    found = _running(switch)
    yield "Capability codes:"
    yield "    (R) Router, (B) Bridge, (T) Telephone, (C) DOCSIS Cable Device"
    yield "    (W) WLAN Access Point, (P) Repeater, (S) Station, (O) Other"
    yield ""
    yield "Device ID           Local Intf     Hold-time  Capability      Port ID"
    for port, said in found:
        name = said.name or dotted_if_mac(said.chassis)
        yield f"{name[:20]:<20}{short(port):<15}120        B               {_port_id(said)}"
    yield from ["", f"Total entries displayed: {len(found)}", ""]


def _details(switch: Catalyst, session: Session, args: Args) -> Iterator[str]:
    found = _running(switch)
    for port, said in found:
        yield "-" * 48
        yield f"Local Intf: {short(port)}"
        yield f"Chassis id: {dotted_if_mac(said.chassis)}"
        yield f"Port id: {_port_id(said)}"
        yield "Port Description - not advertised"
        yield f"System Name: {said.name}" if said.name else "System Name - not advertised"
        yield "System Description - not advertised"
        yield ""
        yield "Time remaining: 96 seconds"
        yield "System Capabilities: B"
        yield "Enabled Capabilities: B"
        yield "Management Addresses - not advertised"
        yield "Auto Negotiation - not supported"
        yield "Physical media capabilities - not advertised"
        yield "Media Attachment Unit type - not advertised"
        yield "Vlan ID: - not advertised"
        yield ""
    yield from ["", f"Total entries displayed: {len(found)}", ""]


def _port_id(said: Announced) -> str:
    return dotted_if_mac(said.port)


def _macs(switch: Catalyst, session: Session, args: Args) -> Iterator[str]:
    yield from ["          Mac Address Table", "-" * 43, ""]
    yield from [
        "Vlan    Mac Address       Type        Ports",
        "----    -----------       --------    -----",
    ]
    yield from (f" All    {mac}    STATIC      CPU" for mac in _OWN)
    heard = list(switch.heard())
    for port, vlan, mac in heard:
        yield f"{vlan:>4}    {dotted(mac)}    DYNAMIC     {short(port)}"
    yield f"Total Mac Addresses for this criterion: {len(_OWN) + len(heard)}"


COMMANDS: Commands = [
    ("show lldp neighbors", _neighbors),
    ("show lldp neighbors detail", _details),
    ("show mac address-table", _macs),
]
