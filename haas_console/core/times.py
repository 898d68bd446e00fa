"""The daemon's times (RFC 3339, in UTC) and durations."""

from __future__ import annotations

import time
from datetime import datetime


def seconds(stamp: str | None) -> float | None:
    """Read a time as seconds since the epoch."""
    return datetime.fromisoformat(stamp).timestamp() if stamp else None


def elapsed(started: str | None, finished: str | None, now: float | None = None) -> float | None:
    """Seconds from the start to the end, or to ``now`` (epoch); None if it has not started."""
    begun, ended = seconds(started), seconds(finished)
    if begun is None:
        return None
    if ended is None:
        ended = time.time() if now is None else now
    return max(0.0, ended - begun)
