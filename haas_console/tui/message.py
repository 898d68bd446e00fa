"""The message at the bottom of a screen."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from rich.text import Text
from textual.screen import Screen

from haas_console.core.session import Session
from haas_console.tui.bars import Bar
from haas_console.tui.lines import Lines


def stays(screen: Screen[None], session: Session) -> Callable[[], bool]:
    """A cause that holds until the user chooses another line, side or project."""

    def place() -> tuple[object, ...]:
        focused = screen.focused if screen.is_attached else None
        cursor = focused.cursor if isinstance(focused, Lines) else None
        return (session.project, focused if cursor is not None else None, cursor)

    now = place()
    return lambda: place() == now


class MessageLine:
    """Shows a message in a bar; a long one also takes the line above, until the next key."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self.text = Text("")
        """The whole message."""
        self.cause: Callable[[], bool] | None = None
        """Returns whether the message still holds; None: it stays until another one."""
        self.above: Text | None = None
        """Its first half, for the line above; None if it fits one line."""

    def show(self, text: Text, width: int, cause: Callable[[], bool] | None = None) -> None:
        """Show a message, in at most two lines of so many cells, while its ``cause`` holds."""
        self.text, self.above, self.cause = text, None, cause
        if 0 < width < text.cell_len:
            first, *rest = textwrap.wrap(
                text.plain, width - 1, subsequent_indent="   ", max_lines=2, placeholder=" …"
            )
            if rest:
                self.above, text = Text(first, text.style), Text(rest[0], text.style)
        self._bar.show(text)

    def drop_if_over(self) -> bool:
        """Remove the message if its cause has gone; return whether it was removed."""
        if self.cause is None or self.cause():
            return False
        self.show(Text(""), 0)
        return True

    def shorten(self) -> bool:
        """Give the line above back; False if it was not taken."""
        if self.above is None:
            return False
        self.above = None
        self._bar.show(self.text)
        return True
