"""A few facts about something that happened, with links to what it was about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.facts import Fact
from haas_console.core.session import Session
from haas_console.tui.factlines import NO_LINK, FactLines
from haas_console.tui.screen import ConsoleScreen


class FactsScreen(ConsoleScreen):
    """Facts that stay as they are; Enter follows a link, Esc comes back."""

    NAME = "facts"
    AUTO_FOCUS = "#facts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="facts.open"),
        Binding("y", "copy", "Copy", id="facts.copy"),
        Binding("escape", "back", "Back", id="facts.back"),
    ]

    def __init__(
        self, session: Session, title: str, facts: Sequence[Fact], secret: str | None = None
    ) -> None:
        super().__init__(session)
        self.TITLE = title  # type: ignore[misc]  # an instance's own
        self._secret = secret
        self._facts = list(facts)

    def compose_body(self) -> ComposeResult:
        """One list."""
        yield FactLines(id="facts")

    def on_mount(self) -> None:
        """Begin on the first link."""
        super().on_mount()
        lines = self.query_one(FactLines)
        lines.show(self._facts, 0)
        lines.cursor = lines.first_link()

    def on_fact_lines_opened(self, event: FactLines.Opened) -> None:
        """Follow the link that was clicked."""
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """Open what the line under the cursor is about."""
        link = self.query_one(FactLines).link
        if link is None:
            self.say(NO_LINK)
        else:
            self.console.navigation.open_details(link)

    def action_copy(self) -> None:
        """Copy all lines, or the secret alone."""
        if self._secret is not None:
            self.console.copy(self._secret, secret=True)
            return
        self.console.copy("\n".join(f"{fact.name:13} {fact.text}".rstrip() for fact in self._facts))
