"""What drifted from what was applied, as a table, and its repair."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import tables
from haas_console.core.commands import Call
from haas_console.core.contact import unread
from haas_console.core.devicetext import target_text, unreachable
from haas_console.core.gestures import count
from haas_console.core.objects import Ref, port_ref
from haas_console.core.portviews import DRIFTED
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.times import moment
from haas_console.tui.bars import Bar
from haas_console.tui.lines import Lines, Part
from haas_console.tui.repairing import repair
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.tablelines import TableLines
from haas_schemas.drift import DriftItem

LOOKS = {"device": "head", "target": "head", "now": "drift", "since": "dim", "line": "dim"}


class DriftLines(TableLines[DriftItem]):
    """One line for each thing that drifted."""

    def __init__(self, *, id: str) -> None:
        super().__init__(
            tables.DRIFT, lambda item: (item.device, item.target), id=id, header="columns"
        )

    def mark(self, item: DriftItem) -> Part:
        """The sign of drift."""
        return DRIFTED, "drift"

    def look(self, name: str, item: DriftItem) -> str:
        """The style of a cell."""
        return LOOKS.get(name, "")


class DriftScreen(ConsoleScreen):
    """What drifted on all devices, as of their last check."""

    TITLE: ClassVar[str] = "Drift"
    NAME = "drift"
    AUTO_FOCUS = "#drift"
    CHANGES = frozenset({"repair"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "check", "Check all", id="drift.check"),
        Binding("r", "repair(True)", "Repair all", id="drift.repair"),
        Binding("R", "repair(False)", "Repair this switch", id="drift.repair_one"),
        Binding("enter", "open", "Open", id="drift.open"),
        Binding("w", "open_switch", "Face plate", id="drift.plate"),
        Binding("y", "copy", "Copy", id="drift.copy", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._unread: list[str] = []

    def compose_body(self) -> ComposeResult:
        """A summary, the columns' names, the list, and a line on the item under the cursor."""
        lines = DriftLines(id="drift")
        yield Bar(id="title")
        yield lines.header
        yield lines
        yield Bar(id="detail")

    @property
    def lines(self) -> DriftLines:
        """The list."""
        return self.query_one(DriftLines)

    def changed(self, changes: Changes) -> None:
        """Show what is known now."""
        if changes & {"drift", "switch", "node", "info", "pulse"}:
            self._draw()

    def _draw(self) -> None:
        inventory, lines = self.session.inventory, self.lines
        lines.show_items(tables.sorted_drift(inventory.drift.values()))
        times = [switch.checked for switch in inventory.switches.values() if switch.checked]
        when = f", last checked {moment(max(times))}" if times else ""
        if lines.items:
            devices = count(len({item.device for item in lines.items}), "device")
            blind = f", but {unseen}" if (unseen := unread(inventory)) else ""
            found = f" {DRIFTED} {len(lines.items)} drifted on {devices}{when}{blind}"
            summary = Text(found, "bold")
        elif unseen := unread(inventory):
            summary = Text(f" Nothing is known to have drifted, but {unseen}.", "bold")
        else:
            summary = Text(f" Nothing drifted: all is as it was applied{when}.", "dim")
        self.query_one("#title", Bar).show(summary)
        self._show_item()

    def _show_item(self) -> None:
        item = self.lines.current()
        summary = f"{self._unread[0]}" if self._unread else ""
        more = f"   (and {len(self._unread) - 1} more)" if len(self._unread) > 1 else ""
        if not summary and item is not None:
            what = f"{item.device} {target_text(item.kind, item.target)}"
            summary = f"{what}: {item.applied} was applied, now it is {item.observed}"
        self.query_one("#detail", Bar).show(
            Text(f" {summary}{more}", "bold" if self._unread else "")
        )

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Show the details of the line under the cursor."""
        event.stop()
        self._show_item()

    # --- keys ---

    @work(group="check", exclusive=True)
    async def action_check(self) -> None:
        """Read all devices, and show what differs from what was applied."""
        self.say("checking all devices …")
        outcome = await self.send([Call("drift.check")])
        if outcome.ok:
            self._unread = unreachable(outcome.results[-1])
            self._draw()

    @in_turn
    async def action_repair(self, everything: bool) -> None:
        """Start the job that restores what was applied, after a question."""
        item = self.lines.current()
        inventory = self.session.inventory
        if everything:
            await repair(self, None)
        elif item is None or item.device not in inventory.switches:
            self.fail("There is no switch on this line: r repairs all.")
        else:
            await repair(self, item.device)

    def under_cursor(self) -> Ref | None:
        """The port or the headnode that drifted, else its device."""
        item, inventory = self.lines.current(), self.session.inventory
        if item is None:
            return None
        project, _, name = item.target.rpartition("/")
        if item.kind == "port":
            return port_ref(item.device, item.target)
        if item.kind == "headnode" and (project, name) in inventory.headnodes:
            return Ref("headnode", item.target)
        return Ref("switch", item.device) if item.device in inventory.switches else None

    def action_open(self) -> None:
        """Show all of the port that drifted, or of the device."""
        item = self.lines.current()
        if item is None:
            self.fail("There is nothing under the cursor.")
        elif (ref := self.under_cursor()) is None:
            self.fail(f"Nothing more is known of {item.device} {item.target}.")
        else:
            self.console.navigation.open_details(ref)

    def action_open_switch(self) -> None:
        """Show the face plate, at the port that drifted."""
        item = self.lines.current()
        if item is None or item.device not in self.session.inventory.switches:
            self.fail("There is no switch on this line.")
            return
        port = item.target if item.kind == "port" else None
        self.console.navigation.open_switch(item.device, port)

    def action_copy(self) -> None:
        """Copy the line under the cursor."""
        item = self.lines.current()
        if item is not None:
            self.console.copy(f"{item.device} {item.target}: {item.applied} -> {item.observed}")
