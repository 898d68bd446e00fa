"""Which daemon to use, and how."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from haas_console.core.config import DEFAULT_TIMEOUT, Config, Endpoint, choose_endpoint


class Target(msgspec.Struct, frozen=True):
    """A daemon; without an ``endpoint``, a demo daemon that is started for this purpose.

    ``token`` authenticates the user at a URL, ``timeout`` is how many seconds an answer may take.
    ``site`` is the site file of which the demo daemon serves a copy.
    """

    endpoint: Endpoint | None
    token: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    site: Path | None = None


def find_daemon(
    settings: Config,
    *,
    socket: str | None = None,
    url: str | None = None,
    context: str | None = None,
    ca_file: str | None = None,
    token: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Endpoint, str | None]:
    """Return the daemon that is meant, see :func:`choose_endpoint`, and the token for it, if any.

    A token is the one given, else that of HAAS_TOKEN, else the one that ``login`` keeps for the
    URL. Raises ConfigError.
    """
    endpoint = choose_endpoint(
        settings, socket=socket, url=url, context=context, ca_file=ca_file, environ=environ
    )
    token = token or environ.get("HAAS_TOKEN")
    if endpoint.url is not None:
        from haas_console.core import logins  # only for a URL

        if (kept := logins.find(endpoint.url, environ)) is not None:
            token = token or kept.token
            endpoint = replace(endpoint, ca_file=endpoint.ca_file or kept.ca_file)
    return endpoint, token
