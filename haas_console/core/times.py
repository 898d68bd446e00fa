"""The daemon's times (RFC 3339, in UTC) and durations."""

from __future__ import annotations

import time
from datetime import datetime


def parsed(stamp: str) -> datetime:
    """Read a time."""
    return datetime.fromisoformat(stamp)


def seconds(stamp: str | None) -> float | None:
    """Read a time as seconds since the epoch."""
    return parsed(stamp).timestamp() if stamp else None


def elapsed(started: str | None, finished: str | None, now: float | None = None) -> float | None:
    """Seconds from the start to the end, or to ``now`` (epoch); None if it has not started."""
    begun, ended = seconds(started), seconds(finished)
    if begun is None:
        return None
    if ended is None:
        ended = time.time() if now is None else now
    return max(0.0, ended - begun)


def moment(stamp: str, *, exact: bool = True) -> str:
    """A time as the user's clock shows it, with the day if it is not today, and if ``exact``
    with seconds."""
    return moment_of(parsed(stamp).timestamp(), exact=exact)


def moment_of(at: float, *, exact: bool = True) -> str:
    """As :func:`moment`, for seconds since the epoch."""
    when, now = datetime.fromtimestamp(at), datetime.now()
    day = "" if when.date() == now.date() else "%m-%d "
    return when.strftime(f"{day}%H:%M:%S" if exact else f"{day}%H:%M")
