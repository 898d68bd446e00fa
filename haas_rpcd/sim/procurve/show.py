"""What a ProVision switch shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from haas_rpcd.sim import cli
from haas_rpcd.sim.procurve.state import DEFAULT_MAX_VLANS, DEFAULT_VLAN, Config

PRODUCT, MODEL, RELEASE = "J9773A", "HP J9773A 2530-24G-PoEP Switch", "YA.16.10.0010"

BANNER = (
    f"{MODEL}",
    f"Software revision {RELEASE}",
    "",
    "(C) Copyright 2019 Hewlett Packard Enterprise Development LP",
    "                  RESTRICTED RIGHTS LEGEND",
    " Confidential computer software. Valid license from Hewlett Packard Enterprise",
    " Development LP required for possession, use or copying.",
    "",
    "We'd like to keep you up to date about:",
    "  * Software feature updates",
    "  * New product announcements",
    "",
)


def port_list(ports: Iterable[str]) -> str:
    """Write ports as ``1-4,7``."""
    return cli.format_list((int(name) for name in ports), pairs=False)


def configuration(config: Config) -> Iterator[str]:
    """Write a whole configuration."""
    yield f"; {PRODUCT} Configuration Editor; Created on release #{RELEASE}"
    yield "; Ver #14:01.4f.f8.1d.9b.3f.bf.bb.ef.7c.59.fc.6b.fb.9f.fc.ff.ff.37.ef:05"
    yield f'hostname "{config.hostname}"'
    if config.max_vlans != DEFAULT_MAX_VLANS:
        yield f"max-vlans {config.max_vlans}"
    for number, kind in sorted({port.channel for port in config.ports.values() if port.channel}):
        members = [name for name, port in config.ports.items() if port.channel == (number, kind)]
        yield f"trunk {port_list(members)} trk{number} {kind}"
    for name, port in config.ports.items():
        if port.shutdown or port.name:
            yield f"interface {name}"
            yield from ["   disable"] if port.shutdown else []
            yield from [f'   name "{port.name}"'] if port.name else []
            yield "   exit"
    yield 'snmp-server community "public" unrestricted'
    for number in sorted(config.vlans):
        yield from vlan(config, number)


def vlan(config: Config, number: int) -> Iterator[str]:
    """Write the configuration of a VLAN."""
    its = config.vlans[number]
    yield f"vlan {number}"
    yield f'   name "{its.name}"'
    absent = frozenset(config.ports) - its.untagged - its.tagged
    if number == DEFAULT_VLAN and absent:
        yield f"   no untagged {port_list(absent)}"
    if its.untagged:
        yield f"   untagged {port_list(its.untagged)}"
    if its.tagged:
        yield f"   tagged {port_list(its.tagged)}"
    yield f"   {'ip address dhcp-bootp' if number == DEFAULT_VLAN else 'no ip address'}"
    yield "   exit"


def vlans(config: Config) -> Iterator[str]:
    """Write ``show vlans``."""
    yield " Status and Counters - VLAN Information"
    yield ""
    yield f"  Maximum VLANs to support : {config.vlan_limit}"
    yield "  Primary VLAN : DEFAULT_VLAN"
    yield "  Management VLAN :"
    yield ""
    yield "  VLAN ID Name                             | Status     Voice Jumbo"
    yield "  ------- -------------------------------- + ---------- ----- -----"
    for number, its in sorted(config.vlans.items()):
        yield f"  {number:<7} {its.name:<32} | Port-based No    No"
    yield ""


def vlans_of_ports(config: Config, is_on: Callable[[str, int, bool], bool]) -> Iterator[str]:
    """Write ``show vlans ports all detail``; ``is_on`` may know better than the configuration."""
    for name, port in config.ports.items():
        yield f" Status and Counters - VLAN Information - for ports {name}"
        yield ""
        yield from [f"  Port name: {port.name}"] if port.name else []
        yield "  VLAN ID Name                 | Status     Voice Jumbo Mode"
        yield "  ------- -------------------- + ---------- ----- ----- --------"
        for number, its in sorted(config.vlans.items()):
            untagged = is_on(name, number, name in its.untagged)
            if untagged or name in its.tagged:
                mode = "Untagged" if untagged else "Tagged"
                yield f"  {number:<7} {its.name[:20]:<20} | Port-based No    No    {mode}"
        yield ""


def interfaces_brief(config: Config, unplugged: Collection[str]) -> Iterator[str]:
    """Write ``show interfaces brief``."""
    yield " Status and Counters - Port Status"
    yield ""
    yield "                          | Intrusion                           MDI  Flow Bcast"
    yield "  Port         Type       | Alert     Enabled Status Mode       Mode Ctrl Limit"
    yield "  ------------ ---------- + --------- ------- ------ ---------- ---- ---- -----"
    for name, port in config.ports.items():
        up = not port.shutdown and name not in unplugged
        yield (
            f"  {name:<12} 100/1000T  | No        {'No' if port.shutdown else 'Yes':<7} "
            f"{'Up' if up else 'Down':<6} {'1000FDx' if up else '':<10} Auto off  0"
        )
    yield ""


def system(hostname: str, serial: str, uptime: float) -> list[str]:
    """Write ``show system``; ``uptime`` is in seconds."""
    minutes = int(uptime) // 60
    up = f"{minutes // 1440} days" if minutes >= 1440 else f"{minutes} mins"
    return [
        " Status and Counters - General System Information",
        "",
        f"  System Name        : {hostname}",
        "  System Contact     :" + " " * 32,
        "",
        f"  Software revision  : {RELEASE}        Base MAC Addr      : 3464a9-{serial[:6]}",
        f"  ROM Version        : YA.15.20             Serial Number      : CN{serial}",
        "",
        f"  Up Time            : {up:<20} Memory   - Total   : 101,695,488",
        "  CPU Util (%)       : 5                               Free    : 67,201,112",
        "",
    ]


def lldp(hostname: str) -> list[str]:
    """Write ``show lldp info local-device``."""
    return [
        " LLDP Local Device Information",
        "",
        "  Chassis Type : mac-address",
        "  Chassis Id   : 3464a9-b1ffff",
        f"  System Name  : {hostname}",
        f"  System Description : {MODEL}, revision {RELEASE}, RO...",
        "",
    ]


VERSION = (
    "Image stamp:    rel_beijing_qaoff",
    "                Mar 29 2019 15:54:05",
    f"                {RELEASE}",
    "                1106",
    "Boot Image:     Primary",
)
"""``show version``."""
