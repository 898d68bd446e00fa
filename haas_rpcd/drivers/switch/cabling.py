"""How a family of switches shows its cables: LLDP neighbours and the MAC table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from haas_rpcd.cabling import Cabling, Learnt, Neighbour

__all__ = [
    "MAC",
    "Cabling",
    "CablingReader",
    "Learnt",
    "Neighbour",
    "Table",
    "Unread",
    "is_group",
    "mac_or_text",
]

T = TypeVar("T")

MAC = (
    r"(?:[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}|[0-9A-Fa-f]{4}(?:-[0-9A-Fa-f]{4}){2}|"
    r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}|"
    r"[0-9A-Fa-f]{6}-[0-9A-Fa-f]{6})"
)
"""A MAC address as switches write it: ``0010.0de0.e289``, ``bcea-fa00-0001``,
``f8:b1:56:70:49:38``, ``500000-260000``."""

_MAC = re.compile(rf"{MAC}|[0-9A-Fa-f]{{2}}(?: [0-9A-Fa-f]{{2}}){{5}}")
"""ProCurve also writes ``3c e1 a1 22 18 f0``."""


class Unread(NamedTuple):
    """A line of a table that could not be read, or the fields that a neighbour lacks."""

    line: str


@dataclass(frozen=True, kw_only=True)
class Table(Generic[T]):
    """How a family shows its neighbours, or its MAC table."""

    lines: tuple[str, ...]
    """The lines that show it."""

    read: Callable[[Sequence[str]], Iterable[T | Unread]]
    """Reads their answers. Ports have the names that the switch shows. Raises ValueError."""

    otherwise: tuple[str, ...] = ()
    """The lines for models that refuse those."""

    as_root: bool = False
    """True if they need root, with the option ``sudo`` through sudo(8)."""


@dataclass(frozen=True, kw_only=True)
class CablingReader:
    """How a family shows its cables; None where it does not, or its form is not documented."""

    neighbours: Table[Neighbour] | None = None
    learnt: Table[Learnt] | None = None
    written_out: Callable[[str], str] = str
    """Returns a port's name with short forms written out that only the switch itself uses."""


def mac_or_text(shown: str) -> str:
    """Return a MAC address as ``aa:bb:cc:dd:ee:ff``, and any other text without outer blanks."""
    text = shown.strip()
    if not _MAC.fullmatch(text):
        return text
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def is_group(mac: str) -> bool:
    """Return whether an address ``aa:bb:…`` is a multicast one, which belongs to no machine."""
    return bool(int(mac[:2], 16) & 1)
