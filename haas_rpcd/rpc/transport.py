"""HTTP and WebSocket, on the Unix socket and on TCP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from aiohttp import web, web_response

from haas_rpcd.auth import Caller, TooManyAttemptsError
from haas_rpcd.errors import DeniedError, HaasError, LimitedError, TooLargeError
from haas_rpcd.listen import listen_address
from haas_rpcd.looptime import LoopTurns
from haas_rpcd.methods.access import sees_project
from haas_rpcd.methods.call import Call, Context
from haas_rpcd.methods.registry import METHODS
from haas_rpcd.rpc import consoles, limits
from haas_rpcd.rpc.arrivals import Arrivals, peer
from haas_rpcd.rpc.connection import Connection
from haas_rpcd.rpc.dispatch import Dispatcher, error_response
from haas_rpcd.rpc.gate import Admission, Gate, Visitor
from haas_rpcd.rpc.http import closing, log_of_aiohttp, read_body, respond
from haas_rpcd.rpc.limits import Accounts, limits_of
from haas_rpcd.rpc.socketlock import SocketError, take_lock
from haas_rpcd.rpc.tls import Certificate, Handshakes, address_of
from haas_rpcd.store.turns import on_behalf_of

log = logging.getLogger(__name__)

_READ_BUFFER = 2**14
"""Bytes of a request that aiohttp keeps before it makes the client wait; it keeps twice as many."""


_LONGEST_TIMER = 86400.0 * 30
"""Seconds; asyncio's timers do not take more than some years."""


async def _without_versions(_: web.Request, response: web.StreamResponse) -> None:
    """Leave out the header that tells strangers the versions of Python and aiohttp."""
    response.headers.pop("Server", None)


def _name_no_versions() -> None:
    """Do so as well where aiohttp itself answers what is no HTTP, which calls no signal."""
    vars(web_response)["SERVER_SOFTWARE"] = "HaaS"


class Server:
    """Serves the API. The socket's mode is 0666, because peer credentials decide who gets in."""

    def __init__(
        self,
        context: Context,
        socket: Path,
        measure: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> None:
        self._context = context
        self._socket = socket
        self._dispatcher = Dispatcher(METHODS, measure)
        self._arrivals = Arrivals(context)
        self._accounts = Accounts()
        self._admission = Admission(0)
        self._openings = LoopTurns()
        self._runner: web.AppRunner | None = None
        self._listeners: list[asyncio.Server] = []
        self._handshakes: Handshakes | None = None
        self._lock: IO[str] | None = None
        self._listening = False

    def claim(self) -> None:
        """Lock the socket. Call it before touching anything, to be the only daemon that does.

        Raises SocketError if another daemon serves it.
        """
        if self._lock is None:
            self._lock = take_lock(self._socket)

    async def start(self) -> None:
        """Listen. Raises SocketError, ConfigError, OSError."""
        self.claim()
        self._admission.total = max(
            2 * limits.ADMIN_ROOM, limits.raise_file_limit() - limits.RESERVED_FILES
        )
        _name_no_versions()
        app = web.Application()
        app.on_response_prepare.append(_without_versions)
        app.router.add_post("/rpc", self._post)
        app.router.add_get("/rpc", self._websocket)
        app.router.add_get("/console/{ticket}", self._console)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=log_of_aiohttp(),
            shutdown_timeout=1.0,
            auto_decompress=False,
            keepalive_timeout=limits.IDLE,
            read_bufsize=_READ_BUFFER,
        )
        await self._runner.setup()
        mask = os.umask(0o111)  # before bind, so that the socket never has another mode
        try:
            listener = await asyncio.get_running_loop().create_unix_server(
                self._gate, str(self._socket), backlog=128
            )
        finally:
            os.umask(mask)
        self._listening = True
        self._listeners.append(listener)
        if self._context.settings.server.listen is not None:
            self._listeners.append(await self._listen_on_tcp(self._context.settings.server.listen))

    async def _listen_on_tcp(self, listen: str) -> asyncio.Server:
        server = self._context.settings.server
        entrance: Callable[[], asyncio.Protocol] = self._tcp_gate
        if server.tls_cert is not None:  # without one only on loopback, as config checks
            self._handshakes = Handshakes(Certificate(server), self._tcp_gate)
            entrance = self._handshakes.entrance
        host, port = listen_address(listen)
        try:
            return await asyncio.get_running_loop().create_server(entrance, host, port, backlog=128)
        except OSError as error:
            raise SocketError(
                f"[server] listen: {listen} can't be served ({error.strerror or error})."
            ) from None

    @property
    def tcp_addresses(self) -> list[tuple[str, int]]:
        """The addresses and ports that are listened on by TCP."""
        return [
            each.getsockname()[:2]
            for listener in self._listeners
            for each in listener.sockets
            if each.family != socket.AF_UNIX
        ]

    async def stop(self) -> None:
        """Stop listening, close all connections, and remove the socket."""
        for listener in self._listeners:
            listener.close()
        if self._handshakes is not None:
            await self._handshakes.close()
        await self._admission.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._listening:  # otherwise the file at this path is not ours
            self._socket.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    # --- connections ------------------------------------------------------------------------------

    def _gate(self) -> Gate:
        assert self._runner is not None and self._runner.server is not None  # noqa: S101
        return Gate(self._admission, self._runner.server, self._visitor, self._is_known)

    def _visitor(self, transport: asyncio.Transport) -> Visitor:
        """Return whose connection this is, by what the kernel says of its peer."""
        uid = peer(transport).uid
        admin = uid in (0, os.getuid())
        return Visitor(f"uid {uid}", limits.ADMIN if admin else limits.USER, admin=admin)

    async def _is_known(self, transport: asyncio.Transport) -> bool:
        return not isinstance(await self._arrivals.local(transport).caller(), DeniedError)

    def _tcp_gate(self) -> Gate:
        assert self._runner is not None and self._runner.server is not None  # noqa: S101
        return Gate(self._admission, self._runner.server, _tcp_visitor, _nobody_yet)

    # --- requests ---------------------------------------------------------------------------------

    async def _post(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            error = TooLargeError("Send the body as it is: the daemon unpacks nothing.")
            return closing(415, error)
        arrival = await self._arrivals.receive(request)
        if arrival is None:
            return web.Response()  # the client has disconnected
        if (refused := arrival.unauthorized) is not None:
            return _unauthorized(refused)
        caller, key = arrival.caller, arrival.key
        of_caller = limits_of(caller)
        with self._accounts.of(_name(caller, key)) as account:
            try:
                with account.call(of_caller):
                    async with read_body(request, account, of_caller) as message:
                        answer = await self._answer(message, caller, key)
                    if answer is None:
                        return web.Response(status=204)
                    account.hold(len(answer), of_caller)
                    try:
                        standby = self._context.standby()
                        age = standby.age if standby is not None else None
                        return await respond(request, answer, age)
                    finally:
                        account.release(len(answer))
            except TooLargeError as error:
                return closing(413, error)
            except LimitedError as error:
                return closing(503, error)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        arrival = await self._arrivals.receive(request)
        if arrival is None:
            return web.Response()  # the client has disconnected
        if (refused := arrival.unauthorized) is not None:
            return _unauthorized(refused)
        caller, key = arrival.caller, arrival.key
        websocket = web.WebSocketResponse(
            heartbeat=30.0, max_msg_size=limits_of(caller).message, compress=False
        )
        await self._openings.pace()  # each costs a millisecond or two
        await websocket.prepare(request)
        with self._accounts.of(_name(caller, key)) as account:

            async def answer(text: str | bytes, subscriber: Connection) -> bytes | None:
                caller = await self._arrivals.caller(arrival.identity, key)
                of_caller = limits_of(caller)
                try:
                    with account.call(of_caller):
                        response = await self._answer(text, caller, key, subscriber)
                    account.hold(len(response or b""), of_caller)
                except LimitedError as error:
                    response = error_response(error)
                    account.held += len(response)
                return response

            connection = Connection(
                websocket,
                self._context.events,
                user=caller.user if isinstance(caller, Caller) else "",
                token=caller.token_id if isinstance(caller, Caller) else None,
                may_see=self._may_see,
                abort=arrival.transport.abort,
                release=account.release,
            )
            with _until_expiry(caller, connection.end):
                await connection.serve(answer)
        return websocket

    async def _console(self, request: web.Request) -> web.StreamResponse:
        arrival = await self._arrivals.receive(request)
        if arrival is None:
            return web.Response()  # the client has disconnected
        caller = arrival.caller
        if isinstance(caller, HaasError):
            return _unauthorized(caller)
        return await consoles.answer(request, caller, self._context.consoles, _until_expiry)

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

    async def _may_see(self, caller: Caller, project: str) -> bool:
        return await self._context.store.read(sees_project, caller, project)


def _name(caller: Caller | HaasError, key: str) -> str:
    """Return what a caller's requests are counted by: all its connections count together."""
    return key if isinstance(caller, HaasError) else f"user {caller.user}"


def _tcp_visitor(transport: asyncio.Transport) -> Visitor:
    return Visitor(f"address {address_of(transport)}", limits.USER)


async def _nobody_yet(transport: asyncio.Transport) -> bool:
    """Admit a TCP connection: its first request must have a good token, or is its last."""
    return True


@contextlib.contextmanager
def _until_expiry(caller: Caller | HaasError, end: Callable[[bytes], None]) -> Iterator[None]:
    """Call ``end``, with the reason, when a caller's token expires."""
    expires = caller.expires if isinstance(caller, Caller) else None
    if expires is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(
        max(0.0, min(expires - time.time(), _LONGEST_TIMER)), end, b"the token expired"
    )
    try:
        yield
    finally:
        timer.cancel()


def _unauthorized(error: HaasError) -> web.Response:
    """Return the response to a token that is not good (RFC 6750, section 3); nothing was read."""
    if isinstance(error, TooManyAttemptsError):
        response = closing(429, error)
        response.headers["Retry-After"] = str(math.ceil(error.seconds))
        return response
    if not isinstance(error, DeniedError):
        return closing(503, error)
    response = closing(401, error)
    response.headers["WWW-Authenticate"] = "Bearer"
    return response
