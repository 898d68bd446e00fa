"""The main screen: nodes on the left, networks as areas on the right."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from haas_console.core import guide
from haas_console.core.board import Board, key_of
from haas_console.core.gestures import DragItem, NicRef
from haas_console.core.sync import Changes
from haas_console.tui.areas import AreaList
from haas_console.tui.bars import Bar, summary_text
from haas_console.tui.boardkeys import BoardKeys
from haas_console.tui.drag import Drag, Ghost
from haas_console.tui.grip import Grip
from haas_console.tui.lines import BAR
from haas_console.tui.nodes import NodeTable


class BoardScreen(BoardKeys):
    """Nodes, networks, and what is staged between them."""

    TITLE: ClassVar[str] = "Board"
    NAME = "board"
    AUTO_FOCUS = "#nodes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "escape", "Let go, clear", id="board.escape", show=False, priority=True),
    ]

    def compose_body(self) -> ComposeResult:
        """The two sides, the line on what is staged, and the ghost that a drag shows."""
        self.board = Board()
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield Bar(id="left-title", classes="title")
                yield NodeTable(self.board, id="nodes")
            with Vertical(id="right"):
                yield Bar(id="right-title", classes="title")
                yield AreaList(id="areas")
        yield Bar(id="tour")
        yield Bar(id="summary")
        yield Ghost()

    def on_mount(self) -> None:
        """Know the parts."""
        self.nodes = self.query_one(NodeTable)
        self.areas = self.query_one(AreaList)
        self.drag = Drag(self, self.areas, self.query_one(Ghost))
        self.nodes.grips = self._gripped
        self.nodes.found_on = self.session.inventory.found_on
        super().on_mount()

    # --- showing ---

    def changed(self, changes: Changes) -> None:
        """Show the inventory as it is now."""
        inventory, session = self.session.inventory, self.session
        if changes & {"node", "use", "info", "switch", "project"}:
            self.rebuild()
        elif "drift" in changes:
            self.nodes.redraw()
        if changes & {"node", "network", "headnode", "use"}:
            self.areas.update(inventory, session.project)
        self.query_one("#summary", Bar).show(summary_text(session))
        self._tour()
        self.show_titles()

    def rebuild(self) -> None:
        """Make the rows anew; the cursor stays on its nic."""
        rows, nodes = self.board.rows, self.nodes
        key = key_of(rows[nodes.cursor]) if 0 <= nodes.cursor < len(rows) else None
        self.board.rebuild(self.session.inventory)
        nodes.project = self.session.project
        width = nodes.scrollable_content_region.width - BAR - 1
        said = [] if self.board.total else guide.empty_board(self.session.inventory)
        nodes.guide = guide.wrapped(said, width)
        rows = self.board.rows
        there = key is None or (nodes.cursor < len(rows) and key_of(rows[nodes.cursor]) == key)
        if key is not None and not there:
            found = self.board.index_of(key)
            if found is not None:
                nodes.cursor = found
        nodes.changed()

    def show_titles(self) -> None:
        """The columns' names, the filter, and what is marked; whose networks these are."""
        board = self.board
        said = []
        if board.filter:
            said.append(f"/{board.filter} {len(board.rows)}/{board.total}")
        if board.marks:
            said.append(f"{len(board.marks)} marked")
        if board.sort != "node":
            said.append(f"by {board.sort}")
        title = self.nodes.title().rstrip() if board.total else ""
        self.query_one("#left-title", Bar).show(Text("  ".join([title, *said])))
        project = self.session.project
        whose = f" networks of {project}" if project else " all networks"
        if not self.session.inventory.projects:
            whose = f" {guide.no_project(self.session.inventory)}"
        self.query_one("#right-title", Bar).show(Text(whose))

    def _tour(self) -> None:
        info = self.session.inventory.info
        if info is None or not info.demo:
            return
        said = guide.tour(self.session.inventory, self.session.project)
        bar = self.query_one("#tour", Bar)
        bar.set_class(said is not None, "on")
        bar.show(Text(f" {said}") if said else Text())

    # --- the mouse ---

    def _gripped(self, index: int) -> list[DragItem]:
        """What a drag from the left side grips: the marked nics if it begins on one of them."""
        if not 0 <= index < len(self.board.rows):
            return []
        row = self.board.rows[index]
        if key_of(row) in self.board.marks:
            return list(self.board.chosen(index))
        return [NicRef(row[0].node, row[1].nic)] if row[1] else []

    def on_grip_clicked(self, event: Grip.Clicked) -> None:
        """Put the cursor there; with Ctrl, or on the mark's column, mark."""
        event.lines.focus(scroll_visible=False)
        event.lines.move_to(event.index)
        if event.lines is self.nodes and (event.toggles or event.column < 2):
            self.board.toggle(event.index)
            self.nodes.redraw()
            self.show_titles()

    def on_grip_drag_began(self, event: Grip.DragBegan) -> None:
        """Show the ghost."""
        self.drag.begin(event.source, event.items, event.at)

    def on_grip_drag_moved(self, event: Grip.DragMoved) -> None:
        """Follow the pointer."""
        self.drag.move(event.at)

    def on_grip_drag_ended(self, event: Grip.DragEnded) -> None:
        """Drop."""
        target = self.drag.end(event.at)
        if event.dropped and target is not None:
            self.drop(self.drag.items, target)

    def action_escape(self) -> None:
        """Let go of what is dragged; else take marks off; else the filter."""
        if self.drag.on:
            self.drag.cancel()
        elif self.board.marks:
            self.board.marks.clear()
            self.nodes.redraw()
            self.show_titles()
        elif self.board.filter:
            self.filter("")
