"""The script for several changes: lines in order, each with the changes that it serves.

Lines are sent ahead of the answers to those before them (see `session.Session.run`). Barriers keep
this safe: a line with a *barrier* is sent only after every line before it was answered without an
error. Lines that open a port, or that let a half-configured port carry something, have a barrier.
So after a refused line, ports are shut or carry what they carried before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Effect = Literal["", "shuts", "opens", "commits"]
"""What lines do that something must be read back for: see :mod:`haas_rpcd.drivers.switch.parts`.

``shuts``: they shut ports, which would carry something they must not if they stayed open. The ports
are read after these lines. ``opens``: they open ports, which are read before. ``commits``: they
activate what is prepared in a candidate."""


class Block(NamedTuple):
    """Lines that belong together, and the indexes of the changes that they serve, sorted.

    ``enter`` opens a context (``interface range …``) and ``leave`` closes it; both may be empty. If
    the next block has the same context, it continues in it.
    """

    changes: tuple[int, ...]
    lines: tuple[str, ...]
    enter: str = ""
    leave: str = ""
    effect: Effect = ""


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
    effect: Effect = ""


def script(stages: Iterable[Stage]) -> list[Line]:
    """Concatenate stages; the first line of each has a barrier.

    After a stage that shuts ports, and before one that opens some, no context stays open, as the
    ports are read then.
    """
    lines: list[Line] = []
    open_context = _NO_CONTEXT
    shown_at = 0
    for stage in stages:
        if _has(stage, "opens"):
            _leave(open_context, lines, shown_at)
            open_context = _NO_CONTEXT
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
                lines.append(Line(text, block.changes, shown_at, barrier, block.effect))
                barrier = False
            open_context = block
        if _has(stage, "shuts"):
            _leave(open_context, lines, shown_at)
            open_context = _NO_CONTEXT
    _leave(open_context, lines, shown_at)
    return lines


def _has(stage: Stage, effect: Effect) -> bool:
    return any(block.effect == effect for block in stage)


def _leave(context: Block, lines: list[Line], shown_at: int) -> None:
    if context.leave:
        lines.append(Line(context.leave, context.changes, shown_at, barrier=False))
