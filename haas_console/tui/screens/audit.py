"""The audit trail: who changed what, the newest first, by user, object, project and time."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import happened
from haas_console.core.auditlist import Change, outcome, page_params, what
from haas_console.core.errors import ConsoleError
from haas_console.core.inventory import records
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.times import moment
from haas_console.tui.bars import Bar
from haas_console.tui.folds import SpareLines
from haas_console.tui.lines import ClickableLines, Part, cut
from haas_console.tui.prompt import filter_question
from haas_console.tui.screen import ConsoleScreen
from haas_schemas.system import AuditRecord

PAGE = 200  # records that one request fetches


class AuditLines(SpareLines, ClickableLines):
    """One line for each record."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.records: list[AuditRecord] = []

    def show(self, found: list[AuditRecord]) -> None:
        """Show these records; the cursor stays on its record."""
        current = self.current()
        self.records = found
        if current in found:
            self.cursor = found.index(current)
        self.changed()

    def current(self) -> AuditRecord | None:
        """The record under the cursor."""
        return self.records[self.cursor] if 0 <= self.cursor < len(self.records) else None

    def count(self) -> int:
        """One line for each."""
        return len(self.records)

    def title(self, width: int) -> str:
        """The names of the columns."""
        asked = cut("what", self._room(width))
        return f" {'when':14} {cut('who', 12)} {cut('came in by', 14)} {asked} outcome"

    def _room(self, width: int) -> int:
        return max(20, (width - 45) * 2 // 3)

    def parts(self, index: int, width: int) -> list[Part]:
        """When, who, how they came in, what was asked for, and what came of it."""
        record = self.records[index]
        refused = record.outcome != "done"
        return [
            (f" {moment(record.time):14} ", "dim"),
            (cut(record.user, 12) + " ", "head"),
            (cut(record.via, 14) + " ", "dim"),
            (cut(what(record), self._room(width)) + " ", ""),
            (outcome(record), "bad" if refused else "good"),
        ]


class AuditScreen(ConsoleScreen):
    """Who changed what. Tenants see the trail of the project in use."""

    TITLE: ClassVar[str] = "Audit"
    NAME = "audit"
    AUTO_FOCUS = "#audit"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="audit.filter"),
        Binding("enter", "open", "Open", id="audit.open"),
        Binding("o", "older", "Older", id="audit.older"),
        Binding("r", "refresh", "Read again", id="audit.refresh"),
        Binding("escape", "back", "Back", id="audit.back"),
    ]

    def __init__(self, session: Session, about: str = "") -> None:
        super().__init__(session)
        self.filter = about
        self._next: str | None = None
        self._read_so_far: list[Change] = []

    def compose_body(self) -> ComposeResult:
        """The columns' names, and the list."""
        yield Bar(id="title")
        yield AuditLines(id="audit")

    @property
    def lines(self) -> AuditLines:
        """The list."""
        return self.query_one(AuditLines)

    def changed(self, changes: Changes) -> None:
        """Read the trail when the screen opens, and when another project is used."""
        if changes & {"info", "use"}:
            self.action_refresh()

    # --- reading ---

    def _params(self) -> dict[str, Any] | None:
        """What to ask for; None if the caller may see nothing."""
        info = self.session.inventory.info
        if info is None:
            return None
        asked = happened.asked(self.filter)
        params = page_params(asked, info.admin, self.session.project)
        return None if params is None else {**params, "limit": PAGE}

    @work(group="audit", exclusive=True)
    async def action_refresh(self) -> None:
        """Read the newest records that fit the filter."""
        await self._read(None)

    @work(group="audit", exclusive=True)
    async def action_older(self) -> None:
        """Read the records before those that are shown."""
        if self._next is None:
            self.say("there are no older records")
        else:
            await self._read(self._next)

    async def _read(self, after: str | None) -> None:
        params = self._params()
        if params is None:
            self._title("Whose? p on the board chooses a project.")
            return
        try:
            page = await self.session.sync.call(
                "audit.list", {**params, **({"after": after} if after else {})}
            )
        except ConsoleError as error:
            self.fail(str(error))
            return
        found = list(records(AuditRecord, page["items"]))
        self._next = page.get("next")
        changes = [Change(record) for record in found]
        self._read_so_far = [*self._read_so_far, *changes] if after else changes
        self._show()

    def _show(self) -> None:
        """Show what fits the filter of all that was read."""
        fitting = happened.fitting(self._read_so_far, self.filter)
        self.lines.show([change.record for change in fitting])
        more = ": o reads older ones" if self._next is not None else ""
        self._title(None if fitting else f"   no record fits{more}")

    def _title(self, text: str | None) -> None:
        title = Text(self.lines.title(self.size.width) if text is None else text, "dim")
        if self.filter:
            counts = f"{self.lines.count()}/{len(self._read_so_far)}"
            title.append(f"   /{self.filter}  {counts}", "bold")
        self.query_one("#title", Bar).show(title)

    # --- keys ---

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
        self._show()
        if final and asked != before:
            self.action_refresh()

    def action_open(self) -> None:
        """Show the record under the cursor in full, with links to what it was about."""
        record = self.lines.current()
        if record is not None:
            self.console.navigation.open_facts(f"Record {record.id}", Change(record).facts)
