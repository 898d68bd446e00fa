"""The audit trail: who changed what, the newest first, by user, object, project and time."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import happened, tables
from haas_console.core.auditlist import Change, page_params
from haas_console.core.inventory import records
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.tui.prompt import filter_question
from haas_console.tui.reading import Reader
from haas_console.tui.screen import ConsoleScreen
from haas_console.tui.tablelines import TableLines
from haas_schemas.system import AuditRecord

PAGE = 200  # records that one request fetches


LOOKS = {"when": "dim", "who": "head", "came in by": "dim", "record": "dim"}


class AuditLines(TableLines[Change]):
    """One line for each record."""

    def __init__(self, *, id: str) -> None:
        super().__init__(tables.AUDIT, lambda change: change.record.id, id=id)

    @property
    def records(self) -> list[AuditRecord]:
        """The records that are shown."""
        return [change.record for change in self.items]

    def look(self, name: str, item: Change) -> str:
        """The style of a cell."""
        if name == "outcome":
            return "good" if item.record.outcome == "done" else "bad"
        return LOOKS.get(name, "")


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
        self._reader = Reader(self)
        self._next: str | None = None
        self._read_so_far: list[Change] = []

    def compose_body(self) -> ComposeResult:
        """The columns' names, and the list."""
        lines = AuditLines(id="audit")
        yield lines.header
        yield lines

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
        """The params of the request; None if the caller may see nothing."""
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
            self.lines.empty = "Whose? p on the board chooses a project."
            self.lines.show_items([])
            return
        page = await self._reader.read(
            self.session.sync.call("audit.list", {**params, **({"after": after} if after else {})}),
            self.action_refresh if after is None else None,
        )
        if page is None:
            return
        found = list(records(AuditRecord, page["items"]))
        self._next = page.get("next")
        changes = [Change(record) for record in found]
        self._read_so_far = [*self._read_so_far, *changes] if after else changes
        self._show()

    def _show(self) -> None:
        """Show what fits the filter of all that was read."""
        lines, known = self.lines, self._read_so_far
        fitting = happened.fitting(known, self.filter)
        more = ": o reads older ones" if self._next is not None else ""
        lines.empty = f"   no record fits{more}"
        lines.note = f"/{self.filter}  {len(fitting)}/{len(known)}" if self.filter else ""
        lines.show_items(fitting)

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
        change = self.lines.current()
        if change is not None:
            self.console.navigation.open_facts(f"Record {change.record.id}", change.facts)
