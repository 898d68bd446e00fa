"""Who calls a method, and what limits the way it came in sets."""

from __future__ import annotations

from typing import Literal

import msgspec

from haas_schemas.project import MemberRole

Right = Literal["user", "reader", "member", "owner", "admin"]
"""What a method requires of its caller: to be known; a role in the project that it is about; to be
an admin."""


class Bound(msgspec.Struct, frozen=True):
    """The one project that a caller may act for, and its role there."""

    project_id: int
    role: MemberRole


class Caller(msgspec.Struct, frozen=True):
    """An authenticated user.

    ``admin`` is false if the caller came with a token that is bound to one project, whoever owns
    the token. ``token_id`` and ``expires`` (seconds since the epoch) are those of the token.
    """

    user: str
    admin: bool
    via: str = "socket"
    """How it came in, for the audit trail: ``socket, uid N``, ``token LABEL`` or ``daemon``."""
    readonly: bool = False
    bound: Bound | None = None
    token_id: int | None = None
    expires: float | None = None
    by_system: bool = False
    """True if the operating system makes it an admin, whatever the database says."""
    needs: Right = "user"
    """What the method that is being run requires."""


DAEMON = Caller(user="haas-rpcd", admin=True, via="daemon")
"""The daemon itself, for jobs that it starts on its own."""
