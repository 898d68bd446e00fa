"""What an ICX switch is, and what it is configured to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from haas_rpcd.sim import cli
from haas_rpcd.sim.ioslike.byvlan import ListingConfig, ListingVlan

MODEL = "ICX7150-24"
DEFAULT_VLAN = 1

NAMING = cli.Naming({"ethernet ": "e "}, aliases={"ethe": "ethernet "})


def is_implicit(release: str) -> bool:
    """Return whether ports stay on the default VLAN when they are tagged: from 08.0.80 on."""
    return [int(part) for part in re.findall(r"\d+", release)] >= [8, 0, 80]


@dataclass(slots=True)
class Port:
    """A port. A new one is enabled. ``dual``: the VLAN of its dual mode, if it has one.

    ``voice``: the VLAN that telephones are told to use. ``channel``: the number and the name of its
    link aggregation. ``routes``: it does not switch.
    """

    name: str = ""
    disabled: bool = False
    dual: int | None = None
    voice: int | None = None
    channel: tuple[int, str] | None = None
    routes: bool = False

    @property
    def shutdown(self) -> bool:
        """FastIron calls this *disabled*."""
        return self.disabled


@dataclass(slots=True)
class Vlan(ListingVlan):
    """A VLAN and the ports that it lists. ``taken_off``: ports taken off the default VLAN."""

    taken_off: frozenset[str] = frozenset()


@dataclass(slots=True)
class Config(ListingConfig):
    """A configuration of FastIron. ``implicit``: see `is_implicit`."""

    implicit: bool = True
    release: str = ""

    def untagged_on(self, port: str) -> int | None:
        """Return the VLAN of the port's frames without a tag, or None."""
        own = self.listed_untagged_on(port)
        if own is not None or not self.tagged_on(port):
            return own or DEFAULT_VLAN
        if not self.implicit:
            dual: int | None = self.ports[port].dual
            return dual
        return None if port in self.vlans[DEFAULT_VLAN].taken_off else DEFAULT_VLAN

    def carried(self, port: str) -> cli.Carried:
        """Look up the VLANs that list the port."""
        if self.ports[port].disabled or self.ports[port].routes:
            return cli.NOTHING
        untagged = self.untagged_on(port)
        return cli.Carried(untagged, self.tagged_on(port) - {untagged})

    def came_home(self, port: str) -> None:
        """Put a port that is tagged nowhere back on the default VLAN."""
        if not self.tagged_on(port):
            self.vlans[DEFAULT_VLAN].taken_off -= {port}


def listed(ports: Sequence[str]) -> str:
    """Write a list of ports: ``ethe 1/1/1 to 1/1/4 ethe 1/1/7``."""
    slots: dict[str, list[int]] = {}
    for port in ports:
        slot, _, number = port.partition(" ")[2].rpartition("/")
        slots.setdefault(slot, []).append(int(number))
    parts: list[str] = []
    for slot, numbers in slots.items():
        for run in cli.format_list(numbers, pairs=False).split(","):
            first, dash, last = run.partition("-")
            parts.append(f"ethe {slot}/{first}" + (f" to {slot}/{last}" if dash else ""))
    return " ".join(parts)
