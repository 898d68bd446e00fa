"""The log: commands as lines of a script, the calls they made, and everybody's events."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.timeline import KINDS, TimelineEntry, timeline
from haas_console.tui.bars import Bar
from haas_console.tui.folds import SpareLines
from haas_console.tui.lines import Part
from haas_console.tui.prompt import filter_question
from haas_console.tui.screen import ConsoleScreen

PAUSE = 0.5  # seconds between two redraws, because each one moves all lines
SIGNS = {"command": "> ", "call": "  ", "event": "* "}
LOOKS = {"command": "head", "call": "", "event": "staged"}


class EventLines(SpareLines):
    """One line for each entry, the newest last."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.found: Sequence[TimelineEntry] = ()

    def show(self, found: Sequence[TimelineEntry]) -> None:
        """Show these entries; the cursor stays on its entry, or at the end if it was there."""
        last = self.cursor >= len(self.found) - 1
        current = self.current()
        self.found = found
        if last:
            self.cursor = max(0, len(found) - 1)
        elif current in found:
            self.cursor = found.index(current)
        self.changed()
        if last:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def current(self) -> TimelineEntry | None:
        """The entry under the cursor."""
        return self.found[self.cursor] if 0 <= self.cursor < len(self.found) else None

    def count(self) -> int:
        """One line for each."""
        return len(self.found)

    def parts(self, index: int, width: int) -> list[Part]:
        """The time, the duration, the text and the outcome."""
        each = self.found[index]
        when = time.strftime("%H:%M:%S", time.localtime(each.at))
        took = "" if each.ms is None else f"{each.ms:.1f} ms"
        return [
            (f" {when} {took:>9}  ", "dim"),
            (SIGNS[each.kind], LOOKS[each.kind]),
            (f"{each.text}  ", LOOKS[each.kind]),
            (each.note, "good" if each.ok else "bad"),
        ]


class EventsScreen(ConsoleScreen):
    """What was done here, the calls that this took, and what others did."""

    TITLE: ClassVar[str] = "Events"
    NAME = "events"
    AUTO_FOCUS = "#events"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "kind", "All/commands/calls/events", id="events.kind"),
        Binding("slash", "filter", "Filter", id="events.filter"),
        Binding("c,y", "copy", "Copy line", id="events.copy"),
        Binding("enter", "detail", "Details", id="events.detail"),
        Binding("escape", "back", "Back", id="events.back"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.kind = KINDS[0]
        self.filter = ""
        self._waits = False

    def compose_body(self) -> ComposeResult:
        """What kind of entries is shown, and the list."""
        yield Bar(id="events-title")
        yield EventLines(id="events")

    def changed(self, changes: Changes) -> None:
        """Show what happened since; a burst is shown at once."""
        if "info" in changes:
            self.show_events()
        elif changes & {"call", "command", "event"} and not self._waits:
            self._waits = True
            self.set_timer(PAUSE, self.show_events)

    def show_events(self) -> None:
        """Rebuild the lines."""
        self._waits = False
        found = timeline(self.session.sync.log, self.kind, self.filter)
        self.query_one(EventLines).show(found)
        title = Text(f" {self.kind}", "bold")
        title.append(f"  {len(found)}   > command   * event   others are calls", "dim")
        if self.filter:
            title.append(f"   /{self.filter}", "bold")
        self.query_one("#events-title", Bar).show(title)

    def action_kind(self) -> None:
        """Show only commands, only calls, only events, or all."""
        self.kind = KINDS[(KINDS.index(self.kind) + 1) % len(KINDS)]
        self.show_events()

    def action_copy(self) -> None:
        """Copy the line: a command is one that a script understands."""
        current = self.query_one(EventLines).current()
        if current is not None:
            self.console.copy(current.text)

    def action_detail(self) -> None:
        """Show all of what is under the cursor."""
        current = self.query_one(EventLines).current()
        if current is not None:
            self.console.navigation.read(current.kind, current.detail)

    def action_filter(self) -> None:
        """Show only lines with these words; ! inverts."""
        self.put(filter_question(self.filter, self._filter))

    def _filter(self, text: str, final: bool) -> None:
        self.filter = text.strip()
        self.show_events()
