"""Projects and users."""

from __future__ import annotations

import msgspec


class Project(msgspec.Struct, frozen=True):
    """A tenant, and how much it holds."""

    project: str
    members: tuple[str, ...]
    nodes: int
    networks: int
    headnodes: int


class User(msgspec.Struct, frozen=True):
    """A person; on the Unix socket, the OS user of the same name."""

    user: str
    admin: bool
    projects: tuple[str, ...]
