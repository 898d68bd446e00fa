"""The part of a line that has changed, so that only that is sent."""

from __future__ import annotations

from textual.strip import Strip


def changed_span(old: Strip | None, new: Strip) -> tuple[int, int] | None:
    """The first cell that differs and the number of cells from there; None if nothing differs."""
    if old == new:
        return None
    width = new.cell_length
    if old is None or old.cell_length != width or not (_plain(old) and _plain(new)):
        return (0, width)
    before, after = _cells(old), _cells(new)
    differing = [x for x in range(width) if before[x] != after[x]]
    if not differing:
        return None
    return (differing[0], differing[-1] + 1 - differing[0])


def _plain(strip: Strip) -> bool:
    """Whether each character takes one cell."""
    return len(strip.text) == strip.cell_length


def _cells(strip: Strip) -> list[tuple[str, object]]:
    return [(letter, style) for text, style, _ in strip for letter in text]
