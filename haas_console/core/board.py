"""The rows of the board: one for each nic, filtered, sorted and marked. Pure."""

from __future__ import annotations

from haas_console.core.boardcolumns import Widths, sort_key
from haas_console.core.boardfilter import Row, RowTexts, parse_filter
from haas_console.core.collector import gc_paused
from haas_console.core.gestures import NicRef
from haas_console.core.inventory import Inventory
from haas_console.core.natural import natural
from haas_schemas.node import Node

Key = tuple[str, str]
"""Identifies a row across changes: the name of the node, and of the nic or an empty one."""

SORTS = ("node", "project", "state", "network", "port")
_SAMPLE = 2000  # rows that are measured for the widths of the columns


def key_of(row: Row) -> Key:
    """The key of a row."""
    return (row[0].node, row[1].nic if row[1] else "")


class Board:
    """The visible rows and the marks. Rebuilt when the inventory changes."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.marks: set[Key] = set()
        self.filter = ""
        self.sort = SORTS[0]
        self.is_reversed = False
        self.has_projects = False
        """Nodes of several projects are among the rows."""
        self.widths = Widths()
        self.total = 0
        self.is_loose = False
        """Nothing fits the filter, so rows are shown that have its letters in order."""
        self._names: dict[str, str] = {}
        self._texts = RowTexts()

    def set_filter(self, text: str) -> None:
        """Show only rows that fit; raises ValueError, and keeps the old filter, if malformed."""
        parse_filter(text)
        self.filter = text.strip()

    def rebuild(self, inventory: Inventory) -> None:
        """Rebuild the rows; drop marks of nics that are gone."""
        with gc_paused():
            self._rebuild(inventory)

    def _rebuild(self, inventory: Inventory) -> None:
        backwards = self.is_reversed and self.sort == "node"
        nodes = sorted(inventory.nodes.values(), key=self._name_key, reverse=backwards)
        held = {node.project for node in nodes if node.project is not None}
        self.has_projects = len(held) > 1
        rows: list[Row] = []
        for node in nodes:
            if node.nics:
                rows += [(node, nic) for nic in node.nics]
            else:
                rows.append((node, None))
        self.total = len(rows)
        self._measure(rows[:_SAMPLE])
        self.is_loose = False
        if self.filter:
            rows, self.is_loose = self._texts.fitting(rows, self.filter)
        if self.sort != "node":
            rows.sort(key=lambda row: sort_key(self.sort, *row), reverse=self.is_reversed)
        self.rows = rows
        if self.marks:
            self.marks &= {(n.node, i.nic) for n in nodes for i in n.nics}

    def _name_key(self, node: Node) -> str:
        """The sort key of a node, cached: names never change."""
        key = self._names.get(node.node)
        if key is None:
            key = self._names[node.node] = natural(node.node)
        return key

    def _measure(self, rows: list[Row]) -> None:
        self.widths = Widths(
            node=max((len(node.node) for node, _ in rows), default=4),
            nic=max((len(nic.nic) for _, nic in rows if nic), default=3),
            project=max((len(node.project) for node, _ in rows if node.project), default=7),
            port=max((len(f"{i.switch} {i.port}") for _, i in rows if i and i.port), default=4),
            tags=max((len(",".join(node.tags)) for node, _ in rows), default=4),
        )

    def sort_by(self, name: str) -> None:
        """Sort by a column; by the one that is sorted by already, in the other direction."""
        self.is_reversed = self.sort == name and not self.is_reversed
        self.sort = name

    def index_of(self, key: Key) -> int | None:
        """The index of a row, if it is visible."""
        for index, row in enumerate(self.rows):
            if key_of(row) == key:
                return index
        return None

    # --- marks ---

    def toggle(self, index: int) -> None:
        """Mark a row, or unmark it."""
        if 0 <= index < len(self.rows) and self.rows[index][1] is not None:
            self.marks ^= {key_of(self.rows[index])}

    def toggle_node(self, index: int) -> None:
        """Mark all visible nics of a row's node, or unmark them."""
        name = self.rows[index][0].node
        keys = {key_of(row) for row in self.rows if row[0].node == name and row[1]}
        self.marks = self.marks - keys if keys <= self.marks else self.marks | keys

    def toggle_all(self) -> None:
        """Mark all visible rows, or unmark everything."""
        keys = {key_of(row) for row in self.rows if row[1]}
        self.marks = set() if keys <= self.marks else self.marks | keys

    def chosen(self, index: int) -> list[NicRef]:
        """The marked nics in the order of the rows, or else the one at ``index``."""
        marked = [
            NicRef(n.node, i.nic) for n, i in self.rows if i and (n.node, i.nic) in self.marks
        ]
        hidden = self.marks - {(ref.node, ref.nic) for ref in marked}
        marked += [NicRef(*key) for key in sorted(hidden)]
        if marked:
            return marked
        if 0 <= index < len(self.rows):
            node, nic = self.rows[index]
            return [NicRef(node.node, nic.nic)] if nic else []
        return []

    def chosen_nodes(self, index: int) -> list[str]:
        """The nodes of the chosen nics, each once."""
        if not self.marks and 0 <= index < len(self.rows):
            return [self.rows[index][0].node]
        return list(dict.fromkeys(ref.node for ref in self.chosen(index)))
