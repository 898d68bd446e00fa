"""How IOS writes its configuration, as pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from haas_rpcd.sim.ios.state import CHANNEL, Chassis, Config, Port
from haas_rpcd.sim.ios.vlanlist import ALL_VLANS, LEGACY_VLANS, format_list, wrap_list
from haas_rpcd.sim.ioslike.ports import channel_line
from haas_rpcd.sim.ioslike.show import default_vlan_name

CONFIG_WIDTH = 80
"""IOS breaks a long list of allowed VLANs into several lines of its configuration."""


def running_config(config: Config, chassis: Chassis, header: Iterable[str] = ()) -> list[str]:
    """Return the lines of the whole configuration, from the first ``!`` to ``end``."""
    major = chassis.version.partition("(")[0]
    return [
        "!",
        *header,
        f"version {major}",
        "no service pad",
        "service timestamps debug datetime msec",
        "service timestamps log datetime msec",
        "service password-encryption",
        "!",
        f"hostname {config.hostname}",
        "!",
        "boot-start-marker",
        "boot-end-marker",
        "!",
        *chassis.logins,
        "no aaa new-model",
        "system mtu routing 1500",
        *(["vtp mode transparent"] if config.vtp_mode == "transparent" else []),
        "!",
        "!",
        "no ip domain-lookup",
        "!",
        "!",
        "spanning-tree mode pvst",
        "spanning-tree extend system-id",
        "!",
        "vlan internal allocation policy ascending",
        "!",
        *(_vlan_lines(config.vlans) if config.vtp_mode == "transparent" else []),
        "!",
        *(
            line
            for name in sorted(config.ports, key=lambda name: not name.startswith(CHANNEL))
            for line in [*interface_lines(config, chassis, name), "!"]
        ),
        "ip http server",
        "ip http secure-server",
        "!",
        "line con 0",
        *(line for span in ("0 4", "5 15") for line in [f"line vty {span}", *chassis.vty_lines]),
        "!",
        "end",
        "",
    ]


def _vlan_lines(vlans: Mapping[int, str]) -> Iterator[str]:
    """VLANs. In transparent mode neighbours with default names share a stanza."""
    unnamed: list[int] = []

    def flush() -> Iterator[str]:
        if unnamed:
            yield from [f"vlan {format_list(unnamed)}", "!"]
            unnamed.clear()

    for vlan, name in sorted(vlans.items()):
        if vlan == 1 or vlan in LEGACY_VLANS:
            continue
        if name == default_vlan_name(vlan):
            unnamed.append(vlan)
            continue
        yield from flush()
        yield from [f"vlan {vlan}", f" name {name}", "!"]
    yield from flush()


def interface_lines(config: Config, chassis: Chassis, name: str) -> list[str]:
    """Return the stanza of one interface, without settings that have their default."""
    port = config.ports[name]
    lines = [f"interface {name}"]
    if port.description:
        lines.append(f" description {port.description}")
    if not port.switched:
        lines += [" no switchport", " no ip address", *(f" {line}" for line in channel_line(port))]
        return [*lines, " shutdown"] if port.shutdown else lines
    if port.access_vlan != 1:
        lines.append(f" switchport access vlan {port.access_vlan}")
    if chassis.encapsulation and port.encapsulation != "negotiate":
        lines.append(f" switchport trunk encapsulation {port.encapsulation}")
    if port.native_vlan != 1:
        lines.append(f" switchport trunk native vlan {port.native_vlan}")
    lines += _allowed_lines(port)
    if port.mode != "dynamic auto":
        lines.append(f" switchport mode {port.mode}")
    if port.voice_vlan is not None:
        lines.append(f" switchport voice vlan {port.voice_vlan}")
    if port.nonegotiate:
        lines.append(" switchport nonegotiate")
    if port.shutdown:
        lines.append(" shutdown")
    lines += [f" {line}" for line in channel_line(port)]
    if port.portfast:
        lines.append(f" spanning-tree {port.portfast}")
    return lines


def _allowed_lines(port: Port) -> Iterator[str]:
    if port.allowed == ALL_VLANS:
        return
    head = " switchport trunk allowed vlan "
    pieces = wrap_list(format_list(port.allowed), CONFIG_WIDTH - len(head) - len("add "))
    for index, piece in enumerate(pieces):
        yield head + ("add " if index else "") + piece
