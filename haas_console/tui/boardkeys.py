"""The board's keys: each builds a gesture (:mod:`haas_console.core.gestures`) and sends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from haas_console.core import gestures
from haas_console.core.board import SORTS, Board
from haas_console.core.gestures import PARKED, DragItem, DropTarget, HeadnodeRef, NicRef, Refusal
from haas_console.tui.areas import AreaList
from haas_console.tui.lines import Lines
from haas_console.tui.match import pick
from haas_console.tui.nodes import NodeTable
from haas_console.tui.prompt import Question
from haas_console.tui.staging import StagingScreen

_CHANGES = (
    "connect", "tag", "disconnect", "allocate", "release", "new_network", "new_headnode",
    "delete", "undo", "redo", "discard",
)  # fmt: skip


class BoardKeys(StagingScreen):
    """What the keys do on the board; what it looks like is :mod:`haas_console.tui.board`'s."""

    CHANGES = frozenset(_CHANGES)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", id="board.mark"),
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
        Binding("asterisk", "mark_all", "Mark all shown", id="board.mark_all", show=False),
        Binding("N", "mark_node", "Mark the node", id="board.mark_node", show=False),
        Binding("y", "copy", "Copy the last command", id="board.copy", show=False),
        Binding("tab", "other_side", "Other side", id="board.other_side", show=False),
    ]

    board: Board
    nodes: NodeTable
    areas: AreaList

    # --- what the board has to say ---

    def rebuild(self) -> None:
        """Make the rows anew."""
        raise NotImplementedError

    def show_titles(self) -> None:
        """Say how many there are, and how many are marked."""
        raise NotImplementedError

    def _marked(self) -> None:
        self.nodes.redraw()
        self.show_titles()

    def chosen(self) -> list[DragItem]:
        """What a key is about: the marked nics, else what is under the cursor."""
        if self.focused is self.areas and not self.board.marks:
            line = self.areas.current()
            return [line.item] if line and line.item else []
        return list(self.board.chosen(self.nodes.cursor))

    def chosen_nodes(self) -> list[str]:
        """The nodes of what is chosen."""
        if self.focused is self.areas and not self.board.marks:
            return [t.node for t in self.chosen() if isinstance(t, NicRef)]
        return self.board.chosen_nodes(self.nodes.cursor)

    # --- moving and marking ---

    def action_other_side(self) -> None:
        """Go to the other side."""
        other: Lines = self.areas if self.focused is self.nodes else self.nodes
        other.focus(scroll_visible=False)

    def action_mark(self) -> None:
        """Mark the nic under the cursor, and go on to the next."""
        if self.focused is self.areas:
            line = self.areas.current()
            if line is not None and isinstance(line.item, NicRef):
                self.board.marks ^= {(line.item.node, line.item.nic)}
            self.areas.action_move(1)
        else:
            self.board.toggle(self.nodes.cursor)
            self.nodes.action_move(1)
        self._marked()

    def action_mark_all(self) -> None:
        """Mark all nics that the filter shows, or take all marks off."""
        self.board.toggle_all()
        self._marked()

    def action_mark_node(self) -> None:
        """Mark all nics of the node under the cursor."""
        if self.board.rows:
            self.board.toggle_node(self.nodes.cursor)
            self._marked()

    def action_sort(self) -> None:
        """Sort by the next of node, project, state, network, port."""
        self.board.sort = SORTS[(SORTS.index(self.board.sort) + 1) % len(SORTS)]
        self.rebuild()
        self.show_titles()
        self.say(f"sorted by {self.board.sort}")

    def action_filter(self) -> None:
        """Show only lines that fit, while it is typed; ? tells how."""
        before = self.board.filter
        self.put(
            Question(
                "/",
                text=before,
                answer=self.filter,
                typed=lambda text, _: self.filter(text, quiet=True),
                cancelled=lambda: self.filter(before),
            )
        )

    def filter(self, text: str, quiet: bool = False) -> None:
        """Show only lines that fit; a filter that is none is told of unless ``quiet``."""
        try:
            self.board.set_filter(text)
        except ValueError as error:
            if not quiet:
                self.fail(str(error))
            return
        self.rebuild()
        self.show_titles()

    def action_copy(self) -> None:
        """Copy the last command that was sent."""
        commands = self.session.sync.log.commands
        if commands:
            self.console.copy(commands[-1].line)

    # --- connecting ---

    def action_connect(self) -> None:
        """Choose the network to which what is chosen is connected."""
        self._connect(tagged=False)

    def action_tag(self) -> None:
        """Connect tagged: beside the untagged network, and other tagged ones."""
        self._connect(tagged=True)

    def _connect(self, *, tagged: bool) -> None:
        items = self.chosen()
        if not items:
            self.fail("Nothing is chosen: put the cursor on a nic, or mark some with space.")
            return
        gestures_of = self._targets(items, tagged)
        if gestures_of is None:
            return
        names = list(gestures_of)
        how = "tagged to" if tagged else "to"
        what = str(items[0]) if len(items) == 1 else f"{len(items)} nics"

        def typed(_: str, found: str | None) -> None:
            self._light(items, gestures_of.get(found or ""), tagged)

        def answer(name: str) -> None:
            self.areas.light(None)
            self.drop(items, gestures_of[name], tagged=tagged)

        self.put(
            Question(
                f"connect {what} {how}: ",
                answer=answer,
                complete=lambda text: pick(names, text),
                choose=True,
                typed=typed,
                cancelled=lambda: self._light(items, None, tagged),
            )
        )

    def _targets(self, items: Sequence[DragItem], tagged: bool) -> dict[str, DropTarget] | None:
        """The networks by name; says why when there are none, or nothing can go anywhere."""
        project = self._project_of(items[0])
        networks = self.session.inventory.networks_of(project)
        session = self.session
        if not networks:
            self.fail("There is no network yet: n makes one.")
            return None
        target = DropTarget(networks[0].key)
        tried = gestures.plan_drop(
            session.inventory, items[:1], target, session.write_access, tagged=tagged
        )
        if isinstance(tried, Refusal) and "already" not in tried.reason:
            self.fail(tried.reason)
            return None
        found = {network.name_for(project): DropTarget(network.key) for network in networks}
        if not tagged:
            found.setdefault("parked", PARKED)
        return found

    def _light(self, items: Sequence[DragItem], target: DropTarget | None, tagged: bool) -> None:
        session = self.session
        refused = target is not None and isinstance(
            gestures.plan_drop(
                session.inventory, items, target, session.write_access, tagged=tagged
            ),
            Refusal,
        )
        self.areas.light(target, refused)

    def _project_of(self, item: DragItem) -> str | None:
        if isinstance(item, HeadnodeRef):
            return item.project
        node = self.session.inventory.nodes.get(item.node)
        return (node.project if node else None) or self.session.project

    def action_disconnect(self) -> None:
        """Disconnect what is chosen: its port is parked by the next apply."""
        self.drop(self.chosen(), PARKED)

    def drop(self, items: Sequence[DragItem], target: DropTarget, *, tagged: bool = False) -> None:
        """Drop things onto an area: what a drag, ``c`` and ``d`` all come to."""
        self.run_worker(self._dropped(items, target, tagged), group="send")

    async def _dropped(self, items: Sequence[DragItem], target: DropTarget, tagged: bool) -> None:
        session = self.session
        outcome = await self.send(
            gestures.plan_drop(
                session.inventory, items, target, session.write_access, tagged=tagged
            )
        )
        if outcome.ok and self.board.marks:
            self.board.marks.clear()
            self._marked()

    # --- nodes, networks, headnodes ---

    @work(group="send")
    async def action_allocate(self) -> None:
        """Allocate the chosen nodes to the current project."""
        session = self.session
        await self.send(
            gestures.allocate(
                session.inventory, self.chosen_nodes(), session.project, session.write_access
            )
        )

    @work(group="ask", exclusive=True)
    async def action_release(self) -> None:
        """Give the chosen nodes back, after a question."""
        session = self.session
        gesture = gestures.release(session.inventory, self.chosen_nodes(), session.write_access)
        if isinstance(gesture, Refusal):
            self.fail(gesture.reason)
        elif await self.confirm(f"{gesture.label}? Its ports are parked at once."):
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
        test = gestures.create(
            session.inventory, noun, "name", session.project, session.write_access
        )
        if isinstance(test, Refusal):
            self.fail(test.reason)
            return
        name = await self.ask(f"new {noun} in {session.project}: ")
        if name and name.strip():
            await self.send(
                gestures.create(
                    session.inventory, noun, name.strip(), session.project, session.write_access
                )
            )

    @work(group="ask", exclusive=True)
    async def action_delete(self) -> None:
        """Delete the network or headnode under the cursor on the right, after a question."""
        line = self.areas.current() if self.focused is self.areas else None
        inventory, session = self.session.inventory, self.session
        if line is not None and isinstance(line.item, HeadnodeRef):
            found = inventory.headnodes.get((line.item.project, line.item.headnode))
        elif line is not None and line.head and line.target.key is not None:
            network = inventory.networks.get(line.target.key)
            if network is not None and await self.confirm(f"delete network {network.network}?"):
                await self.send(gestures.delete(network, session.write_access))
            return
        else:
            found = None
        if found is None:
            self.fail("Tab to the right, and put the cursor on a network or a headnode.")
        elif await self.confirm(f"delete headnode {found.headnode}, with its disk?"):
            await self.send(gestures.delete(found, session.write_access))
