"""Signs that say with a shape what colour says too; ASCII where the terminal knows no more."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


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
    """The signs for this terminal."""
    return UNICODE if knows_unicode(os.environ, coerced=bool(sys.flags.utf8_mode)) else ASCII


def knows_unicode(environ: Mapping[str, str], *, coerced: bool = False) -> bool:
    """Whether the terminal shows more than ASCII, by its locale: what tmux and mc go by, too.

    ``coerced``: Python was started in the C locale and has put C.UTF-8 into LC_CTYPE (PEP 538),
    which says nothing of the terminal. Where no locale is set, nobody has said that it does not.
    """
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environ.get(name, "").lower().replace("-", "")
        if value and not (coerced and name == "LC_CTYPE" and value == "c.utf8"):
            return "utf8" in value
    return True


_PLAIN = str.maketrans(
    "●○■▶▷▸▾→✓✗…·≠█▐░─╌│┌┐└┘├┤┬┴┼",
    "*o#>)>v>+x~.%#|.--|+++++++++",
)


class Plain(LineFilter):
    """Puts ASCII in the place of all else, a cell for a cell, whatever widget draws it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Write the segments of a line in ASCII."""
        return [
            segment if segment.text.isascii() else segment._replace(text=plain(segment.text))
            for segment in segments
        ]


def plain(text: str) -> str:
    """Write a text in ASCII, as many cells wide as it was."""
    known = text.translate(_PLAIN)
    return "".join(each if each.isascii() else "?" * cell_len(each) for each in known)
