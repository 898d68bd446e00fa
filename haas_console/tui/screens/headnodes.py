"""The headnodes: their state, their networks, and what is staged for them."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import gestures, tables
from haas_console.core.commands import Call
from haas_console.core.gestures import DropTarget, HeadnodeRef
from haas_console.core.master import drifted, state_text
from haas_console.core.objects import Ref
from haas_console.core.portviews import DRIFTED
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.tables import HeadnodeLine, headnode_line, nic_text
from haas_console.tui.bars import Bar, summary_text
from haas_console.tui.lines import Lines
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.staging import Staging
from haas_console.tui.tablelines import TableLines
from haas_schemas.headnode import Headnode


class HeadnodeLines(TableLines[HeadnodeLine]):
    """One line for each headnode."""

    def __init__(self, *, id: str) -> None:
        super().__init__(tables.HEADNODES, lambda line: line.key, id=id)

    def look(self, name: str, item: HeadnodeLine) -> str:
        """The style of a cell."""
        match name:
            case "headnode":
                return "head"
            case "state":
                return state_look(item.headnode)
            case "networks":
                return "staged" if "*" in item.networks else "" if item.headnode.nics else "dim"
            case _:
                return "dim"


def state_look(headnode: Headnode) -> str:
    """The style of a headnode's state."""
    if headnode.state == "deleting":
        return "leaves"
    if drifted(headnode) or headnode.state == "unknown":
        return "drift"
    state = state_text(headnode)
    return "staged" if "*" in state else "good" if state == "running" else ""


class HeadnodesScreen(ConsoleScreen):
    """The headnodes of the current project, or of all."""

    TITLE: ClassVar[str] = "Headnodes"
    NAME = "headnodes"
    AUTO_FOCUS = "#headnodes"
    CHANGES = frozenset(
        {"power", "new", "connect", "disconnect", "delete", "undo", "redo", "discard"}
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="headnodes.open"),
        Binding("s", "power(True)", "Start", id="headnodes.start"),
        Binding("o", "power(False)", "Stop", id="headnodes.stop"),
        Binding("n", "new", "New", id="headnodes.new"),
        Binding("c", "connect", "Connect", id="headnodes.connect"),
        Binding("d", "disconnect", "Disconnect", id="headnodes.disconnect"),
        Binding("x", "delete", "Delete", id="headnodes.delete"),
        Binding("z", "undo", "Undo", id="headnodes.undo"),
        Binding("Z", "redo", "Redo", id="headnodes.redo", show=False),
        Binding("D", "discard", "Discard all staged", id="headnodes.discard", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.staging = Staging(self)

    def compose_body(self) -> ComposeResult:
        """The list, details of the headnode under the cursor, and what is staged."""
        lines = HeadnodeLines(id="headnodes")
        yield lines.header
        yield lines
        yield Bar(id="detail")
        yield Bar(id="summary")

    @property
    def lines(self) -> HeadnodeLines:
        """The list."""
        return self.query_one(HeadnodeLines)

    @property
    def current(self) -> Headnode | None:
        """The headnode under the cursor."""
        line = self.lines.current()
        return line.headnode if line is not None else None

    # --- showing ---

    def changed(self, changes: Changes) -> None:
        """Show the headnodes as they are now."""
        session, lines = self.session, self.lines
        if changes & {"headnode", "network", "use", "info", "node"}:
            inventory = session.inventory
            lines.left_out = frozenset({"project"} if session.project is not None else ())
            found = inventory.headnodes_of(session.project)
            lines.show_items([headnode_line(inventory, headnode) for headnode in found])
            self._show_current()
        self.query_one("#summary", Bar).show(summary_text(session))

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Show details of the headnode under the cursor."""
        event.stop()
        self._show_current()

    def _show_current(self) -> None:
        headnode, info = self.current, self.session.inventory.info
        if headnode is None:
            text = "No headnode yet: n makes one, a login machine on your networks."
            if info is not None and not info.master:
                text = "The daemon has no [master] in its haas.toml, so there are no headnodes."
        else:
            nics = "   ".join(
                f"{nic.nic} {nic.mac} {nic_text(self.session.inventory, nic)}"
                for nic in headnode.nics
            )
            now = f"   {DRIFTED} now {headnode.observed}" if headnode.observed else ""
            text = f"{headnode.project}/{headnode.headnode}{now}   image {headnode.image}   {nics}"
        self.query_one("#detail", Bar).show(Text(f" {text}"))

    # --- keys ---

    def _params(self, headnode: Headnode) -> dict[str, str]:
        return {"project": headnode.project, "headnode": headnode.headnode}

    def under_cursor(self) -> Ref | None:
        """The headnode."""
        found = self.current
        return Ref("headnode", f"{found.project}/{found.headnode}") if found else None

    def action_open(self) -> None:
        """Show all of the headnode under the cursor, and what it is connected to."""
        if (ref := self.under_cursor()) is not None:
            self.console.navigation.open_details(ref)

    @in_turn
    async def action_power(self, running: bool) -> None:
        """Stage a start or a stop."""
        headnode = self.current
        if headnode is None:
            self.fail("There is no headnode under the cursor.")
        elif headnode.running == running and headnode.state != "deleting":
            wanted = "run" if running else "be stopped"
            tail = ": an apply brings it back." if drifted(headnode) else "."
            self.fail(f"{headnode.headnode} is to {wanted} already{tail}")
        else:
            await self.send(lambda: gestures.power(headnode, self.session.write_access))

    @in_turn
    async def action_new(self) -> None:
        """Make a headnode in the current project."""
        session = self.session
        test = gestures.create(
            session.inventory, "headnode", "name", session.project, session.write_access
        )
        if isinstance(test, gestures.Refusal):
            self.fail(test.reason)
            return
        name = (await self.ask(f"new headnode in {session.project}: ") or "").strip()
        if not name:
            return
        images = session.inventory.info.images if session.inventory.info else ()
        params = {"project": session.project, "headnode": name}
        if len(images) > 1:
            image = await self.ask("image: ", choices=images)
            if image is None:
                return
            params["image"] = image
        await self.send([Call("headnode.create", params)])

    @in_turn
    async def action_connect(self) -> None:
        """Choose the network that a nic of the headnode is put on."""
        headnode, inventory = self.current, self.session.inventory
        if headnode is None:
            self.fail("There is no headnode under the cursor.")
            return
        on = {nic.network for nic in headnode.nics}
        offered = {
            network.name_for(headnode.project): network.key
            for network in inventory.networks_of(headnode.project)
            if network.name_for(headnode.project) not in on
        }
        if not offered:
            self.fail("There is no other network: make one on the board with n.")
            return
        name = await self.ask(f"connect {headnode.headnode} to: ", choices=list(offered))
        if name is not None:
            item = HeadnodeRef(headnode.project, headnode.headnode)
            target, session = DropTarget(offered[name]), self.session
            await self.send(
                lambda: gestures.plan_drop(
                    session.inventory, [item], target, session.write_access, tagged=False
                )
            )

    @in_turn
    async def action_disconnect(self) -> None:
        """Take the headnode off its network; of several, the one that is chosen."""
        headnode = self.current
        names = [nic.network for nic in headnode.nics if nic.network] if headnode else []
        if headnode is None or not names:
            self.fail("It is on no network." if headnode else "There is no headnode here.")
            return
        params = self._params(headnode)
        if len(names) > 1:
            name = await self.ask(f"take {headnode.headnode} off: ", choices=[*names, "all"])
            if name is None:
                return
            if name != "all":
                params["network"] = name
        await self.send([Call("headnode.disconnect", params)])

    @in_turn
    async def action_delete(self) -> None:
        """Stage the headnode's deletion, after a question."""
        headnode = self.current
        if headnode is None:
            self.fail("There is no headnode under the cursor.")
        elif await self.confirm(
            f"delete headnode {headnode.headnode}? Its disk goes with the next apply."
        ):
            await self.send(lambda: gestures.delete(headnode, self.session.write_access))

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
