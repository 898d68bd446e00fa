"""HTTP and WebSocket on the Unix socket, and the peer's identity."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from pathlib import Path
from typing import IO

from aiohttp import web

from haas_rpcd.auth import Caller, Peer, peer_of
from haas_rpcd.auth.peer import os_user
from haas_rpcd.errors import DeniedError, HaasError, UnavailableError
from haas_rpcd.methods.access import sees_project
from haas_rpcd.methods.call import Call, Context
from haas_rpcd.methods.registry import METHODS
from haas_rpcd.rpc.connection import Connection
from haas_rpcd.rpc.dispatch import Dispatcher

log = logging.getLogger(__name__)

MAX_MESSAGE = 16 * 2**20
"""Bytes in one message. A site file of 10,000 nodes is about 3 MB."""


class SocketError(Exception):
    """The socket cannot be served: another daemon serves it, or its folder does not exist."""


class Server:
    """Serves the API. The socket's mode is 0666, because peer credentials decide who gets in."""

    def __init__(self, context: Context, socket: Path) -> None:
        self._context = context
        self._socket = socket
        self._dispatcher = Dispatcher(METHODS)
        self._runner: web.AppRunner | None = None
        self._lock: IO[str] | None = None
        self._listening = False

    def claim(self) -> None:
        """Lock the socket. Call it before touching anything, to be the only daemon that does.

        Raises SocketError if another daemon serves it.
        """
        if self._lock is None:
            self._lock = self._take_lock()

    async def start(self) -> None:
        """Listen. Raises SocketError, OSError."""
        self.claim()
        app = web.Application(client_max_size=MAX_MESSAGE)
        app.router.add_post("/rpc", self._post)
        app.router.add_get("/rpc", self._websocket)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.UnixSite(self._runner, str(self._socket))
        mask = os.umask(0o111)  # before bind, so that the socket never has another mode
        try:
            await site.start()
        finally:
            os.umask(mask)
        self._listening = True

    async def stop(self) -> None:
        """Stop listening, close all connections, and remove the socket."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._listening:  # otherwise the file at this path is not ours
            self._socket.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def _take_lock(self) -> IO[str]:
        """Hold a lock file beside the socket: asyncio replaces even a socket that is in use."""
        try:
            lock = open(f"{self._socket}.lock", "w")  # noqa: SIM115 - held while serving
        except OSError as error:
            raise SocketError(
                f"{self._socket} can't be served ({error.strerror}): check that its folder exists"
                " and that haas-rpcd may write there."
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise SocketError(
                f"Another haas-rpcd serves {self._socket}: stop that one, or name another socket"
                " with --socket PATH."
            ) from None
        return lock

    # --- requests ---------------------------------------------------------------------------------

    async def _post(self, request: web.Request) -> web.Response:
        message = await request.read()
        if request.transport is None:
            return web.Response()  # the client has disconnected
        response = await self._answer(message, _peer(request.transport))
        if response is None:
            return web.Response(status=204)
        return web.Response(text=response, content_type="application/json")

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30.0, max_msg_size=MAX_MESSAGE)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket  # the client has disconnected
        peer = _peer(transport)
        connection = Connection(
            socket,
            self._context.events,
            user=os_user(peer.uid),
            may_see=self._may_see,
            abort=transport.abort,
        )

        async def answer(text: str | bytes, subscriber: Connection) -> str | None:
            return await self._answer(text, peer, subscriber)

        await connection.serve(answer)
        return socket

    async def _answer(
        self, message: str | bytes, peer: Peer, subscriber: Connection | None = None
    ) -> str | None:
        caller = await self._caller(peer)
        if isinstance(caller, HaasError):
            return await self._dispatcher.answer(message, caller)
        call = Call(context=self._context, caller=caller, subscriber=subscriber)
        return await self._dispatcher.answer(message, call)

    async def _caller(self, peer: Peer) -> Caller | HaasError:
        try:
            return await self._context.store.read(self._context.authenticator.of_peer, peer)
        except (DeniedError, UnavailableError) as error:
            return error

    async def _may_see(self, caller: Caller, project: str) -> bool:
        return await self._context.store.read(sees_project, caller, project)


def _peer(transport: asyncio.BaseTransport) -> Peer:
    """Return who is at the other end."""
    return peer_of(transport.get_extra_info("socket"))
