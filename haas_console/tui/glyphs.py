"""Signs that say by shape what their colours say, in Unicode and in ASCII."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping

import msgspec
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


class Glyphs(msgspec.Struct, frozen=True):
    """The signs for one kind of terminal; ``states`` are those of jobs, steps and devices."""

    full: str
    empty: str
    open: str
    closed: str
    states: Mapping[str, str]

    def state(self, state: str) -> str:
        """The sign of a state."""
        return self.states.get(state, "?")

    def bar(self, done: int, total: int, width: int) -> str:
        """A progress bar, ``width`` cells wide: ``[####....]``."""
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
"""The style of each state: names of styles in :mod:`haas_console.tui.lines`."""


@functools.cache
def glyphs() -> Glyphs:
    """The signs for this terminal."""
    return UNICODE if knows_unicode(os.environ, coerced=bool(sys.flags.utf8_mode)) else ASCII


def knows_unicode(environ: Mapping[str, str], *, coerced: bool = False) -> bool:
    """Whether the terminal shows more than ASCII, judged by its locale as tmux and mc do.

    True if no locale is set. ``coerced``: Python was started in the C locale and has itself put
    C.UTF-8 into LC_CTYPE (PEP 538), so that this says nothing about the terminal.
    """
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environ.get(name, "").lower().replace("-", "")
        if value and not (coerced and name == "LC_CTYPE" and value == "c.utf8"):
            return "utf8" in value
    return True


_PLAIN = str.maketrans(
    "●○■▶▷▸▾→↑↓✓✗…·≠█▐▌░─╌│┌┐└┘├┤┬┴┼▁▂▃▄▅▆▇",
    "*o#>)>v>^v+x~.%#|>.--|+++++++++_.-:=+*",
)


class Plain(LineFilter):
    """Replaces whatever is not ASCII, cell by cell, in the output of all widgets."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Write the segments of a line in ASCII."""
        return [
            segment if segment.text.isascii() else segment._replace(text=plain(segment.text))
            for segment in segments
        ]


def plain(text: str) -> str:
    """Write a text in ASCII, with the same number of cells."""
    known = text.translate(_PLAIN)
    return "".join(each if each.isascii() else "?" * cell_len(each) for each in known)
