"""A table: lines with columns, which are sorted by their numbers or a click on their titles."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar, cast

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType

from haas_console.core.columns import GAP, Shown, Table, column_at, title
from haas_console.tui.bars import Bar
from haas_console.tui.folds import SpareLines
from haas_console.tui.lines import BAR, ClickableLines, Part, cut

T = TypeVar("T")

MARK = 3
"""Cells before the first column, for a sign."""


class Host(Protocol):
    """The screen of a table, as the table sees it."""

    def remark(self, text: str) -> None:
        """Show a message about what is under the cursor."""

    def fail(self, text: str) -> None:
        """Show what went wrong."""


class Header(Bar):
    """The titles of the columns."""

    def __init__(self, sort_at: Callable[[int], None], *, id: str) -> None:
        super().__init__(id=id)
        self._sort_at = sort_at

    def on_click(self, event: events.Click) -> None:
        """Sort by the column whose title was clicked."""
        self._sort_at(event.x)


class TableLines(SpareLines, ClickableLines, Generic[T]):
    """The lines of a table. Its header is a widget of its own, to be put above it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(number),
                f"sort_by({number})",
                f"Sort by column {number}",
                id=f"table.sort_{number}",
                show=False,
            )
            for number in range(1, 10)
        ),
        Binding("S", "reverse", "Sort the other way", id="table.reverse", show=False),
        Binding("ctrl+w", "wide", "All columns", id="table.wide", show=False),
    ]

    def __init__(
        self, table: Table[T], key: Callable[[T], Hashable], *, id: str, header: str = "title"
    ) -> None:
        super().__init__(id=id)
        self.table = table
        self.header = Header(self._sort_at, id=header)
        self.items: list[T] = []
        self.sort: str | None = None
        """The column that is sorted by; None: the order in which the items came."""
        self.is_reversed = False
        self.is_wide = False
        """All columns are shown."""
        self.empty = ""
        """What the header says while there are no items."""
        self.left_out: frozenset[str] = frozenset()
        """Usual columns that are hidden now, because they have the same value in all lines."""
        self.note = ""
        """What the header says after the titles."""
        self._key = key
        self._given: list[T] = []
        self._shown: Shown = []

    # --- for subclasses to define ---

    def mark(self, item: T) -> Part:
        """The sign before a line, of one cell."""
        return " ", ""

    def look(self, name: str, item: T) -> str:
        """The style of a cell."""
        return ""

    def text(self, name: str, item: T, size: int) -> str:
        """The text of a cell, for so many cells."""
        return self.table.cell(name, item)

    # --- showing ---

    def show_items(self, items: Sequence[T]) -> None:
        """Show these items; the cursor stays on its item."""
        before = self.current()
        self._given = list(items)
        self._arrange(before)

    def current(self) -> T | None:
        """The item under the cursor."""
        return self.items[self.cursor] if 0 <= self.cursor < len(self.items) else None

    def _arrange(self, before: T | None) -> None:
        items = self._given
        if self.sort is not None:
            items = self.table.sorted(items, self.sort, backwards=self.is_reversed)
        self.items = items
        if before is not None:
            keys = [self._key(item) for item in items]
            key = self._key(before)
            self.cursor = keys.index(key) if key in keys else min(self.cursor, len(keys) - 1)
            self.cursor = max(0, self.cursor)
        self._lay_out()
        self.changed()
        self.show_header()

    def _lay_out(self) -> None:
        chosen = self.app.columns_of(self.table.name)  # type: ignore[attr-defined]  # the console
        width = self.scrollable_content_region.width - BAR - MARK
        self._shown = self.table.layout(
            width, self.items, chosen, wide=self.is_wide, without=self.left_out
        )

    @property
    def shown(self) -> Shown:
        """The columns that are shown, and their widths."""
        return self._shown

    def show_header(self) -> None:
        """Draw the titles, or the text in their place."""
        words = title(self._shown, MARK, self.sort or "", backwards=self.is_reversed)
        words = words.rstrip() if self.items else self.empty
        note = f"   {self.note}" if self.note else ""
        room = max(0, self.size.width - len(note))
        if note and len(words) > room > 0:  # what is filtered matters more than the last titles
            words = cut(words, room)
        self.header.show(Text(words, "dim").append(note, "bold"))

    def on_resize(self) -> None:
        """Distribute the new width."""
        super().on_resize()
        self._lay_out()
        self.show_header()

    def count(self) -> int:
        """One line for each."""
        return len(self.items)

    def parts(self, index: int, width: int) -> list[Part]:
        """The sign, and a cell for each column."""
        item = self.items[index]
        sign, look = self.mark(item)
        parts: list[Part] = [(f" {sign} ", look)]
        for name, size in self._shown:
            look = self.look(name, item)
            parts.append((cut(self.text(name, item, size), size), look))
            parts.append((" " * GAP, look))
        return parts

    # --- sorting ---

    def _sort_at(self, x: int) -> None:
        column = column_at(self._shown, MARK, x)
        if column is not None:
            self._sort(column)

    def action_sort_by(self, number: int) -> None:
        """Sort by the column of this number, or if it is sorted by already, the other way."""
        if number <= len(self._shown):
            self._sort(self._shown[number - 1][0])
        else:
            self._host.fail(f"There are {len(self._shown)} columns.")

    def action_reverse(self) -> None:
        """Sort the other way."""
        self._sort(self.sort or self._shown[0][0])

    def action_wide(self) -> None:
        """Show all columns, or the usual ones."""
        self.is_wide = not self.is_wide
        self._arrange(self.current())

    def _sort(self, column: str) -> None:
        self.is_reversed = self.sort == column and not self.is_reversed
        self.sort = column
        self._arrange(self.current())
        self.reveal()
        way = ", backwards" if self.is_reversed else ""
        self._host.remark(f"sorted by {column}{way}")

    @property
    def _host(self) -> Host:
        return cast("Host", self.screen)
