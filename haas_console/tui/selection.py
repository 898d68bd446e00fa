"""What the board's keys act on: the marked nics, or what is under the cursor."""

from __future__ import annotations

from collections.abc import Callable

from haas_console.core.areas import AreaLine
from haas_console.core.board import Board, key_of
from haas_console.core.gestures import DragItem, NicRef
from haas_console.core.objects import Ref, nic_ref
from haas_console.tui.areas import AreaList
from haas_console.tui.nodes import NodeTable


class Selection:
    """The marks and the two cursors of the board."""

    def __init__(
        self, board: Board, nodes: NodeTable, areas: AreaList, changed: Callable[[], None]
    ) -> None:
        """Call ``changed`` after the marks have changed."""
        self._board = board
        self._node_table = nodes
        self._areas = areas
        self._changed = changed

    @property
    def on_areas(self) -> bool:
        """Whether the right side has the keys."""
        areas = self._areas  # the board's screen may be going, and they are gone first
        return areas.is_attached and areas.screen.focused is areas

    # --- what is chosen ---

    def items(self) -> list[DragItem]:
        """The marked nics, else what is under the cursor."""
        if self.on_areas and not self._board.marks:
            line = self._areas.current()
            return [line.item] if line and line.item else []
        return list(self._board.chosen(self._node_table.cursor))

    def nodes(self) -> list[str]:
        """The nodes of what is chosen."""
        if self.on_areas and not self._board.marks:
            return [item.node for item in self.items() if isinstance(item, NicRef)]
        return self._board.chosen_nodes(self._node_table.cursor)

    def under_cursor(self) -> Ref | None:
        """The object under the cursor, whatever is marked."""
        if self.on_areas:
            line = self._areas.current()
            if line is None:
                return None
            if isinstance(line.item, NicRef):
                return nic_ref(line.item.node, line.item.nic)
            if line.item is not None:
                return Ref("headnode", f"{line.item.project}/{line.item.headnode}")
            return Ref("network", "/".join(line.target.key)) if line.target.key else None
        rows, at = self._board.rows, self._node_table.cursor
        if not 0 <= at < len(rows):
            return None
        node, nic = rows[at]
        return nic_ref(node.node, nic.nic) if nic is not None else Ref("node", node.node)

    def area_line(self) -> AreaLine | None:
        """The line under the cursor of the right side, if that has the keys."""
        return self._areas.current() if self.on_areas else None

    def dragged_from(self, index: int) -> list[DragItem]:
        """What a drag from a line of the left side takes: all marked nics if it is one of them."""
        if not 0 <= index < len(self._board.rows):
            return []
        row = self._board.rows[index]
        if key_of(row) in self._board.marks:
            return list(self._board.chosen(index))
        return [NicRef(row[0].node, row[1].nic)] if row[1] else []

    # --- marks ---

    def mark(self) -> None:
        """Mark the nic under the cursor, or unmark it, and go to the next line."""
        if self.on_areas:
            line = self._areas.current()
            if line is not None and isinstance(line.item, NicRef):
                self._board.marks ^= {(line.item.node, line.item.nic)}
            self._areas.action_move(1)
        else:
            self._board.toggle(self._node_table.cursor)
            self._node_table.action_move(1)
        self._changed()

    def mark_line(self, index: int) -> None:
        """Mark the nic of a line of the left side, or unmark it."""
        self._board.toggle(index)
        self._changed()

    def mark_all(self) -> None:
        """Mark all nics that the filter shows, or unmark all."""
        self._board.toggle_all()
        self._changed()

    def mark_node(self) -> None:
        """Mark all nics of the node under the cursor, or unmark them."""
        if self._board.rows:
            self._board.toggle_node(self._node_table.cursor)
            self._changed()

    def clear(self) -> bool:
        """Unmark all; False if nothing was marked."""
        if not self._board.marks:
            return False
        self._board.marks.clear()
        self._changed()
        return True
