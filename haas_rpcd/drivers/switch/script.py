"""The script for several changes: lines in order, each with the changes that it serves.

Lines are sent ahead of the answers to those before them (see `session.Session.run`). Barriers keep
this safe: a line with a *barrier* is sent only after every line before it was answered without an
error. Lines that open a port, or that let a half-configured port carry something, have a barrier.
So after a refused line, ports are shut or carry what they carried before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Block(NamedTuple):
    """Lines that belong together, and the indexes of the changes that they serve, sorted.

    ``enter`` opens a context (``interface range …``) and ``leave`` closes it; both may be empty. If
    the next block has the same context, it continues in it.
    """

    changes: tuple[int, ...]
    lines: tuple[str, ...]
    enter: str = ""
    leave: str = ""


_NO_CONTEXT = Block((), ())

Stage = list[Block]
"""Blocks that may be sent without waiting for each other's answers."""


class Line(NamedTuple):
    """One line of a script."""

    text: str
    changes: tuple[int, ...]
    """The changes that it serves: they fail if the line is refused."""
    shown_at: int
    """The change under which a preview lists it. Concatenating the lists of all changes gives the
    script in order."""
    barrier: bool


def shuts(text: str, shut_line: str) -> bool:
    """Return whether a line shuts a port: by ``shut_line`` alone, or behind its ``interface``."""
    if not shut_line:
        return False
    return text == shut_line or (text.startswith("interface ") and text.endswith(f" {shut_line}"))


def script(stages: Iterable[Stage], shut_line: str = "") -> list[Line]:
    """Concatenate stages; the first line of each has a barrier.

    After a stage that shuts ports no context stays open, as the ports are read then: see
    :mod:`haas_rpcd.drivers.switch.shutting`.
    """
    lines: list[Line] = []
    open_context = _NO_CONTEXT
    shown_at = 0
    for stage in stages:
        barrier = True
        for block in stage:
            shown_at = max(shown_at, *block.changes)
            texts: list[str] = []
            if block.enter != open_context.enter:
                if open_context.leave:
                    lines.append(Line(open_context.leave, open_context.changes, shown_at, barrier))
                    barrier = False
                texts += [block.enter] if block.enter else []
            for text in (*texts, *block.lines):
                lines.append(Line(text, block.changes, shown_at, barrier))
                barrier = False
            open_context = block
        if any(shuts(text, shut_line) for block in stage for text in block.lines):
            _leave(open_context, lines, shown_at)
            open_context = _NO_CONTEXT
    _leave(open_context, lines, shown_at)
    return lines


def _leave(context: Block, lines: list[Line], shown_at: int) -> None:
    if context.leave:
        lines.append(Line(context.leave, context.changes, shown_at, barrier=False))
