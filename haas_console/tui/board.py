"""The main screen: nodes on the left, networks as areas on the right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from haas_console.core import guide
from haas_console.core.board import SORTS, Board, key_of
from haas_console.core.columns import Column
from haas_console.core.gestures import PARKED
from haas_console.core.objects import Ref
from haas_console.core.portviews import nic_look
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.tui.areas import AreaList
from haas_console.tui.bars import Bar, summary_text
from haas_console.tui.beside import Beside
from haas_console.tui.connecting import Connecting
from haas_console.tui.drag import Drag, Ghost
from haas_console.tui.grip import Grip
from haas_console.tui.holdings import Holdings
from haas_console.tui.lines import BAR, Lines
from haas_console.tui.nodes import NodeTable
from haas_console.tui.prompt import filter_question
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.selection import Selection
from haas_console.tui.staging import Staging


class BoardScreen(ConsoleScreen):
    """Nodes, networks, and what is staged between them.

    Parts carry out what the keys do: :class:`Selection`, :class:`Connecting`, :class:`Holdings`,
    :class:`Staging` and :class:`Drag`. The actions here say which.
    """

    TITLE: ClassVar[str] = "Board"
    NAME = "board"
    AUTO_FOCUS = "#nodes"
    CHANGES = frozenset(
        {"connect", "tag", "disconnect", "allocate", "release", "new_network", "new_headnode"}
        | {"delete", "undo", "redo", "discard", "power"}
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", id="board.mark"),
        Binding("enter", "open", "Open", id="board.open"),
        Binding("c", "connect", "Connect", id="board.connect"),
        Binding("d", "disconnect", "Disconnect", id="board.disconnect"),
        Binding("A", "allocate", "Allocate", id="board.allocate"),
        Binding("R", "release", "Release", id="board.release"),
        Binding("n", "new_network", "Network", id="board.new_network"),
        Binding("h", "new_headnode", "Headnode", id="board.new_headnode"),
        Binding("z", "undo", "Undo", id="board.undo"),
        Binding("slash", "filter", "Filter", id="board.filter"),
        Binding("Z", "redo", "Redo", id="board.redo", show=False),
        Binding("D", "discard", "Discard all staged", id="board.discard", show=False),
        Binding("C", "tag", "Connect tagged", id="board.tag", show=False),
        Binding("X", "delete", "Delete", id="board.delete", show=False),
        Binding("s", "sort", "Sort", id="board.sort", show=False),
        Binding("S", "reverse", "Sort the other way", id="board.reverse", show=False),
        *(
            Binding(
                str(number),
                f"sort_by({number})",
                f"Sort by column {number}",
                id=f"board.sort_{number}",
                show=False,
            )
            for number in range(1, 10)
        ),
        Binding("ctrl+w", "wide", "All columns", id="board.wide", show=False),
        Binding("asterisk", "mark_all", "Mark all shown", id="board.mark_all", show=False),
        Binding("N", "mark_node", "Mark the node", id="board.mark_node", show=False),
        Binding("i", "beside", "Details beside", id="board.beside", show=False),
        Binding("O", "power", "Power on/off", id="board.power", show=False),
        Binding("W", "who", "Who changed it", id="board.who", show=False),
        Binding("y", "copy", "Copy the last command", id="board.copy", show=False),
        Binding("tab", "other_side", "Other side", id="board.other_side", show=False),
        Binding("escape", "escape", "Let go, clear", id="board.escape", show=False, priority=True),
    ]

    def __init__(
        self, session: Session, columns: Sequence[Column] = (), *, details: bool = True
    ) -> None:
        super().__init__(session)
        self.board = Board()
        self.nodes = NodeTable(self.board, columns, id="nodes")
        self.areas = AreaList(id="areas")
        self.selection = Selection(self.board, self.nodes, self.areas, self._show_marks)
        self.connecting = Connecting(self, self.selection, self.areas)
        self.holdings = Holdings(self, self.selection)
        self.staging = Staging(self)
        self.drag = Drag(self, self.areas, Ghost())
        self.beside = Beside(self, self.selection.under_cursor, shown=details)
        self.nodes.items_of = self.selection.dragged_from
        self.nodes.found_on = session.inventory.found_on
        self.nodes.look_of = partial(nic_look, session.inventory)

    def compose_body(self) -> ComposeResult:
        """The two sides, what is staged, and the ghost that a drag shows."""
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield Bar(id="left-title", classes="title")
                yield self.nodes
            with Vertical(id="right"):
                yield Bar(id="right-title", classes="title")
                yield self.areas
                yield self.beside
        yield Bar(id="tour")
        yield Bar(id="summary")
        yield self.drag.ghost

    # --- showing ---

    def changed(self, changes: Changes) -> None:
        """Show the inventory as it is now."""
        inventory, session = self.session.inventory, self.session
        if changes & {"node", "use", "info", "switch", "project"}:
            self._rebuild()
        elif "drift" in changes:
            self.nodes.redraw()
        if changes & {"node", "network", "headnode", "use"}:
            self.areas.update(inventory, session.project)
        self.query_one("#summary", Bar).show(summary_text(session))
        self.beside.show()
        self._show_tour()
        self._show_titles()

    def _rebuild(self) -> None:
        """Rebuild the rows; the cursor stays on its nic."""
        rows, nodes = self.board.rows, self.nodes
        key = key_of(rows[nodes.cursor]) if 0 <= nodes.cursor < len(rows) else None
        self.board.rebuild(self.session.inventory)
        nodes.project = self.session.project
        width = nodes.scrollable_content_region.width - BAR - 1
        text = [] if self.board.total else guide.empty_board(self.session.inventory)
        nodes.guide = guide.wrapped(text, width)
        rows = self.board.rows
        there = key is None or (nodes.cursor < len(rows) and key_of(rows[nodes.cursor]) == key)
        if key is not None and not there:
            found = self.board.index_of(key)
            if found is not None:
                nodes.cursor = found
        nodes.changed()

    def _show_marks(self) -> None:
        self.nodes.redraw()
        self._show_titles()

    def _show_titles(self) -> None:
        """The columns' names, the filter and the marks; whose networks are shown."""
        board = self.board
        parts = [self.nodes.title().rstrip() if board.total else ""]
        if board.filter:
            about = "~" if board.is_loose else ""
            parts.append(f"/{board.filter} {about}{len(board.rows)}/{board.total}")
        if board.marks:
            parts.append(f"{len(board.marks)} marked")
        if board.sort not in (name for name, _ in self.nodes.shown_columns):
            parts.append(f"by {board.sort}")
        self.query_one("#left-title", Bar).show(Text("  ".join(parts)))
        project = self.session.project
        whose = f" networks of {project}" if project else " all networks"
        if not self.session.inventory.projects:
            whose = f" {guide.no_project(self.session.inventory)}"
        self.query_one("#right-title", Bar).show(Text(whose))

    def _show_tour(self) -> None:
        step, bar = (
            guide.tour(self.session.inventory, self.session.project),
            self.query_one("#tour", Bar),
        )
        bar.set_class(step is not None, "on")
        bar.show(Text(f" {step}") if step else Text())

    # --- details beside ---

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Show the object under the cursor."""
        event.stop()
        self.beside.follow()

    def on_descendant_focus(self) -> None:
        """Show the object under the cursor of the side that has the focus now."""
        self.beside.follow()

    def action_beside(self) -> None:
        """Show details beside the nodes, or none, now and in consoles that are opened later."""
        self.beside.toggle(self.size.width)
        self.call_after_refresh(self._show_all)

    # --- the mouse ---

    def on_click(self, event: events.Click) -> None:
        """Sort by the column whose title was clicked."""
        super().on_click(event)
        if event.widget is not None and event.widget.id == "left-title":
            column = self.nodes.column_at(event.x)
            if column is not None:
                self._sort(column)

    def on_grip_clicked(self, event: Grip.Clicked) -> None:
        """Put the cursor there; with Ctrl, or in the column of marks, mark the line."""
        event.lines.focus(scroll_visible=False)
        event.lines.move_to(event.index)
        if event.lines is self.nodes and (event.toggles or event.column < 2):
            self.selection.mark_line(event.index)

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
            self.connecting.drop(self.drag.items, target)

    # --- moving, marking, sorting, filtering ---

    def action_other_side(self) -> None:
        """Go to the other side."""
        other: Lines = self.areas if self.focused is self.nodes else self.nodes
        other.focus(scroll_visible=False)

    def action_mark(self) -> None:
        """Mark the nic under the cursor, and go on to the next."""
        self.selection.mark()

    def action_mark_all(self) -> None:
        """Mark all nics that the filter shows, or take all marks off."""
        self.selection.mark_all()

    def action_mark_node(self) -> None:
        """Mark all nics of the node under the cursor."""
        self.selection.mark_node()

    def action_sort(self) -> None:
        """Sort by the next of node, project, state, network, port."""
        now = SORTS.index(self.board.sort) if self.board.sort in SORTS else -1
        self.board.is_reversed = False
        self._sort(SORTS[(now + 1) % len(SORTS)])

    def action_sort_by(self, number: int) -> None:
        """Sort by the column of this number, or if it is sorted by already, the other way."""
        columns = self.nodes.shown_columns
        if number <= len(columns):
            self._sort(columns[number - 1][0])
        else:
            self.fail(f"There are {len(columns)} columns.")

    def action_reverse(self) -> None:
        """Sort the other way."""
        self._sort(self.board.sort)

    def _sort(self, column: str) -> None:
        self.board.sort_by(column)
        self._rebuild()
        self._show_titles()
        way = ", backwards" if self.board.is_reversed else ""
        self.remark(f"sorted by {column}{way}")

    def action_wide(self) -> None:
        """Show all columns over the whole width, or again both sides."""
        self.nodes.is_wide = not self.nodes.is_wide
        self.query_one("#right").display = not self.nodes.is_wide
        self.query_one("#left").styles.width = "100%" if self.nodes.is_wide else None
        self.nodes.focus(scroll_visible=False)
        self.call_after_refresh(self._show_all)

    def _show_all(self) -> None:
        if not self.is_there:
            return
        self.nodes.changed()
        self.areas.changed()
        self.beside.show()
        self._show_titles()

    def action_filter(self) -> None:
        """Show only lines that fit, while it is typed; ? tells how."""
        self.put(filter_question(self.board.filter, self._filter))

    def _filter(self, text: str, final: bool) -> None:
        """Apply a filter; report a malformed one if it is ``final``."""
        try:
            self.board.set_filter(text)
        except ValueError as error:
            if final:
                self.fail(str(error))
            return
        self._rebuild()
        self._show_titles()

    def leave(self) -> None:
        """Take marks off; else the filter."""
        if not self.selection.clear() and self.board.filter:
            self._filter("", True)

    def action_escape(self) -> None:
        """Let go of what is dragged; else leave a question, marks, or the filter."""
        self.drag.cancel() if self.drag.on else self.action_back()

    # --- connecting ---

    @in_turn
    async def action_connect(self) -> None:
        """Choose the network to which what is chosen is connected."""
        await self.connecting.choose_network(tagged=False)

    @in_turn
    async def action_tag(self) -> None:
        """Connect tagged: beside the untagged network, and other tagged ones."""
        await self.connecting.choose_network(tagged=True)

    def action_disconnect(self) -> None:
        """Disconnect what is chosen: its port is parked by the next apply."""
        self.connecting.drop(self.selection.items(), PARKED)

    # --- nodes, networks, headnodes ---

    def action_allocate(self) -> None:
        """Allocate the chosen nodes to the current project."""
        self.holdings.allocate()

    @in_turn
    async def action_release(self) -> None:
        """Give the chosen nodes back, after a question."""
        await self.holdings.release()

    @in_turn
    async def action_power(self) -> None:
        """Switch the chosen nodes on or off, after a question."""
        await self.holdings.power()

    @in_turn
    async def action_new_network(self) -> None:
        """Make a network in the current project."""
        await self.holdings.create("network")

    @in_turn
    async def action_new_headnode(self) -> None:
        """Make a headnode in the current project."""
        await self.holdings.create("headnode")

    @in_turn
    async def action_delete(self) -> None:
        """Delete the network or headnode under the cursor on the right, after a question."""
        await self.holdings.delete()

    # --- what is staged ---

    def action_undo(self) -> None:
        """Undo the last staged edit."""
        self.console.start(self.staging.undo())

    def action_redo(self) -> None:
        """Do again what was undone."""
        self.console.start(self.staging.redo())

    @in_turn
    async def action_discard(self) -> None:
        """Go back to what is applied, after a question."""
        await self.staging.discard()

    @in_turn
    async def action_copy(self) -> None:
        """Copy the last command that was sent."""
        commands = self.session.sync.log.commands
        if commands:
            self.console.copy(commands[-1].line)

    def under_cursor(self) -> Ref | None:
        """The nic, node, network or headnode."""
        return self.selection.under_cursor()

    def action_open(self) -> None:
        """Show all of the nic, network or headnode under the cursor, with links."""
        found = self.under_cursor()
        if found is None:
            self.fail("There is nothing to open on this line.")
        else:
            self.console.navigation.open_details(found)

    def action_who(self) -> None:
        """Show who changed the node, or the network, under the cursor."""
        line = self.areas.current() if self.areas.has_focus else None
        row = self.board.rows[self.nodes.cursor : self.nodes.cursor + 1]
        if line is not None and line.target.key is not None:
            self.console.navigation.open_audit("/".join(line.target.key))
        elif line is None and row:
            self.console.navigation.open_audit(row[0][0].node)
        else:
            self.fail("There is no node and no network under the cursor.")
