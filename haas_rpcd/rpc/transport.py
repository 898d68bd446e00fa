"""HTTP and WebSocket on the Unix socket, and the peer's identity."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from aiohttp import web

from haas_rpcd.auth import Caller, Peer, peer_of
from haas_rpcd.auth.peer import os_user
from haas_rpcd.errors import DeniedError, HaasError, LimitedError, TooLargeError, UnavailableError
from haas_rpcd.methods.access import sees_project
from haas_rpcd.methods.call import Call, Context
from haas_rpcd.methods.registry import METHODS
from haas_rpcd.rpc import limits
from haas_rpcd.rpc.connection import Connection
from haas_rpcd.rpc.dispatch import Dispatcher, error_response
from haas_rpcd.rpc.gate import Admission, Gate, Visitor
from haas_rpcd.rpc.limits import Account, Accounts, Limits, limits_of
from haas_rpcd.store.turns import on_behalf_of

log = logging.getLogger(__name__)

_READ_BUFFER = 2**14
"""Bytes of a request that aiohttp keeps before it makes the client wait; it keeps twice as many."""


class SocketError(Exception):
    """The socket cannot be served: another daemon serves it, or its folder does not exist."""


class Server:
    """Serves the API. The socket's mode is 0666, because peer credentials decide who gets in."""

    def __init__(self, context: Context, socket: Path) -> None:
        self._context = context
        self._socket = socket
        self._dispatcher = Dispatcher(METHODS)
        self._accounts = Accounts()
        self._admission = Admission(0)
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
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
        self._admission.total = max(
            2 * limits.ADMIN_ROOM, limits.raise_file_limit() - limits.RESERVED_FILES
        )
        app = web.Application()
        app.router.add_post("/rpc", self._post)
        app.router.add_get("/rpc", self._websocket)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=1.0,
            auto_decompress=False,
            keepalive_timeout=limits.IDLE,
            read_bufsize=_READ_BUFFER,
        )
        await self._runner.setup()
        mask = os.umask(0o111)  # before bind, so that the socket never has another mode
        try:
            self._listener = await asyncio.get_running_loop().create_unix_server(
                self._gate, str(self._socket), backlog=128
            )
        finally:
            os.umask(mask)
        self._listening = True

    async def stop(self) -> None:
        """Stop listening, close all connections, and remove the socket."""
        if self._listener is not None:
            self._listener.close()
        await self._admission.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._listening:  # otherwise the file at this path is not ours
            self._socket.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def _take_lock(self) -> IO[str]:
        """Hold a lock file beside the socket: asyncio replaces even a socket that is in use.

        The folder may be one that others can write in, such as /tmp: a link is not followed, and
        what is there already is neither emptied nor somebody else's.
        """
        path = f"{self._socket}.lock"
        try:
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            lock = os.fdopen(number, "w")
        except OSError as error:
            raise SocketError(
                f"{self._socket} can't be served ({error.strerror}): check that its folder exists"
                " and that haas-rpcd may write there."
            ) from None
        found = os.fstat(lock.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            lock.close()
            raise SocketError(
                f"{path} belongs to somebody else: put the socket in a folder of the daemon's own."
            )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise SocketError(
                f"Another haas-rpcd serves {self._socket}: stop that one, or name another socket"
                " with --socket PATH."
            ) from None
        return lock

    # --- connections ------------------------------------------------------------------------------

    def _gate(self) -> Gate:
        assert self._runner is not None and self._runner.server is not None  # noqa: S101
        return Gate(self._admission, self._runner.server, self._visitor, self._is_known)

    def _visitor(self, transport: asyncio.Transport) -> Visitor:
        """Return whose connection this is, by what the kernel says of its peer."""
        uid = _peer(transport).uid
        admin = uid in (0, os.getuid())
        return Visitor(f"uid {uid}", limits.ADMIN if admin else limits.USER, admin=admin)

    async def _is_known(self, transport: asyncio.Transport) -> bool:
        return not isinstance(await self._caller(_peer(transport)), DeniedError)

    # --- requests ---------------------------------------------------------------------------------

    async def _post(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            return web.Response()  # the client has disconnected
        gate = _arrived(transport)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            error = TooLargeError("Send the body as it is: the daemon unpacks nothing.")
            return _closing(415, error)
        peer = _peer(transport)
        caller = await self._caller(peer)
        of_caller = limits_of(caller)
        with self._accounts.of(_name(caller, gate.key)) as account:
            try:
                with account.call(of_caller):
                    async with _body(request, account, of_caller) as message:
                        answer = await self._answer(message, caller, gate.key)
                    if answer is None:
                        return web.Response(status=204)
                    account.hold(len(answer), of_caller)
                    try:
                        return await _respond(request, answer)
                    finally:
                        account.release(len(answer))
            except TooLargeError as error:
                return _closing(413, error)
            except LimitedError as error:
                return _closing(503, error)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            return web.Response()  # the client has disconnected
        gate = _arrived(transport)
        peer = _peer(transport)
        caller = await self._caller(peer)
        socket = web.WebSocketResponse(
            heartbeat=30.0, max_msg_size=limits_of(caller).message, compress=False
        )
        await socket.prepare(request)
        with self._accounts.of(_name(caller, gate.key)) as account:

            async def answer(text: str | bytes, subscriber: Connection) -> bytes | None:
                caller = await self._caller(peer)
                of_caller = limits_of(caller)
                try:
                    with account.call(of_caller):
                        response = await self._answer(text, caller, gate.key, subscriber)
                    account.hold(len(response or b""), of_caller)
                except LimitedError as error:
                    response = error_response(error)
                    account.held += len(response)
                return response

            connection = Connection(
                socket,
                self._context.events,
                user=os_user(peer.uid),
                may_see=self._may_see,
                abort=transport.abort,
                release=account.release,
            )
            await connection.serve(answer)
        return socket

    async def _answer(
        self,
        message: str | bytes,
        caller: Caller | HaasError,
        key: str,
        subscriber: Connection | None = None,
    ) -> bytes | None:
        if isinstance(caller, HaasError):
            return await self._dispatcher.answer(message, caller)
        call = Call(context=self._context, caller=caller, subscriber=subscriber)
        with on_behalf_of(_name(caller, key)):
            return await self._dispatcher.answer(message, call)

    async def _caller(self, peer: Peer) -> Caller | HaasError:
        try:
            with on_behalf_of(f"uid {peer.uid}"):
                return await self._context.store.read(self._context.authenticator.of_peer, peer)
        except (DeniedError, UnavailableError) as error:
            return error

    async def _may_see(self, caller: Caller, project: str) -> bool:
        return await self._context.store.read(sees_project, caller, project)


def _name(caller: Caller | HaasError, key: str) -> str:
    """Return what a caller's requests are counted by: all its connections count together."""
    return key if isinstance(caller, HaasError) else f"user {caller.user}"


def _peer(transport: asyncio.BaseTransport) -> Peer:
    """Return who is at the other end."""
    return peer_of(transport.get_extra_info("socket"))


def _arrived(transport: asyncio.Transport) -> Gate:
    """Note that a connection's first request is there; return its gate."""
    gate = transport.get_protocol()
    assert isinstance(gate, Gate)  # noqa: S101 - each connection comes through one
    gate.arrived()
    return gate


@contextlib.asynccontextmanager
async def _body(request: web.Request, account: Account, of_caller: Limits) -> AsyncIterator[bytes]:
    """Read a body, and count it while it is in use. Raises TooLargeError, LimitedError."""
    too_large = TooLargeError(f"A message of yours may have {of_caller.message} bytes.")
    if (request.content_length or 0) > of_caller.message:
        raise too_large
    body = bytearray()
    try:
        try:
            async with asyncio.timeout(of_caller.body):
                async for chunk in request.content.iter_any():
                    if len(body) + len(chunk) > of_caller.message:
                        raise too_large
                    account.hold(len(chunk), of_caller)
                    body += chunk
        except TimeoutError:
            raise LimitedError("The request did not arrive in time: send it again.") from None
        yield bytes(body)
    finally:
        account.release(len(body))


async def _respond(request: web.Request, answer: bytes) -> web.StreamResponse:
    """Send an answer; cut off a client that does not take it."""
    response = web.Response(body=answer, content_type="application/json")
    try:
        async with asyncio.timeout(limits.WRITE):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    return response


def _closing(status: int, error: HaasError) -> web.Response:
    """Return an error's response after which the connection is closed, as it was not read whole."""
    response = web.Response(
        status=status, body=error_response(error), content_type="application/json"
    )
    response.force_close()
    return response
