"""What methods of several nouns return: pages of a list, and the result of a deletion."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Part of a list. Pass ``next`` as ``after`` to get the rest; null means this was the end."""

    items: tuple[T, ...]
    next: str | None = None


class Deleted(msgspec.Struct, frozen=True):
    """``deleted`` is false if the deletion is only staged for the next apply, as ``note`` says."""

    deleted: bool
    note: str | None = None


def timestamp(seconds: float | None) -> str | None:
    """Format seconds since the epoch as ISO 8601 in UTC with milliseconds."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
