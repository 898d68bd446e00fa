"""Who calls a method, and what limits the way it came in sets."""

from __future__ import annotations

import msgspec


class Caller(msgspec.Struct, frozen=True):
    """An authenticated user."""

    user: str
    admin: bool


DAEMON = Caller(user="haas-rpcd", admin=True)
"""The daemon itself, for jobs that it starts on its own."""
