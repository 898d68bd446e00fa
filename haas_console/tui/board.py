"""The main screen: nodes on the left, networks as areas on the right."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from haas_console.core import gestures
from haas_console.core.board import SORTS, Board, key_of
from haas_console.core.gestures import PARKED, Onto, Thing
from haas_console.core.live import Changes
from haas_console.tui.areas import AreaList
from haas_console.tui.bars import Bar, summary_text
from haas_console.tui.drag import Drag, Ghost
from haas_console.tui.grip import Grip
from haas_console.tui.lines import Lines
from haas_console.tui.match import pick
from haas_console.tui.nodes import NodeTable
from haas_console.tui.prompt import Question
from haas_console.tui.screen import ConsoleScreen


class BoardScreen(ConsoleScreen):
    """Nodes, networks, and what is staged between them."""

    TITLE: ClassVar[str] = "Board"
    NAME = "board"
    AUTO_FOCUS = "#nodes"
    CHANGES = frozenset(
        "connect disconnect allocate release new_network new_headnode undo redo discard".split()  # noqa: SIM905
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", id="board.mark"),
        Binding("c", "connect", "Connect", id="board.connect"),
        Binding("d", "disconnect", "Disconnect", id="board.disconnect"),
        Binding("A", "allocate", "Allocate", id="board.allocate"),
        Binding("R", "release", "Release", id="board.release"),
        Binding("n", "new_network", "New network", id="board.new_network"),
        Binding("h", "new_headnode", "New headnode", id="board.new_headnode"),
        Binding("z", "undo", "Undo", id="board.undo"),
        Binding("Z", "redo", "Redo", id="board.redo", show=False),
        Binding("D", "discard", "Discard all staged", id="board.discard", show=False),
        Binding("slash", "filter", "Filter", id="board.filter"),
        Binding("s", "sort", "Sort", id="board.sort", show=False),
        Binding("asterisk", "mark_all", "Mark all shown", id="board.mark_all", show=False),
        Binding("tab", "other_side", "Other side", id="board.other_side", show=False),
        Binding("escape", "escape", "Cancel, clear", id="board.escape", show=False, priority=True),
    ]

    def compose_body(self) -> ComposeResult:
        """The two sides, the line on what is staged, and the ghost that a drag shows."""
        self.board = Board()
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield Bar(id="left-title")
                yield NodeTable(self.board, id="nodes")
            with Vertical(id="right"):
                yield Bar(id="right-title")
                yield AreaList(id="areas")
        yield Bar(id="summary")
        yield Ghost()

    def on_mount(self) -> None:
        """Know the parts."""
        self.nodes = self.query_one(NodeTable)
        self.areas = self.query_one(AreaList)
        self.drag = Drag(self, self.areas, self.query_one(Ghost))
        self.nodes.grips = self._gripped
        super().on_mount()

    # --- showing ---

    def changed(self, changes: Changes) -> None:
        """Show the inventory as it is now."""
        inventory, session = self.session.inventory, self.session
        if changes & {"node", "use"}:
            self.rebuild()
        if changes & {"node", "network", "headnode", "use"}:
            self.areas.update(inventory, session.project)
        self.query_one("#summary", Bar).show(summary_text(session))
        self._titles()

    def rebuild(self) -> None:
        """Make the rows anew; the cursor stays on its nic."""
        rows, nodes = self.board.rows, self.nodes
        key = key_of(rows[nodes.cursor]) if 0 <= nodes.cursor < len(rows) else None
        self.board.rebuild(self.session.inventory)
        nodes.project = self.session.project
        rows = self.board.rows
        if key is not None and not (nodes.cursor < len(rows) and key_of(rows[nodes.cursor]) == key):
            found = self.board.index_of(key)
            if found is not None:
                nodes.cursor = found
        nodes.changed()

    def _titles(self) -> None:
        board = self.board
        shown = f"{len(board.rows)}/{board.total}" if board.filter else str(board.total)
        extra = f"  /{board.filter}" if board.filter else ""
        if board.marks:
            extra += f"  {len(board.marks)} marked"
        if board.sort != "node":
            extra += f"  by {board.sort}"
        self.query_one("#left-title", Bar).show(
            Text(f"{self.nodes.title().rstrip()}  {extra}" if board.total else "", "dim")
        )
        project = self.session.project
        whose = f"networks of {project}" if project else "all networks"
        self.query_one("#right-title", Bar).show(Text(f" {whose}   ({shown} nics)", "dim"))

    # --- what is chosen ---

    def chosen(self) -> list[Thing]:
        """What a key is about: the marked nics, else what is under the cursor."""
        if self.focused is self.areas and not self.board.marks:
            line = self.areas.current()
            return [line.thing] if line and line.thing else []
        return list(self.board.chosen(self.nodes.cursor))

    def _gripped(self, index: int) -> list[Thing]:
        """What a drag from the left side grips: the marked nics if it begins on one of them."""
        row = self.board.rows[index]
        if key_of(row) in self.board.marks:
            return list(self.board.chosen(index))
        return [gestures.NicRef(row[0].node, row[1].nic)] if row[1] else []

    # --- the mouse ---

    def on_grip_clicked(self, event: Grip.Clicked) -> None:
        """Put the cursor there; with Ctrl, or on the mark's column, mark."""
        event.lines.focus(scroll_visible=False)
        event.lines.move_to(event.index)
        if event.lines is self.nodes and (event.toggles or event.column < 2):
            self.board.toggle(event.index)
            self.nodes.redraw()
            self._titles()

    def on_grip_drag_began(self, event: Grip.DragBegan) -> None:
        """Show the ghost."""
        self.drag.begin(event.source, event.things, event.at)

    def on_grip_drag_moved(self, event: Grip.DragMoved) -> None:
        """Follow the pointer."""
        self.drag.move(event.at)

    def on_grip_drag_ended(self, event: Grip.DragEnded) -> None:
        """Drop."""
        onto = self.drag.end(event.at)
        if event.dropped and onto is not None:
            self._drop(self.drag.things, onto)

    def _drop(self, things: list[Thing], onto: Onto) -> None:
        self.run_worker(self._dropped(things, onto), group="send")

    async def _dropped(self, things: list[Thing], onto: Onto) -> None:
        session = self.session
        gesture = gestures.drop(session.inventory, things, onto, session.freedom, tagged=False)
        outcome = await self.send(gesture)
        if outcome.ok and self.board.marks:
            self.board.marks.clear()
            self.nodes.redraw()
            self._titles()

    # --- keys ---

    def action_escape(self) -> None:
        """Cancel a drag; else take marks off; else the filter."""
        if self.drag.on:
            self.drag.cancel()
        elif self.board.marks:
            self.board.marks.clear()
            self.nodes.redraw()
            self._titles()
        elif self.board.filter:
            self._filter("")

    def action_other_side(self) -> None:
        """Go to the other side."""
        other: Lines = self.areas if self.focused is self.nodes else self.nodes
        other.focus(scroll_visible=False)

    def action_mark(self) -> None:
        """Mark the nic under the cursor, and go on to the next."""
        self.board.toggle(self.nodes.cursor)
        self.nodes.redraw()
        self.nodes.action_move(1)
        self._titles()

    def action_mark_all(self) -> None:
        """Mark all that the filter shows."""
        self.board.toggle_all()
        self.nodes.redraw()
        self._titles()

    def action_connect(self) -> None:
        """Choose the network to which what is chosen is connected."""
        things = self.chosen()
        if not things:
            self.fail("Nothing is chosen: mark nics with space.")
            return
        project = self._project_of(things[0])
        networks = self.session.inventory.networks_of(project)
        if not networks:
            self.fail("There is no network yet: n makes one.")
            return
        by_name = {network.name_for(project): Onto(network.key) for network in networks}
        by_name.setdefault("parked", PARKED)
        names = list(by_name)
        what = str(things[0]) if len(things) == 1 else f"{len(things)} nics"
        self.put(
            Question(
                f"connect {what} to: ",
                answer=lambda name: self._answered(things, by_name[name]),
                complete=lambda typed: pick(names, typed),
                choose=True,
                typed=lambda _, found: self._light(things, by_name.get(found or "")),
                cancelled=lambda: self.areas.light(None),
            )
        )

    def _answered(self, things: list[Thing], onto: Onto) -> None:
        self.areas.light(None)
        self._drop(things, onto)

    def _light(self, things: list[Thing], onto: Onto | None) -> None:
        session = self.session
        refused = onto is not None and isinstance(
            gestures.drop(session.inventory, things, onto, session.freedom, tagged=False),
            gestures.Refusal,
        )
        self.areas.light(onto, refused)

    def _project_of(self, thing: Thing) -> str | None:
        if isinstance(thing, gestures.HeadnodeRef):
            return thing.project
        node = self.session.inventory.nodes.get(thing.node)
        return (node.project if node else None) or self.session.project

    def action_disconnect(self) -> None:
        """Disconnect what is chosen."""
        self._drop(self.chosen(), PARKED)

    @work(group="send")
    async def action_allocate(self) -> None:
        """Allocate the chosen nodes to the current project."""
        session = self.session
        names = self.board.chosen_nodes(self.nodes.cursor)
        await self.send(
            gestures.allocate(session.inventory, names, session.project, session.freedom)
        )

    @work(group="ask", exclusive=True)
    async def action_release(self) -> None:
        """Give the chosen nodes back, after a question."""
        session = self.session
        names = self.board.chosen_nodes(self.nodes.cursor)
        gesture = gestures.release(session.inventory, names, session.freedom)
        if isinstance(gesture, gestures.Refusal):
            self.fail(gesture.reason)
        elif await self.confirm(f"{gesture.label}? Its nics are disconnected at once."):
            await self.send(gesture)

    @work(group="ask", exclusive=True)
    async def action_new_network(self) -> None:
        """Make a network in the current project."""
        await self._create("network")

    @work(group="ask", exclusive=True)
    async def action_new_headnode(self) -> None:
        """Make a headnode in the current project."""
        await self._create("headnode")

    async def _create(self, noun: str) -> None:
        session = self.session
        test = gestures.create(noun, "name", session.project, session.freedom)
        if isinstance(test, gestures.Refusal):
            self.fail(test.reason)
            return
        name = await self.ask(f"new {noun} in {session.project}: ")
        if name and name.strip():
            await self.send(gestures.create(noun, name.strip(), session.project, session.freedom))

    @work(group="send")
    async def action_undo(self) -> None:
        """Undo the last staged edit."""
        self.show_outcome(await self.session.undo())

    @work(group="send")
    async def action_redo(self) -> None:
        """Do again what was undone."""
        self.show_outcome(await self.session.redo())

    @work(group="ask", exclusive=True)
    async def action_discard(self) -> None:
        """Go back to what is applied, after a question."""
        if await self.confirm(f"discard all that is staged in {self.session.project}?"):
            self.show_outcome(await self.session.discard())

    def action_sort(self) -> None:
        """Sort by the next field."""
        self.board.sort = SORTS[(SORTS.index(self.board.sort) + 1) % len(SORTS)]
        self.rebuild()
        self._titles()
        self.say(f"sorted by {self.board.sort}")

    def action_filter(self) -> None:
        """Show only lines that fit, while it is typed."""
        before = self.board.filter
        self.put(
            Question(
                "/",
                text=before,
                answer=self._filter,
                typed=lambda text, _: self._filter(text, quiet=True),
                cancelled=lambda: self._filter(before),
            )
        )

    def _filter(self, text: str, quiet: bool = False) -> None:
        try:
            self.board.set_filter(text)
        except ValueError as error:
            if not quiet:
                self.fail(str(error))
            return
        self.rebuild()
        self._titles()
