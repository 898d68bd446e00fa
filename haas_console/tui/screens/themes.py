"""The choice of a theme: the screen behind shows each while the cursor moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from haas_console.tui.bars import Bar
from haas_console.tui.lines import ClickableLines, Lines, Part

_NOTES = {
    "haas-dark": "the usual one",
    "haas-light": "for light rooms",
    "ansi-dark": "the terminal's own colours",
    "ansi-light": "the terminal's own colours",
}


class ThemeLines(ClickableLines):
    """One line for each theme."""

    def __init__(self, names: Sequence[str], now: str) -> None:
        super().__init__(id="themes")
        self.names = names
        self.cursor = names.index(now) if now in names else 0

    def count(self) -> int:
        """One line for each."""
        return len(self.names)

    def parts(self, index: int, width: int) -> list[Part]:
        """Its name, and a note."""
        name = self.names[index]
        return [(f"  {name:20} ", ""), (_NOTES.get(name, ""), "dim")]


class ThemeScreen(ModalScreen[str | None]):
    """Gives the name of the theme to keep; None if the user goes back to the one before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "keep", "Keep", show=False),
        Binding("escape,q", "leave", "Leave", show=False),
    ]

    def __init__(self, names: Sequence[str], now: str) -> None:
        super().__init__()
        self._lines = ThemeLines(names, now)
        self._before = now

    def compose(self) -> ComposeResult:
        """What the keys do, and the names."""
        with Vertical(id="theme-box"):
            title = Bar(id="theme-title", classes="title")
            yield title
            yield self._lines

    def on_mount(self) -> None:
        """Begin at the theme that is in use."""
        self._lines.focus(scroll_visible=False)
        self.call_after_refresh(self._lines.reveal)
        bar = self.query_one("#theme-title", Bar)
        self.call_after_refresh(bar.show, Text(" Theme   enter keeps it, esc goes back"))

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Show the theme under the cursor."""
        event.stop()
        self.app.theme = self._lines.names[self._lines.cursor]

    def action_keep(self) -> None:
        """Keep the theme under the cursor."""
        self.dismiss(self._lines.names[self._lines.cursor])

    def action_leave(self) -> None:
        """Go back to the theme before."""
        self.app.theme = self._before
        self.dismiss(None)
