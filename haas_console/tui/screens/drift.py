"""What drifted from what was applied, as a table, and its repair."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.commands import Call
from haas_console.core.contact import unread
from haas_console.core.devicetext import target_text, unreachable
from haas_console.core.gestures import count
from haas_console.core.natural import natural
from haas_console.core.portviews import DRIFTED
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.times import moment
from haas_console.tui.bars import Bar
from haas_console.tui.lines import BAR, ClickableLines, Lines, Part, cut
from haas_console.tui.repairing import repair
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_schemas.drift import DriftItem

COLUMNS = ("device", "target", "applied", "now", "project", "behind", "since")


class DriftLines(ClickableLines):
    """One line for each thing that drifted."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.items: list[DriftItem] = []
        self._widths: dict[str, int] = {}

    def show(self, items: list[DriftItem]) -> None:
        """Show these items; the cursor stays on its item."""
        current = self.current()
        self.items = items
        if current is not None:
            places = [(item.device, item.target) for item in items]
            place = (current.device, current.target)
            self.cursor = places.index(place) if place in places else self.cursor
        self._measure()
        self.changed()

    def current(self) -> DriftItem | None:
        """The item under the cursor."""
        return self.items[self.cursor] if 0 <= self.cursor < len(self.items) else None

    def on_resize(self) -> None:
        """Distribute the new width."""
        self._measure()
        super().on_resize()

    def _cells(self, item: DriftItem) -> dict[str, str]:
        return {
            "device": item.device,
            "target": target_text(item.kind, item.target),
            "applied": item.applied,
            "now": item.observed,
            "project": item.project or "-",
            "behind": item.behind or "-",
            "since": moment(item.since) if item.since else "-",
        }

    def _measure(self) -> None:
        """Make columns as wide as their texts; if they do not fit, narrow the widest."""
        shown = [self._cells(item) for item in self.items]
        found = {
            name: max(len(name), *(len(cells[name]) for cells in shown)) if shown else len(name)
            for name in COLUMNS
        }
        room = self.scrollable_content_region.width - BAR - 3 - 2 * len(COLUMNS)
        while sum(found.values()) > room > 0:
            widest = max((name for name in found if name != "since"), key=lambda n: found[n])
            if found[widest] <= 6:
                break
            found[widest] -= 1
        self._widths = found

    def title(self) -> str:
        """The names of the columns."""
        return "   " + "".join(cut(name, self._widths[name]) + "  " for name in COLUMNS)

    def count(self) -> int:
        """One line for each."""
        return len(self.items)

    def parts(self, index: int, width: int) -> list[Part]:
        """The sign, where it is, what was applied, what is there now, and whom it concerns."""
        looks = {"device": "head", "target": "head", "now": "drift", "since": "dim"}
        cells = self._cells(self.items[index])
        texts = ((cut(cells[name], self._widths[name]) + "  ", name) for name in COLUMNS)
        return [(f" {DRIFTED} ", "drift"), *((text, looks.get(name, "")) for text, name in texts)]


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
        Binding("enter", "open_switch", "Face plate", id="drift.open"),
        Binding("y", "copy", "Copy", id="drift.copy", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._unread: list[str] = []

    def compose_body(self) -> ComposeResult:
        """A summary, the columns' names, the list, and a line on the item under the cursor."""
        yield Bar(id="title")
        yield Bar(id="columns")
        yield DriftLines(id="drift")
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
        items = inventory.drift.values()
        lines.show(sorted(items, key=lambda i: (natural(i.device), i.kind, natural(i.target))))
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
        columns = lines.title() if lines.items else ""
        self.query_one("#columns", Bar).show(Text(columns, "dim"))
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
        """Read all devices, and see what differs from what was applied."""
        self.say("checking all devices …")
        outcome = await self.send([Call("drift.check")])
        if outcome.ok:
            self._unread = unreachable(outcome.results[-1])
            self._draw()

    @in_turn
    async def action_repair(self, everything: bool) -> None:
        """Start the job that makes what drifted what was applied, after a question."""
        item = self.lines.current()
        inventory = self.session.inventory
        if everything:
            await repair(self, None)
        elif item is None or item.device not in inventory.switches:
            self.fail("There is no switch on this line: r repairs all.")
        else:
            await repair(self, item.device)

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
