"""``haas-console login URL`` and ``logout URL``: keeping a token for a daemon."""

from __future__ import annotations

import asyncio
import getpass
import sys
from typing import Any

from haas_console.batch.exitcodes import ExitCode
from haas_console.batch.output import Output
from haas_console.core import logins
from haas_console.core.config import Endpoint
from haas_console.core.errors import ConfigError


def log_in(endpoint: Endpoint, timeout: float, output: Output) -> int:
    """Ask for a token, try it, and keep it. It is read from the terminal or from stdin."""
    from haas_console.core.client import Client

    token = _ask(endpoint)

    async def who() -> dict[str, Any]:
        client = await Client.connect(endpoint, token=token, timeout=timeout)
        try:
            found: dict[str, Any] = await client.call("system.info")
            return found
        finally:
            await client.close()

    info = asyncio.run(who())
    where = logins.keep(endpoint.url or "", token, endpoint.ca_file)
    role = "an admin" if info["admin"] else "a tenant"
    output.lines([f"You are {info['user']}, {role}, at {endpoint}. The token is in {where}."])
    return ExitCode.DONE


def _ask(endpoint: Endpoint) -> str:
    if sys.stdin.isatty():
        token = getpass.getpass(f"Token for {endpoint} (of  token create LABEL ): ")
    else:
        token = sys.stdin.readline()
    token = token.strip()
    if not token or not token.isascii() or any(letter.isspace() for letter in token):
        raise ConfigError("that is no token; token create LABEL makes one, shown once")
    return token


def log_out(url: str, output: Output) -> int:
    """Remove the token of a daemon from this machine. It stays good until it is revoked."""
    if not logins.forget(url):
        raise ConfigError(f"there is no token for {url}")
    output.lines(["The token is gone from here; it is good until  token revoke LABEL"])
    return ExitCode.DONE
