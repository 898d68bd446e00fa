"""A page of text: help, or the answer to a command."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.tui.lines import BAR, Lines, Part
from haas_console.tui.screen import ConsoleScreen


class Page(Lines):
    """Lines of plain text; those that begin with ``# `` are headings."""

    def __init__(self, lines: Sequence[str], *, id: str) -> None:
        super().__init__(id=id)
        self.text = list(lines)

    def show(self, lines: Sequence[str]) -> None:
        """Show other lines, or the same ones with other line breaks."""
        if lines != self.text:
            self.text = list(lines)
            self.changed()

    def count(self) -> int:
        """One line for each."""
        return len(self.text)

    def parts(self, index: int, width: int) -> list[Part]:
        """The line itself."""
        line = self.text[index]
        if line.startswith("# "):
            return [(f" {line[2:]}", "head")]
        return [(f" {line}", "")]


class TextScreen(ConsoleScreen):
    """Shows some lines until Esc. With ``indent``, long lines are wrapped and indented."""

    AUTO_FOCUS = "#page"
    NAME = "text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", id="text.copy"),
        Binding("escape", "back", "Back", id="text.back"),
    ]

    def __init__(
        self, session: Session, title: str, lines: Sequence[str], *, indent: int | None = None
    ) -> None:
        super().__init__(session)
        self.TITLE = title  # type: ignore[misc]  # an instance's own
        self._lines = lines
        self._indent = indent

    def compose_body(self) -> ComposeResult:
        """The page."""
        yield Page(self._lines, id="page")

    def changed(self, changes: Changes) -> None:
        """Fill the width."""
        if self._indent is not None and "info" in changes:
            width = max(40, self.size.width - BAR - 1)
            more = " " * self._indent
            broken = (
                textwrap.wrap(line, width, subsequent_indent=more, break_on_hyphens=False) or [""]
                for line in self._lines
            )
            self.query_one(Page).show([line for lines in broken for line in lines])

    def action_copy(self) -> None:
        """Copy all of it."""
        self.console.copy("\n".join(self._lines))
