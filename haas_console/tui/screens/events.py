"""The log: commands as lines of a script, the calls they made, and who changed what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import happened, tables
from haas_console.core.auditlist import Change, page_params
from haas_console.core.inventory import records
from haas_console.core.objects import Ref
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.timeline import KINDS, TimelineEntry, timeline
from haas_console.tui.lines import Part
from haas_console.tui.prompt import filter_question
from haas_console.tui.reading import Reader
from haas_console.tui.screen import ConsoleScreen
from haas_console.tui.tablelines import TableLines
from haas_schemas.system import AuditRecord

PAUSE = 0.5  # seconds between two redraws, because each one moves all lines
PAGE = 200  # records of the trail that one request fetches
SIGNS = {"command": ">", "call": " ", "event": "*"}
LOOKS = {"command": "head", "call": "", "event": "staged"}
NOTHING = "   nothing has happened yet"


class EventLines(TableLines[TimelineEntry]):
    """One line for each entry, the newest last unless a column is sorted by."""

    def __init__(self, *, id: str) -> None:
        super().__init__(tables.EVENTS, lambda entry: entry.key, id=id)
        self.empty = NOTHING

    def show_items(self, items: Sequence[TimelineEntry]) -> None:
        """Show these entries; the cursor stays on its entry, or at the end if it was there."""
        follows = self.sort is None and self.cursor >= len(self.items) - 1
        super().show_items(items)
        if follows and items:
            self.cursor = len(items) - 1
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
            self.redraw()

    def mark(self, item: TimelineEntry) -> Part:
        """The sign of its kind."""
        return SIGNS[item.kind], LOOKS[item.kind]

    def look(self, name: str, item: TimelineEntry) -> str:
        """The style of a cell."""
        match name:
            case "who":
                return "head"
            case "what":
                return LOOKS[item.kind]
            case "outcome":
                return "good" if item.ok else "bad"
            case "object":
                return ""
            case _:
                return "dim"


class EventsScreen(ConsoleScreen):
    """What was done here, the calls that this took, and what others did."""

    TITLE: ClassVar[str] = "Events"
    NAME = "events"
    AUTO_FOCUS = "#events"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="events.open"),
        Binding("v", "kind", "All/commands/calls/events", id="events.kind"),
        Binding("slash", "filter", "Filter", id="events.filter"),
        Binding("c,y", "copy", "Copy line", id="events.copy"),
        Binding("Y", "detail", "In full", id="events.detail"),
        Binding("escape", "back", "Back", id="events.back"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.kind = KINDS[0]
        self.filter = ""
        self._reader = Reader(self)
        self._waits = False
        self._is_behind = False
        """There are events since the trail was read."""
        self._trail: list[Change] = []

    def compose_body(self) -> ComposeResult:
        """What kind of entries is shown, and the list."""
        lines = EventLines(id="events")
        yield lines.header
        yield lines

    @property
    def lines(self) -> EventLines:
        """The list."""
        return self.query_one(EventLines)

    def changed(self, changes: Changes) -> None:
        """Show what happened since; a burst is shown at once."""
        if changes & {"info", "use"}:
            self.show_events()
            self._read_trail()
        elif changes & {"call", "command", "event"}:
            self._is_behind = self._is_behind or "event" in changes
            if not self._waits:
                self._waits = True
                self.set_timer(PAUSE, self._catch_up)

    def _catch_up(self) -> None:
        self._waits = False
        if not self.is_there:
            return
        self.show_events()
        if self._is_behind:
            self._is_behind = False
            self._read_trail()

    @work(group="trail", exclusive=True)
    async def _read_trail(self) -> None:
        """Read who caused the events, and what happened before the console was opened."""
        session, info = self.session, self.session.inventory.info
        if info is None:
            return
        asked = happened.asked(self.filter)
        params = page_params(asked, info.admin, session.project)
        if params is None:
            self._trail = []  # whose? a tenant sees only what is done in a project of its own
            return
        page = await self._reader.read(
            session.sync.call("audit.list", {**params, "limit": PAGE}, quiet=True),
            self._read_trail,
        )
        if page is None:
            return
        self._trail = [Change(record) for record in records(AuditRecord, page["items"])]
        self.show_events()

    def show_events(self) -> None:
        """Rebuild the lines."""
        inventory = self.session.inventory
        found = timeline(
            self.session.sync.log,
            self.kind,
            self.filter,
            user=inventory.info.user if inventory.info is not None else "",
            jobs=inventory.jobs,
            trail=self._trail,
        )
        lines, shown = self.lines, "" if self.kind == "all" else f"{self.kind} only"
        filtered = f"/{self.filter}  {len(found)}" if self.filter else ""
        lines.note = "   ".join(filter(None, (shown, filtered)))
        lines.empty = "   nothing fits" if lines.note else NOTHING
        lines.show_items(found)

    def action_kind(self) -> None:
        """Show only commands, only calls, only events, or all."""
        self.kind = KINDS[(KINDS.index(self.kind) + 1) % len(KINDS)]
        self.show_events()

    def action_copy(self) -> None:
        """Copy the line: a command is one that a script understands."""
        current = self.lines.current()
        if current is not None:
            self.console.copy(current.text)

    def under_cursor(self) -> Ref | None:
        """The object that the event is about."""
        current = self.lines.current()
        return current.ref if current is not None and current.kind == "event" else None

    def action_open(self) -> None:
        """Open the object that the event under the cursor is about; else all of the line."""
        if (ref := self.under_cursor()) is None:
            self.action_detail()
        else:
            self.console.navigation.open_details(ref)

    def action_detail(self) -> None:
        """Show all of what is under the cursor, with links to what it was about."""
        current = self.lines.current()
        if current is not None:
            self.console.navigation.open_facts(current.kind, current.facts)

    def action_filter(self) -> None:
        """Show what fits: words, user=, object=, node=, since=1h, until=, ~regex; ! inverts."""
        self.put(filter_question(self.filter, self._filter))

    def _filter(self, text: str, final: bool) -> None:
        try:
            asked = happened.asked(text)
        except ValueError as error:
            if final:
                self.fail(str(error))
            return
        before, self.filter = happened.asked(self.filter), text.strip()
        self.show_events()
        if final and asked != before:
            self._read_trail()
