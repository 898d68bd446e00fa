"""Counts of the last hour, drawn as a line of bars. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

SPAN, PARTS = 300.0, 12  # seconds of each part of the hour, and how many parts
BARS = "▁▂▃▄▅▆▇█"


def in_parts(moments: Iterable[datetime], now: datetime) -> tuple[int, ...]:
    """Count moments by the part of the last hour that they are in, the oldest part first."""
    parts = [0] * PARTS
    for moment in moments:
        ago = (now - moment).total_seconds()
        if 0 <= ago < SPAN * PARTS:
            parts[PARTS - 1 - int(ago / SPAN)] += 1
    return tuple(parts)


def sparkline(counts: Sequence[int]) -> str:
    """Draw counts as bars, the highest as high as there is; nothing is the lowest bar."""
    highest = max(counts, default=0)
    if highest == 0:
        return BARS[0] * len(counts)
    top = len(BARS) - 1
    return "".join(BARS[0 if n == 0 else max(1, round(top * n / highest))] for n in counts)
