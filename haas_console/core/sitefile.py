"""Site files on the client's disk: read as text, written exactly as the daemon sent them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from haas_console.core import files
from haas_console.core.commands import Call, ImportSite
from haas_console.core.errors import DeniedError

Ask = Callable[[str], Awaitable[Any]]
"""Calls a method without params."""


async def import_call(command: ImportSite, ask: Ask) -> Call:
    """Read the file into a call, if the user may make it.

    Raises ConsoleError, which names the file, and DeniedError before the file is opened.
    """
    if not (await ask("system.info"))["admin"]:
        message = "Only an admin may call site.import."
        raise DeniedError(-32001, message, {"kind": "denied"})
    return Call("site.import", {**command.params, "site": files.read_text(command.file)})
