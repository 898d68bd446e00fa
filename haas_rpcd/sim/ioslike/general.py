"""Switches whose ports have a *general* mode besides access and trunk, as some of Dell's have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from haas_rpcd.sim import cli
from haas_rpcd.sim.ioslike import ports
from haas_rpcd.sim.ioslike.ports import Setting


@dataclass(slots=True)
class GeneralPort(cli.Port):
    """A port. In general mode it is on the VLANs ``general``, without a tag on ``untagged``."""

    general: frozenset[int] = frozenset({1})
    untagged: frozenset[int] = frozenset({1})
    pvid: int = 1

    def carried(self, vlans: Iterable[int]) -> cli.Carried:
        """Return what the port carries while ``vlans`` exist."""
        if self.shutdown or self.mode != "general":
            # super() does not work in dataclasses with slots.
            return cli.Port.carried(self, vlans)
        on = self.general & frozenset(vlans)
        return cli.Carried(self.pvid if self.pvid in on else None, on - {self.pvid})

    def is_on(self, vlan: int) -> bool:
        """Return whether its mode puts the port on a VLAN, even while it is shut."""
        if self.mode == "trunk":
            return vlan in self.allowed
        return vlan in self.general if self.mode == "general" else vlan == self.access_vlan

    def join(self, vlans: frozenset[int], *, tagged: bool) -> None:
        """Add VLANs for general mode."""
        self.general |= vlans
        self.untagged = self.untagged - vlans if tagged else self.untagged | vlans

    def leave(self, vlans: frozenset[int]) -> None:
        """Remove VLANs for general mode."""
        self.general, self.untagged = self.general - vlans, self.untagged - vlans


def remove_vlans(config: cli.Config, vlans: frozenset[int]) -> frozenset[int]:
    """Remove VLANs; return those that did not exist.

    Their access ports fall back to VLAN 1. Ports of the other modes keep them in their settings.
    """
    there = vlans & config.vlans.keys()
    for vlan in there:
        del config.vlans[vlan]
    for port in config.ports.values():
        if port.access_vlan in there:
            port.access_vlan = 1
    return vlans - there


def switchport(
    *, access: Setting, native: Setting, allowed: Setting, general: Setting, pvid: Setting
) -> list[tuple[str, Setting]]:
    """Make the settings of a port that all of these switches have."""
    return [
        ("no description", ports.description),
        ("[no] shutdown", ports.shutdown),
        ("switchport mode mode:access|general|trunk", ports.mode),
        ("no switchport mode", ports.mode),
        ("switchport access vlan <vlan>", access),
        ("no switchport access vlan", access),
        ("switchport trunk native vlan <vlan>", native),
        ("no switchport trunk native vlan", native),
        ("switchport trunk allowed vlan how:all", allowed),
        ("switchport trunk allowed vlan how:add|except|remove <vlans>", allowed),
        ("no switchport trunk allowed vlan", allowed),
        ("switchport general allowed vlan how:add <vlans> [tag:tagged|untagged]", general),
        ("switchport general allowed vlan how:remove <vlans>", general),
        ("switchport general pvid <vlan>", pvid),
        ("no switchport general pvid", pvid),
    ]
