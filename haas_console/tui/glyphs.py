"""Signs that say with a shape what colour says too; ASCII where the terminal knows no more."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Glyphs:
    """The signs of one terminal. ``states``: of jobs, of steps, and of a device's part of a job."""

    full: str
    empty: str
    open: str
    closed: str
    states: Mapping[str, str]

    def state(self, state: str) -> str:
        """The sign of a state."""
        return self.states.get(state, "?")

    def bar(self, done: int, total: int, width: int) -> str:
        """A bar of so many cells: ``[####....]``."""
        cells = max(1, width - 2)
        filled = min(cells, cells * done // total) if total else 0
        return f"[{self.full * filled}{self.empty * (cells - filled)}]"


UNICODE = Glyphs(
    full="█",
    empty="░",
    open="▾",
    closed="▸",
    states={
        "queued": "…",
        "waiting": "…",
        "pending": "·",
        "running": "▶",
        "sending": "▶",
        "sent": "▷",
        "succeeded": "✓",
        "done": "✓",
        "failed": "✗",
        "cancelled": "■",
        "skipped": "-",
        "interrupted": "!",
    },
)
ASCII = Glyphs(
    full="#",
    empty=".",
    open="v",
    closed=">",
    states={
        "queued": ".",
        "waiting": ".",
        "pending": ".",
        "running": ">",
        "sending": ">",
        "sent": ")",
        "succeeded": "+",
        "done": "+",
        "failed": "x",
        "cancelled": "#",
        "skipped": "-",
        "interrupted": "!",
    },
)

LOOKS: Mapping[str, str] = {
    "running": "staged",
    "sending": "staged",
    "sent": "staged",
    "succeeded": "good",
    "done": "good",
    "failed": "bad",
    "interrupted": "bad",
    "queued": "dim",
    "waiting": "dim",
    "pending": "dim",
    "cancelled": "dim",
    "skipped": "dim",
}
"""The style of a state, by its name in :mod:`haas_console.tui.lines`."""


@functools.cache
def glyphs() -> Glyphs:
    """The signs for this terminal, by the encoding that Python writes to it."""
    encoding = getattr(sys.__stdout__, "encoding", None) or "ascii"
    try:
        "█▾✓".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE
