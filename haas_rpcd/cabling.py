"""What a switch tells about its cables: its LLDP neighbours, and the MAC addresses it has learnt.

Both are what machines say of themselves. A machine that lies can send any source address and any
LLDP frame, and the texts of a frame stand among the switch's own words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What LLDP says is at the other end of a port.

    ``port``: the local port, by its canonical name. ``chassis`` and ``remote_port``: the ids; a MAC
    address as ``aa:bb:cc:dd:ee:ff``, else the text. ``name``: the neighbour's system name.
    """

    port: str
    chassis: str
    remote_port: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Learnt:
    """One dynamic line of the MAC table. ``vlan``: None if the switch does not show it."""

    port: str
    mac: str
    vlan: int | None


@dataclass(frozen=True, slots=True)
class Cabling:
    """All that one switch tells.

    ``lldp``: False if LLDP is off on this switch, or its dialect cannot tell neighbours; ``learnt``
    still counts. ``unread``: what the switch said that could not be read, quoted. A neighbour or an
    address may be missing for each.
    """

    neighbours: tuple[Neighbour, ...]
    learnt: tuple[Learnt, ...]
    lldp: bool
    unread: tuple[str, ...] = ()
