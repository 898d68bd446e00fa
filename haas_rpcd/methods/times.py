"""Parses the times that callers give: ISO 8601, in UTC if no zone is given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from haas_rpcd.errors import InvalidParamsError

Time = Annotated[str, Meta(description="A time such as 2026-01-31T12:00:00Z.")]

_LATEST = 253402300799 - 86400
"""The end of the year 9999, after which no time can be written, less a day for time zones."""


def seconds(text: str, field: str) -> float:
    """Return a time in seconds since the epoch. Raises InvalidParamsError."""
    try:
        parsed = datetime.fromisoformat(text)
        moment = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        moment = -1.0
    if not 0 <= moment <= _LATEST:
        raise InvalidParamsError(
            f"{field}: must be a time such as 2026-01-31T12:00:00Z.", field=field
        )
    return moment


def in_future(text: str, field: str, now: float) -> float:
    """Return a time that is still to come. Raises InvalidParamsError."""
    moment = seconds(text, field)
    if moment <= now:
        raise InvalidParamsError(f"{field}: {text} has passed already.", field=field)
    return moment
