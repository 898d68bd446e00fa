"""The daemon itself, its site file and its audit trail."""

from __future__ import annotations

from typing import Any

import msgspec

from haas_schemas.project import MemberRole


class SystemInfo(msgspec.Struct, frozen=True):
    """The daemon, and who is asking. ``uptime`` is in seconds.

    ``roles`` are the caller's in its projects; ``readonly``: it may change nothing; ``via``: how it
    came in, ``socket`` or ``token LABEL``.
    """

    name: str
    version: str
    user: str
    admin: bool
    projects: tuple[str, ...]
    pool: str
    master: bool
    images: tuple[str, ...]
    dialects: tuple[str, ...]
    demo: bool
    uptime: float
    roles: dict[str, MemberRole] = {}
    readonly: bool = False
    via: str = "socket"


class SiteChanges(msgspec.Struct, frozen=True):
    """What a site import changed, or would change, e.g. ``node node-1``."""

    dry_run: bool
    created: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: int


class SiteText(msgspec.Struct, frozen=True):
    """The inventory as the text of a site file (TOML)."""

    site: str


class AuditRecord(msgspec.Struct, frozen=True):
    """Who asked for which change, when, and with what outcome. Never holds a secret."""

    id: int
    time: str
    user: str
    method: str
    project: str | None
    params: dict[str, Any]
    outcome: str
    message: str | None
