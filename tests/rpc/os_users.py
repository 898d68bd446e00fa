"""Clients that run as other OS users, as the kernel tells the daemon (SO_PEERCRED, unix(7))."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from tests.rpc.listening import Client
from tests.rpc.small_site import SmallSite

MEMBER, OTHER, STRANGER = "nobody", "daemon", "bin"
"""Three OS users that every system has."""


class _AsUser(aiohttp.UnixConnector):
    """Connects with another effective uid. The kernel records it at connect(2), permanently."""

    def __init__(self, path: str, user: str) -> None:
        super().__init__(path)
        self._uid = pwd.getpwnam(user).pw_uid

    async def _create_connection(self, *_: Any) -> ResponseHandler:
        sock = socket.socket(socket.AF_UNIX)
        os.seteuid(self._uid)
        try:
            sock.connect(self.path)
        finally:
            os.seteuid(0)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_unix_connection(self._factory, sock=sock)
        return protocol


@asynccontextmanager
async def listening_as(site: SmallSite, user: str) -> AsyncIterator[Client]:
    """Connect a WebSocket client as an OS user."""
    async with (
        aiohttp.ClientSession(connector=_AsUser(site.settings.server.socket, user)) as http,
        http.ws_connect("http://haas/rpc") as websocket,
    ):
        client = Client(websocket)
        task = asyncio.create_task(client.listen())
        try:
            yield client
        finally:
            await websocket.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Return a directory that every OS user can enter, like /run/haas."""
    with tempfile.TemporaryDirectory(prefix="haas-") as name:
        os.chmod(name, 0o755)
        yield Path(name)
