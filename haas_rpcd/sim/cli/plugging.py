"""What is plugged into the ports of a simulated device, and what it hears from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Announced:
    """What a machine announces by LLDP. ``chassis``: a MAC address ``aa:bb:…``, or any text."""

    chassis: str
    port: str
    name: str = ""

    @property
    def has_mac(self) -> bool:
        """Whether the chassis id is a MAC address."""
        return self.chassis.count(":") == 5


@dataclass(frozen=True)
class Plugged:
    """What is at the other end of a cable.

    ``macs``: the addresses ``aa:bb:…`` from which frames without a tag come. ``tagged``: those with
    a tag, each with its VLAN. ``lldp``: what is announced. ``on``: whether it has power; nothing is
    heard of it otherwise.
    """

    macs: tuple[str, ...] = ()
    tagged: tuple[tuple[int, str], ...] = ()
    lldp: tuple[Announced, ...] = ()
    on: bool = True


class Heard(NamedTuple):
    """A dynamic line of the MAC table."""

    port: str
    vlan: int
    mac: str


def dotted(mac: str, size: int = 4, dot: str = ".") -> str:
    """Write a MAC address in groups: ``0010.0de0.e289``; ``-``: ``0010-0de0-e289``."""
    digits = mac.replace(":", "")
    return dot.join(digits[at : at + size] for at in range(0, 12, size))


def dotted_if_mac(text: str, size: int = 4, dot: str = ".") -> str:
    """Write an id of LLDP in groups if it is a MAC address."""
    return dotted(text, size, dot) if text.count(":") == 5 else text
