"""The lines that a job sends, beside its steps: as they are sent, then with the answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from textual.geometry import Size

from haas_console.core.sentlog import SentLog
from haas_console.tui.folds import SpareLines
from haas_console.tui.lines import Part

RATE = 400
"""Bytes that drawing may send each second, on the average."""

_SCROLLED = 45
"""About how many bytes each line costs when all are drawn anew."""


class SentLines(SpareLines, can_focus=False):
    """The end of what was sent; scrolls half a window at once, because all lines are drawn anew."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.cursor = -1  # no cursor
        self._journal = SentLog()
        self._said: Sequence[str] = ()
        self._quiet_until = 0.0

    def take(self, steps: Mapping[int, Mapping[str, Any]]) -> None:
        """Add the newly sent lines. A fast switch is followed in leaps, not line by line."""
        self._journal.take(steps)
        now = time.monotonic()
        if now >= self._quiet_until and not self._said:
            self.spent = 0
            self._show_end()
            self._quiet_until = now + self.spent / RATE

    def finish(self) -> None:
        """Show all that was sent: the job has ended."""
        if not self._said:
            self._show_end()

    def show_transcript(self, lines: Sequence[str]) -> None:
        """Show what switches answered, too, in place of only what was sent."""
        if lines:
            self._said = lines
            self._show_end()

    def _show_end(self) -> None:
        region, before = self.scrollable_content_region, self.scroll_offset.y
        self.virtual_size = Size(region.width, self.count())
        if region.height > 0 and self.count() > before + region.height:
            top = self.count() - region.height // 2
            self.scroll_to(y=min(top, self.max_scroll_y), animate=False, immediate=True)
            self.spent += _SCROLLED * region.height
        else:
            self.redraw()

    def count(self) -> int:
        """One for each line sent or answered."""
        return len(self._said) or len(self._journal.lines)

    def parts(self, index: int, width: int) -> list[Part]:
        """The device where it changes, and the line."""
        if self._said:
            line = self._said[index]
            if line.startswith("--- "):
                return [(f" {line.split()[1]}", "head")]
            return [(f"  {line}", "" if line.startswith(">") else "dim")]
        device, line = self._journal.lines[index]
        return [(f" {device}"[:14].ljust(14), "head"), (" > ", "dim"), (line, "")]
