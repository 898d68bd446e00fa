"""A page of text to read: help, and what a command answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.session import Session
from haas_console.tui.lines import Lines, Part
from haas_console.tui.screen import ConsoleScreen


class Page(Lines):
    """Lines of plain text; one that begins with ``# `` is a heading."""

    def __init__(self, lines: Sequence[str], *, id: str) -> None:
        super().__init__(id=id)
        self.text = list(lines)

    def count(self) -> int:
        """A line for each."""
        return len(self.text)

    def parts(self, index: int, width: int) -> list[Part]:
        """The line itself."""
        line = self.text[index]
        if line.startswith("# "):
            return [(f" {line[2:]}", "head")]
        return [(f" {line}", "")]


class TextScreen(ConsoleScreen):
    """Shows some lines; Esc leaves them."""

    AUTO_FOCUS = "#page"
    NAME = "text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", id="text.copy"),
        Binding("escape", "back", "Back", id="text.back"),
    ]

    def __init__(self, session: Session, title: str, lines: Sequence[str]) -> None:
        super().__init__(session)
        self.TITLE = title  # type: ignore[misc]  # an instance's own
        self._lines = lines

    def compose_body(self) -> ComposeResult:
        """The page."""
        yield Page(self._lines, id="page")

    def action_copy(self) -> None:
        """Copy all of it."""
        self.console.copy("\n".join(self._lines))
