"""The board's left side: one line for each nic, grouped by node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from haas_console.core.board import Board, key_of
from haas_console.core.boardcolumns import MARK, OF_NODES, cell, layout
from haas_console.core.boardfilter import Row
from haas_console.core.columns import GAP, Column, Shown, column_at, title
from haas_console.core.gestures import DragItem
from haas_console.tui.grip import Grip
from haas_console.tui.lines import BAR, Lines, Part, cut
from haas_schemas.node import Nic, Node

STATE_LOOK = {"free": "good", "unconfirmed": "leaves", "releasing": "staged", "allocated": ""}


class NodeTable(Grip, Lines):
    """The nodes with their nics."""

    def __init__(self, board: Board, chosen: Sequence[Column] = (), *, id: str) -> None:
        super().__init__(id=id)
        self.board = board
        self.chosen = chosen
        self.is_wide = False
        """All columns are shown."""
        self._shape: object = None
        self._laid_out: Shown = []
        self.project: str | None = None
        self.guide: list[str] = []
        self.items_of: Callable[[int], Sequence[DragItem]] = lambda index: ()
        self.found_on: Callable[[Nic | None], str | None] = lambda nic: None
        self.look_of: Callable[[Node, Nic], str] = lambda node, nic: ""
        """The style of the network of a nic."""

    def items_at(self, index: int) -> Sequence[DragItem]:
        """What a drag from a line takes: one nic, or all that are marked."""
        return self.items_of(index)

    def count(self) -> int:
        """One line for each row of the board; if it is empty, the lines that say what to do."""
        return len(self.board.rows) or len(self.guide)

    @property
    def shown_columns(self) -> Shown:
        """The columns that are shown, and their widths."""
        width = self.scrollable_content_region.width - BAR
        board = self.board
        shape = (width, board.widths, board.has_projects, self.is_wide)
        if shape != self._shape:
            self._shape = shape
            self._laid_out = layout(
                width, board.widths, self.chosen, projects=board.has_projects, wide=self.is_wide
            )
        return self._laid_out

    def title(self) -> str:
        """The names of the columns, with the direction beside the one that is sorted by."""
        plain = self.board.sort == "node" and not self.board.is_reversed
        sort = "" if plain else self.board.sort
        return title(self.shown_columns, MARK, sort, backwards=self.board.is_reversed)

    def column_at(self, x: int) -> str | None:
        """The column at a cell of the title, if one is there."""
        return column_at(self.shown_columns, MARK, x)

    def parts(self, index: int, width: int) -> list[Part]:
        """The mark, and a cell for each column."""
        rows = self.board.rows
        if not rows:
            return [(f" {self.guide[index]}", "")]
        node, nic = row = rows[index]
        first = index == 0 or rows[index - 1][0] is not node
        named = first or index == self.scroll_offset.y
        marked = key_of(row) in self.board.marks
        parts: list[Part] = [("● " if marked else "  ", "mark" if marked else "")]
        found = self.found_on(nic)
        columns = self.shown_columns
        state_shown = any(name == "state" for name, _ in columns)
        for name, size in columns:
            if name == "network":
                text, look = _network(row, found, state_shown)
                look = look or (self.look_of(node, nic) if nic is not None else "")
            elif name in OF_NODES:
                text = cell(name, node, nic) if named else ""
                look = self._node_look(name, node, first=first)
            else:
                text, look = cell(name, node, nic), "" if name == "nic" else "dim"
            parts.append((cut(text, size), look))
            parts.append((" " * GAP, look))
        return parts[:-1]

    def _node_look(self, name: str, node: Node, *, first: bool) -> str:
        match name:
            case "node":
                return "head" if first else "dim"
            case "state":
                return STATE_LOOK.get(node.state, "")
            case "project":
                return "" if node.project == self.project else "dim"
            case _:
                return "dim"


def _network(row: Row, found: str | None, state_shown: bool) -> tuple[str, str]:
    node, nic = row
    if nic is not None and found is not None:
        return cell("network", node, nic, found), "drift"
    if nic is None or node.state != "allocated":
        return "" if state_shown else f"({node.state})", "dim"
    look = "staged" if nic.staged else "" if nic.networks else "dim"
    return cell("network", node, nic), look
