"""Bearer tokens."""

from __future__ import annotations

import msgspec


class Token(msgspec.Struct, frozen=True):
    """A token, without its secret.

    ``project``: the only project it is for; null: all of its user's. ``readonly``: it changes
    nothing. ``expires`` null: never. ``last_used`` is exact to a minute; null: never.
    """

    label: str
    user: str
    project: str | None
    readonly: bool
    created: str
    expires: str | None
    last_used: str | None


class NewToken(msgspec.Struct, frozen=True):
    """A new token. ``token`` is the secret, which cannot be shown again."""

    token: str
    label: str
    user: str
    project: str | None
    readonly: bool
    created: str
    expires: str | None
