"""Columns of tables: which of them fit a width, their order, and sorting by one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from haas_console.core.api import near_miss
from haas_console.core.natural import natural

T = TypeVar("T")

GAP = 1
LEAST, BASE = 10, 24
"""Cells that the flexible column takes at least, and those that it has before others come."""

_SAMPLE = 2000  # items that are measured for the widths of the columns


class Column(msgspec.Struct, frozen=True):
    """A column, and the cells that it takes; None: as many as its widest text needs."""

    name: str
    width: int | None = None


Shown = list[tuple[str, int]]
"""The columns that are shown, and their widths."""


def parse(specs: Sequence[str], names: Collection[str]) -> tuple[Column, ...]:
    """Read columns as in console.toml: ``node``, or ``node:12`` for a width of 12 cells.

    ``names`` are those that there are. Raises ValueError with a sentence.
    """
    found = []
    for spec in specs:
        name, colon, width = spec.partition(":")
        if name not in names:
            known = ", ".join(names)
            raise ValueError(
                f'there is no column "{name}"{near_miss(name, names)}; there are: {known}'
            )
        if colon and not (width.isascii() and width.isdigit() and 0 < int(width) <= 200):
            raise ValueError(f'the width of "{name}" must be a number of cells, as in  {name}:12')
        found.append(Column(name, int(width) if colon else None))
    return tuple(found)


def fitted(
    room: int,
    order: Sequence[str],
    wanted: Iterable[str],
    sizes: Mapping[str, int],
    flexible: str,
    least: int = LEAST,
    base: int = LEAST,
) -> Shown:
    """Return the columns that fit ``room`` cells, in their ``order``.

    They are taken as they are ``wanted``, until one does not fit. The ``flexible`` one begins with
    ``base`` cells, or as many as there are, but the ``least``; then it grows to its size, or as
    the last to all that is left.
    """
    kept: dict[str, int] = {}
    width = room
    for name in wanted:
        size = min(max(room, least), base) if name == flexible else sizes[name]
        if size > room:
            break
        kept[name] = size
        room -= size + GAP
    shown = [name for name in order if name in kept]
    if flexible in kept and room + GAP > 0:
        most = width if shown[-1] == flexible else max(sizes[flexible], least)
        kept[flexible] = min(max(kept[flexible] + room + GAP, least), most)
    return [(name, kept[name]) for name in shown]


def title(shown: Shown, mark: int, sort: str, *, backwards: bool) -> str:
    """The names of the columns, with the direction beside the one that is sorted by, if any.

    ``mark``: the cells before the first.
    """
    arrow = "▼" if backwards else "▲"
    cells = []
    for name, size in shown:
        text = f"{name}{arrow}" if name == sort else name
        cells.append(text[:size].ljust(size))
    return " " * mark + (" " * GAP).join(cells)


def column_at(shown: Shown, mark: int, x: int) -> str | None:
    """The column at a cell of the title, if one is there."""
    at = mark
    for name, size in shown:
        if at <= x < at + size:
            return name
        at += size + GAP
    return None


class Table(msgspec.Struct, Generic[T], frozen=True):
    """The columns of a table and what each shows.

    ``name`` is that of the table in console.toml. ``cells`` are all columns in their order, of
    which the ``usual`` are shown, as long as they fit in the order of ``first``. ``keys`` say what
    lines are compared by where that is not the text; ``most`` limits widths.
    """

    name: str
    cells: Mapping[str, Callable[[T], str]]
    usual: tuple[str, ...]
    flexible: str
    first: tuple[str, ...] = ()
    keys: Mapping[str, Callable[[T], Any]] = {}
    most: Mapping[str, int] = {}

    def cell(self, name: str, item: T) -> str:
        """The text of a cell."""
        return self.cells[name](item)

    def layout(
        self,
        width: int,
        items: Sequence[T],
        chosen: Sequence[Column] = (),
        *,
        wide: bool = False,
        without: Collection[str] = (),
    ) -> Shown:
        """Return the columns that fit a width; ``chosen`` are those of console.toml.

        Of the usual ones, those in ``without`` are left out: they say nothing now.
        """
        if chosen and not wide:
            order = [column.name for column in chosen]
            given = {column.name: column.width for column in chosen}
        else:
            usual = [name for name in self.usual if name not in without]
            order, given = list(self.cells) if wide else usual, {}
        wanted = [name for name in self.first if name in order] if not given else []
        wanted += [name for name in order if name not in wanted]
        sizes = {name: given.get(name) or self._size(name, items) for name in order}
        base = given.get(self.flexible) or min(sizes.get(self.flexible, 0), BASE)
        return fitted(width, order, wanted, sizes, self.flexible, min(LEAST, base), base)

    def _size(self, name: str, items: Sequence[T]) -> int:
        """The natural width of a column, with room for the arrow in its title."""
        cell = self.cells[name]
        size = max((len(cell(item)) for item in items[:_SAMPLE]), default=0)
        return max(min(size, self.most.get(name, 60)), len(name) + 1)

    def sorted(self, items: Iterable[T], by: str, *, backwards: bool) -> list[T]:
        """Return items sorted by a column; those without a value come last, either way."""
        cell, key = self.cells[by], self.keys.get(by)
        found = list(items)
        empty = [item for item in found if cell(item) in ("", "-")] if key is None else []
        if empty:
            found = [item for item in found if cell(item) not in ("", "-")]
        found.sort(key=key or (lambda item: natural(cell(item))), reverse=backwards)
        return found + empty
