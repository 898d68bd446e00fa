"""The log: commands as lines of a script, the calls they made, and who changed what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import happened
from haas_console.core.auditlist import Change, page_params
from haas_console.core.errors import ConsoleError
from haas_console.core.inventory import records
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.timeline import KINDS, TimelineEntry, timeline
from haas_console.core.times import moment
from haas_console.tui.bars import Bar
from haas_console.tui.folds import SpareLines
from haas_console.tui.lines import ClickableLines, Part, cut
from haas_console.tui.prompt import filter_question
from haas_console.tui.screen import ConsoleScreen
from haas_schemas.system import AuditRecord

PAUSE = 0.5  # seconds between two redraws, because each one moves all lines
PAGE = 200  # records of the trail that one request fetches
WHO = 12  # cells of the longest name of a user
SIGNS = {"command": "> ", "call": "  ", "event": "* "}
LOOKS = {"command": "head", "call": "", "event": "staged"}


class EventLines(SpareLines, ClickableLines):
    """One line for each entry, the newest last."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.found: Sequence[TimelineEntry] = ()
        self._who = 0

    def show(self, found: Sequence[TimelineEntry]) -> None:
        """Show these entries; the cursor stays on its entry, or at the end if it was there."""
        last = self.cursor >= len(self.found) - 1
        current = self.current()
        self.found = found
        self._who = min(WHO, max((len(each.who) for each in found), default=0))
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
        """The time, the duration, who it was, the text and the outcome."""
        each = self.found[index]
        when = moment(datetime.fromtimestamp(each.at, UTC).isoformat())
        took = "" if each.ms is None else f"{each.ms:.1f} ms"
        return [
            (f" {when} {took:>9}  ", "dim"),
            (f"{cut(each.who, self._who)}  " if self._who else "", "head" if each.who else ""),
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
        self._waits = False
        self._is_behind = False
        """There are events since the trail was read."""
        self._trail: list[Change] = []

    def compose_body(self) -> ComposeResult:
        """What kind of entries is shown, and the list."""
        yield Bar(id="events-title")
        yield EventLines(id="events")

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
        try:
            page = await session.sync.call("audit.list", {**params, "limit": PAGE}, quiet=True)
        except ConsoleError as error:
            if session.sync.status.state == "live":
                self.fail(str(error))
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

    def action_open(self) -> None:
        """Open the object that the event under the cursor is about; else all of the line."""
        current = self.query_one(EventLines).current()
        ref = current.ref if current is not None and current.kind == "event" else None
        if ref is None:
            self.action_detail()
        else:
            self.console.navigation.open_details(ref)

    def action_detail(self) -> None:
        """Show all of what is under the cursor, with links to what it was about."""
        current = self.query_one(EventLines).current()
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
