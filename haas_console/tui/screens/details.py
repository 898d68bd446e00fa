"""Details of one object, with links that Enter follows; Esc and ``[`` go back, ``]`` forward."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import msgspec
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.details import Answers, audited_as, details, record_of
from haas_console.core.objects import Ref
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.tui.bars import Bar
from haas_console.tui.factlines import NO_LINK, FactLines
from haas_console.tui.reading import Reader
from haas_console.tui.screen import ConsoleScreen
from haas_schemas.node import NicPort

_ASKED = ("node", "nic", "port")
"""The kinds of objects for which the daemon is asked for more than the inventory has."""


class Visit(msgspec.Struct):
    """An object that was shown, where its cursor was, and what the daemon said of it."""

    ref: Ref
    answers: Answers
    at: int | None = None


class DetailsScreen(ConsoleScreen):
    """What is known of one object. Following a link shows another in its place."""

    TITLE: ClassVar[str] = "Details"
    NAME = "details"
    AUTO_FOCUS = "#facts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="details.open"),
        Binding("left_square_bracket", "earlier", "Back", key_display="[", id="details.earlier"),
        Binding("right_square_bracket", "later", "Forward", key_display="]", id="details.later"),
        Binding("y", "copy", "Copy", id="details.copy"),
        Binding("Y", "json", "JSON", id="details.json"),
        Binding("escape", "back", "Back", id="details.back"),
    ]

    def __init__(self, session: Session, ref: Ref) -> None:
        super().__init__(session)
        self._visits = [Visit(ref, Answers())]
        self._number = 0
        self._reader = Reader(self)

    @property
    def visit(self) -> Visit:
        """What is shown."""
        return self._visits[self._number]

    @property
    def lines(self) -> FactLines:
        """The list of facts."""
        return self.query_one(FactLines)

    def compose_body(self) -> ComposeResult:
        """What it is, and its facts."""
        yield Bar(id="title")
        yield FactLines(id="facts")

    def on_mount(self) -> None:
        """Ask for what the inventory does not have."""
        super().on_mount()
        self._ask(self.visit)

    # --- showing ---

    def changed(self, changes: Changes) -> None:
        """Show the object as it is now."""
        if changes & {"node", "network", "headnode", "switch", "project", "job", "drift", "info"}:
            self._show()
        if "node" in changes and "info" not in changes and self.visit.ref.kind in _ASKED:
            self._ask(self.visit)

    def _show(self) -> None:
        visit, lines = self.visit, self.lines
        facts = details(self.session.inventory, visit.ref, visit.answers)
        known = lines.facts
        lines.show(facts, lines.cursor if known and visit.at is None else visit.at or 0)
        if visit.at is None and not known:
            lines.move_to(lines.first_link())
        visit.at = None if known else lines.cursor
        title = Text(f" {visit.ref.kind} ", "dim")
        title.append(visit.ref.name, "bold")
        if len(self._visits) > 1:
            title.append(f"   {self._number + 1} of {len(self._visits)} visited", "dim")
        self.query_one("#title", Bar).show(title)

    @work(group="details", exclusive=True)
    async def _ask(self, visit: Visit) -> None:
        await self._reader.read(self._fill(visit.ref, visit.answers), partial(self._ask, visit))
        if visit is self.visit:
            self._show()

    async def _fill(self, ref: Ref, answers: Answers) -> None:
        call = partial(self.session.sync.call, quiet=True)
        first, second = ref.pair
        if ref.kind == "nic":
            answers.shown = await call("nic.show", {"node": first, "nic": second})
        elif ref.kind == "node" and self._sees_cabling(first):
            answers.shown = await call("cabling.show", {"node": first})
        elif ref.kind == "port":
            answers.shown = await self._ask_port(first, second)
        newest = await call("audit.list", self._about(ref))
        answers.changed = next(iter(newest["items"]), None)

    def _sees_cabling(self, name: str) -> bool:
        """Whether this user may ask for the cabling of a node: admins, and whoever holds it."""
        info, node = self.session.inventory.info, self.session.inventory.nodes.get(name)
        return info is not None and (info.admin or (node is not None and node.project is not None))

    async def _ask_port(self, switch: str, port: str) -> Mapping[str, Any]:
        """Ask the daemon about a port; tenants get what concerns the nic behind it."""
        info, sync = self.session.inventory.info, self.session.sync
        params = {"switch": switch, "port": port}
        if info is not None and info.admin:
            found: Mapping[str, Any] = await sync.call("port.show", params, quiet=True)
            return found
        for node in self.session.inventory.nodes.values():
            for nic in node.nics:
                if NicPort(switch, port) in nic.legs:
                    names = {"node": node.node, "nic": nic.nic}
                    found = await sync.call("nic.show", names, quiet=True)
                    return found
        return {}

    def _about(self, ref: Ref) -> dict[str, Any]:
        """The params that ask for the newest change of an object."""
        params: dict[str, Any] = {"object": audited_as(ref), "newest": True, "limit": 1}
        info = self.session.inventory.info
        if info is not None and not info.admin:
            record = record_of(self.session.inventory, ref)
            project = getattr(record, "project", None) or self.session.project
            params["project"] = project
        return params

    # --- going on and back ---

    def on_fact_lines_opened(self, event: FactLines.Opened) -> None:
        """Follow the link that was clicked."""
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """Open what the line under the cursor is about."""
        link = self.lines.link
        if link is None:
            self.say(NO_LINK)
        else:
            self.visit.at = self.lines.cursor
            self.console.navigation.open_details(link)

    def under_cursor(self) -> Ref | None:
        """What is shown, on whatever line the cursor is."""
        return self.visit.ref

    def go(self, ref: Ref) -> None:
        """Show another object, and forget those that ``]`` would lead to."""
        self.visit.at = self.lines.cursor
        del self._visits[self._number + 1 :]
        self._visits.append(Visit(ref, Answers()))
        self._number += 1
        self._arrive()

    def _arrive(self) -> None:
        self._reader.forget()
        self.lines.facts = []
        self._show()
        self._ask(self.visit)

    def leave(self) -> None:
        """Go back to the object before, or to the screen from which the first was opened."""
        if self._number:
            self._move(-1)
        else:
            super().leave()

    def action_earlier(self) -> None:
        """Go back to the object before."""
        self.leave()

    def action_later(self) -> None:
        """Go forward again."""
        if self._number + 1 < len(self._visits):
            self._move(1)
        else:
            self.say("there is nothing to go forward to")

    def _move(self, by: int) -> None:
        self.visit.at = self.lines.cursor
        self._number += by
        self._arrive()

    # --- copying ---

    def action_copy(self) -> None:
        """Copy all lines."""
        facts = self.lines.facts
        title = self.visit.ref.title
        self.console.copy("\n".join([title, *(f"{f.name:13} {f.text}".rstrip() for f in facts)]))

    def action_json(self) -> None:
        """Show the object as JSON, as the API does."""
        visit = self.visit
        record = visit.answers.shown or record_of(self.session.inventory, visit.ref)
        text = json.dumps(msgspec.to_builtins(record), indent=1, ensure_ascii=False)
        self.console.navigation.read(visit.ref.title, text.splitlines())
