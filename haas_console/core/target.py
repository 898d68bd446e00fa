"""Which daemon to use, and how."""

from __future__ import annotations

from pathlib import Path

import msgspec

from haas_console.core.config import DEFAULT_TIMEOUT, Endpoint


class Target(msgspec.Struct, frozen=True):
    """A daemon; without an ``endpoint``, a demo daemon that is started for this purpose.

    ``token`` authenticates the user at a URL, ``timeout`` is how many seconds an answer may take.
    ``site`` is the site file of which the demo daemon serves a copy.
    """

    endpoint: Endpoint | None
    token: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    site: Path | None = None
