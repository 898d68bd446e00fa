"""What a Comware switch displays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from haas_rpcd.sim import cli
from haas_rpcd.sim.comware.state import AGGREGATE, DEFAULT_VLAN, NAMING, Config, Port, Release

MAX_LIST_ITEMS = 10
"""VLANs or ranges of VLANs in one list: ``&<1-10>`` in HPE's guides."""


def configuration(config: Config) -> Iterator[str]:
    """Write a whole configuration."""
    yield from ["#", f" version {config.release.version}", "#", f" sysname {config.hostname}"]
    yield from ["#", " telnet server enable"]
    for vlan, name in sorted(config.vlans.items()):
        yield from ["#", f"vlan {vlan}", *vlan_name(name if vlan != DEFAULT_VLAN else "")]
    yield from ["#", "interface NULL0"]
    for name in in_order(config):
        yield from ["#", *interface(name, config.ports[name])]
    yield from ["#", "line vty 0 63", " authentication-mode scheme", "#", "return"]


def in_order(config: Config) -> list[str]:
    """Return all interfaces; aggregate interfaces are first."""
    return sorted(config.ports, key=lambda name: not name.startswith(AGGREGATE))


def vlan_name(name: str) -> list[str]:
    """Write the name of a VLAN within its stanza; "" is the default, which is not shown."""
    return [f" name {name}"] if name else []


def interface(name: str, port: Port) -> Iterator[str]:
    """Write the stanza of a port, which leaves out defaults."""
    yield f"interface {name}"
    if not name.startswith(AGGREGATE):
        yield f" port link-mode {'route' if port.routed else 'bridge'}"
    if port.description:
        yield f" description {port.description}"
    if port.link_type != "access":
        yield f" port link-type {port.link_type}"
    if port.access_vlan != DEFAULT_VLAN:
        yield f" port access vlan {port.access_vlan}"
    if port.link_type == "trunk":
        if DEFAULT_VLAN not in port.permitted:
            yield " undo port trunk permit vlan 1"
        if port.permitted - {DEFAULT_VLAN}:
            yield from (f" port trunk permit vlan {row}" for row in _rows(port.permitted))
    if port.link_type == "hybrid":
        if DEFAULT_VLAN not in port.tagged | port.untagged:
            yield " undo port hybrid vlan 1"
        yield from (f" port hybrid vlan {row} tagged" for row in _rows(port.tagged))
        if port.untagged - {DEFAULT_VLAN}:
            yield from (f" port hybrid vlan {row} untagged" for row in _rows(port.untagged))
    if port.pvid != DEFAULT_VLAN:
        yield f" port {port.link_type} pvid vlan {port.pvid}"
    if port.voice_vlan is not None:
        yield f" voice-vlan {port.voice_vlan} enable"
    if port.shutdown:
        yield " shutdown"
    if port.dynamic:
        yield " link-aggregation mode dynamic"
    if port.channel is not None:
        yield f" port link-aggregation group {port.channel[0]}"


def _rows(vlans: frozenset[int]) -> Iterator[str]:
    parts = cli.format_list(vlans, "", to="-", pairs=False).split(",") if vlans else []
    for at in range(0, len(parts), MAX_LIST_ITEMS):
        yield " ".join(parts[at : at + MAX_LIST_ITEMS]).replace("-", " to ")


def brief(config: Config, unplugged: Collection[str]) -> Iterator[str]:
    """Write ``display interface brief``."""
    yield "Brief information on interfaces in bridge mode:"
    yield "Link: ADM - administratively down; Stby - standby"
    yield "Speed: (a) - auto"
    yield "Duplex: (a)/A - auto; H - half; F - full"
    yield "Type: A - access; T - trunk; H - hybrid"
    yield "Interface            Link Speed   Duplex Type PVID Description"
    for name, port in config.ports.items():
        link = "ADM" if port.shutdown else "DOWN" if name in unplugged else "UP"
        speed, duplex = ("1G(a)", "F(a)") if link == "UP" else ("auto", "A")
        pvid = port.access_vlan if port.link_type == "access" else port.pvid
        kind = port.link_type[0].upper()
        yield (
            f"{NAMING.short(name):<20} {link:<4} {speed:<7} {duplex:<6} {kind:<4} {pvid:<4} "
            f"{port.description}".rstrip()
        )


def version(release: Release, uptime: float) -> list[str]:
    """Write ``display version``; ``uptime`` is in seconds."""
    minutes = int(uptime) // 60
    days, minutes = divmod(minutes, 1440)
    hours, minutes = divmod(minutes, 60)
    up = f"{days // 7} weeks, {days % 7} days, {hours} hours, {minutes} minutes"
    return [*release.before_uptime, f"{release.product} uptime is {up}", *release.after_uptime]


def manuinfo(release: Release, serial: str) -> list[str]:
    """Write ``display device manuinfo``."""
    return [
        "Slot 1 CPU 0:",
        f"DEVICE_NAME          : {release.product}",
        f"DEVICE_SERIAL_NUMBER : 210235{serial}",
        "MANUFACTURING_DATE   : 2018-06-09",
        "VENDOR_NAME          : HPE",
        "Fan 1:",
        "The operation is not supported on the specified fan.",
    ]


def vlans(config: Config) -> list[str]:
    """Write ``display vlan``."""
    others = cli.format_list(set(config.vlans) - {DEFAULT_VLAN}, "", comma=", ", pairs=False)
    listed = ", ".join(part for part in ("1(default)", others) if part)
    count = len(config.vlans)
    return [line.format(count=count, vlans=listed) for line in config.release.vlan_list]


def vlan_details(config: Config, is_on: Callable[[str, int, bool], bool]) -> Iterator[str]:
    """Write ``display vlan all`` of Comware 7, with shut ports; ``is_on`` may know better."""
    places = {
        name: replace(port, shutdown=False).carried(config.vlans)
        for name, port in config.ports.items()
    }
    for vlan, name in sorted(config.vlans.items()):
        yield f" VLAN ID: {vlan}"
        yield from [" VLAN type: Static", " Route interface: Not configured"]
        yield from [f" Description: VLAN {vlan:04}", f" Name: {name or f'VLAN {vlan:04}'}"]
        tagged = [port for port, now in places.items() if vlan in now.tagged]
        untagged = [port for port, now in places.items() if is_on(port, vlan, now.untagged == vlan)]
        yield from _listed_ports(" Tagged ports:   ", tagged)
        yield from _listed_ports(" Untagged ports: ", untagged)
        yield ""


def _listed_ports(title: str, ports: Sequence[str]) -> Iterator[str]:
    yield title if ports else f"{title.rstrip()} None"
    for at in range(0, len(ports), 2):
        yield f"    {''.join(f'{name:<30}' for name in ports[at : at + 2])}"
