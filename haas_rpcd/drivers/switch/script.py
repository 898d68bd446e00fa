"""What is sent to a switch for several changes: lines in order, each with the changes it serves.

Lines are sent ahead of the answers to those before them (`session.Session.run`). What keeps that
safe is said here, by each line: a *guarded* line is sent only once every line before it was
answered without an error. Opening a port is guarded, and so is whatever lets a half-configured port
carry something; so a refused line leaves ports that are shut, or that carry what they carried.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Block(NamedTuple):
    """Lines that belong together, for one or several changes (their indexes, sorted).

    ``enter`` opens a context (``interface range …``), ``leave`` closes it again; both may be empty.
    The next block in the same context goes on in it.
    """

    changes: tuple[int, ...]
    lines: tuple[str, ...]
    enter: str = ""
    leave: str = ""


Stage = list[Block]
"""Blocks that may be sent without waiting for each other's answers."""


class Line(NamedTuple):
    """One line of a script."""

    text: str
    changes: tuple[int, ...]
    """The changes it serves: those that fail when it is refused."""
    shown: int
    """The change it is shown at: such that the lines of all changes, in order, are the script."""
    guarded: bool


def script(stages: Iterable[Stage]) -> list[Line]:
    """Put stages together: the first line of each is guarded."""
    lines: list[Line] = []
    inside = Block((), ())  # the context that the line before left open
    shown = 0
    for stage in stages:
        guarded = True
        for block in stage:
            shown = max(shown, *block.changes)
            texts: list[str] = []
            if block.enter != inside.enter:
                if inside.leave:
                    lines.append(Line(inside.leave, inside.changes, shown, guarded))
                    guarded = False
                texts += [block.enter] if block.enter else []
            for text in (*texts, *block.lines):
                lines.append(Line(text, block.changes, shown, guarded))
                guarded = False
            inside = block
    if inside.leave:
        lines.append(Line(inside.leave, inside.changes, shown, guarded=False))
    return lines
