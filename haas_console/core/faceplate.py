"""A switch's face plate as a picture: one cell for each port, in two rows as on the switch. Pure.

Cisco counts from 1, with odd numbers above even ones; Juniper from 0, with even above odd. The
ports of one module (``Gi1/0/``) form one plate. Names without a number are laid out in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from haas_console.core.cablingtext import SWAPPED
from haas_console.core.colours import network_look
from haas_console.core.inventory import Inventory
from haas_console.core.portviews import DRIFTED, PortView, letters, network_of

Label = Callable[[PortView, int], tuple[str, str]]
"""Gives the text of a port's cell, of a given width, and its style."""

LEAST, MOST = 2, 7
"""The widths that the inside of a cell may have, in columns."""

SPARSE = 64
"""A gap of this many unused numbers is left out of the picture."""

_NUMBERED = re.compile(r"^(.*?)(\d+)$")


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a line; ``port`` is the port whose cell it is."""

    text: str
    look: str = ""
    port: str | None = None


@dataclass
class Plate:
    """The lines of the picture, and the position of each port in the rows of cells."""

    lines: list[list[Cell]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    line_of: dict[str, int] = field(default_factory=dict)

    def step(self, port: str | None, across: int, down: int) -> str | None:
        """The next port in a direction; at the edge, the same one."""
        found = self._find(port)
        if found is None:
            return next((p for row in self.rows for p in row if p), None)
        row, column = found
        if across:
            cells = self.rows[row]
            ahead = cells[column + 1 :] if across > 0 else cells[:column][::-1]
            return next((p for p in ahead if p), port)
        while 0 <= row + down < len(self.rows):
            row += down
            near = [(abs(at - column), p) for at, p in enumerate(self.rows[row]) if p]
            if near:
                return min(near)[1]
        return port

    def _find(self, port: str | None) -> tuple[int, int] | None:
        if port is None:
            return None
        for number, row in enumerate(self.rows):
            if port in row:
                return number, row.index(port)
        return None


def plate(ports: Sequence[PortView], width: int, label: Label) -> Plate:
    """Draw ports within a width."""
    made = Plate()
    for prefix, columns in _modules(ports):
        _draw(made, prefix, columns, width, label)
    return made


# --- the positions of ports -----------------------------------------------------------------------

Column = tuple[PortView | None, PortView | None]


def _modules(ports: Iterable[PortView]) -> list[tuple[str, list[Column]]]:
    modules: dict[str, dict[int, PortView]] = {}
    named: list[PortView] = []
    for port in ports:
        found = _NUMBERED.match(port.port)
        if found is None:
            named.append(port)
        else:
            modules.setdefault(found[1], {})[int(found[2])] = port
    drawn = [(prefix, _columns(numbers)) for prefix, numbers in modules.items()]
    if named:
        pairs = [named[at : at + 2] for at in range(0, len(named), 2)]
        drawn.append(("", [(pair[0], pair[1] if len(pair) > 1 else None) for pair in pairs]))
    return drawn


def _columns(numbers: Mapping[int, PortView]) -> list[Column]:
    """Pair up the numbers; leave gaps for those that are not registered."""
    first = 0 if 0 in numbers else 1
    if max(numbers) - first > len(numbers) + SPARSE:
        pairs = sorted({(n - first) // 2 for n in numbers})
    else:
        pairs = list(range((max(numbers) - first) // 2 + 1))
    return [(numbers.get(2 * p + first), numbers.get(2 * p + first + 1)) for p in pairs]


# --- drawing --------------------------------------------------------------------------------------


def _draw(made: Plate, prefix: str, columns: list[Column], width: int, label: Label) -> None:
    least = max(LEAST, *(len(_number(p)) for pair in columns for p in pair if p))
    inner = max(min(least, MOST), min(MOST, (width - 1) // len(columns) - 1))
    a_band = max(1, (width - 1) // (inner + 1))
    if prefix:
        made.lines.append([Cell(prefix, "dim")])
    for begin in range(0, len(columns), a_band):
        band = columns[begin : begin + a_band]
        above, below = [c[0] for c in band], [c[1] for c in band]
        edge = ["─" * inner] * len(band)
        made.lines.append(_numbers(above, inner))
        made.lines.append([Cell("┌" + "┬".join(edge) + "┐", "rule")])
        _row(made, above, inner, label)
        made.lines.append([Cell("├" + "┼".join(edge) + "┤", "rule")])
        _row(made, below, inner, label)
        made.lines.append([Cell("└" + "┴".join(edge) + "┘", "rule")])
        made.lines.append(_numbers(below, inner))


def _number(port: PortView) -> str:
    found = _NUMBERED.match(port.port)
    return found[2] if found else port.port


def _numbers(ports: Sequence[PortView | None], inner: int) -> list[Cell]:
    cells = [(_number(port) if port else "")[-inner:].center(inner) for port in ports]
    return [Cell(" " + " ".join(cells).rstrip(), "dim")]


def _row(made: Plate, ports: Sequence[PortView | None], inner: int, label: Label) -> None:
    line = [Cell("│", "rule")]
    for port in ports:
        if port is None:
            line.append(Cell(" " * inner))
        else:
            text, look = label(port, inner)
            line.append(Cell(text[:inner].ljust(inner), look, port.port))
            made.line_of[port.port] = len(made.lines)
        line.append(Cell("│", "rule"))
    made.lines.append(line)
    made.rows.append([port.port if port else None for port in ports])


# --- the text of a cell ---------------------------------------------------------------------------


def labeller(inventory: Inventory) -> Label:
    """Label cells by network: name if it fits, else letter; then ``*``, ``?`` or ``≠``."""
    by_letter = letters(inventory)

    def label(port: PortView, inner: int) -> tuple[str, str]:
        sign = {"staged": "*", "unconfirmed": "?"}.get(port.state, "")
        sign = DRIFTED if port.drift else sign
        sign = SWAPPED if port.cabling == "swapped" else sign
        room = inner - 1
        if port.role == "trunk":
            look = "bad" if port.drift else "head"
            return ("trunk" if room >= 5 else "T")[:room].ljust(room) + sign, look
        key = network_of(inventory, port)
        leaving = port.state == "staged" and not port.staged
        if key is None or leaving:
            link = None if leaving else port.shown
            plain = "○" if port.nic else "·"
            word = plain if link is None else (str(link.vlan) if room >= 4 else "#")
            look = "dim"
        else:
            word, look = (key[1] if room >= 3 else by_letter[key]), network_look(key)
        if sign:
            look = "staged" if sign == "*" else "bad"
        return word[:room].ljust(room) + sign, look

    return label


def legend(inventory: Inventory, ports: Sequence[PortView]) -> list[tuple[str, str]]:
    """What the cells mean: the networks on this switch, then the signs."""
    by_letter = letters(inventory)
    keys = {key for port in ports if (key := network_of(inventory, port)) is not None}
    parts: list[tuple[str, str]] = []
    for key in sorted(keys):
        vlan = inventory.networks[key].vlan
        parts += [(f" {by_letter[key]} ", network_look(key)), (f"{key[0]}/{key[1]} {vlan} ", "")]
    signs = [
        ("○", "parked"),
        ("·", "parked, no nic"),
        ("T", "trunk"),
        ("*", "staged"),
        ("?", "unconfirmed"),
        (DRIFTED, "drifted"),
    ]
    if any(port.cabling == "swapped" for port in ports):
        signs.append((SWAPPED, "not cabled as registered"))
    for sign, meaning in signs:
        parts += [(f" {sign} ", "dim"), (f"{meaning} ", "dim")]
    return parts
