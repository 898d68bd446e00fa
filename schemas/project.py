"""Projects and users."""

from __future__ import annotations

from typing import Literal

import msgspec

MemberRole = Literal["owner", "member", "reader"]
"""What a member may do for its project: read; also change what it holds; also choose members."""


class Quota(msgspec.Struct, frozen=True):
    """How many of each a project may hold; null: no limit."""

    nodes: int | None = None
    networks: int | None = None
    headnodes: int | None = None


class Project(msgspec.Struct, frozen=True):
    """A tenant, its members, and how much it holds.

    ``roles``: of each member. ``quota``: how much it may hold; null: no limits.
    """

    project: str
    members: tuple[str, ...]
    nodes: int
    networks: int
    headnodes: int
    roles: dict[str, MemberRole] = {}
    quota: Quota | None = None


class User(msgspec.Struct, frozen=True):
    """A person; on the Unix socket, the OS user of the same name."""

    user: str
    admin: bool
    projects: tuple[str, ...]
