"""A connection to the daemon: calls and notifications on one WebSocket.

jsonrpcclient builds and parses the messages. It does not support notifications from a server, so
messages with a ``method`` are sorted out first. Answers are matched to calls by id.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, cast

import aiohttp
import jsonrpcclient

from haas_console.core.api import Api
from haas_console.core.config import DEFAULT_TIMEOUT, LOGIN, Endpoint
from haas_console.core.errors import (
    ConfigError,
    ConsoleError,
    DeniedError,
    LostDaemonError,
    NoDaemonError,
    RpcError,
    TooSlowError,
)
from haas_console.core.tasks import cancel_and_wait

CONNECT_TIMEOUT = 10.0
MAX_MESSAGE = 64 * 1024 * 1024  # bytes; an export of 10,000 nodes is about 5 MB
_UNREAD = 0.2  # seconds to read what arrived while this program was stopped (^Z) or busy
_HEARTBEAT = 20.0  # seconds between pings, without which a vanished host would go unnoticed
_CLOSE = 2.0  # seconds to wait for the daemon's closing handshake
_log = logging.getLogger(__name__)

Notification = tuple[str, dict[str, Any]]


class Inbox:
    """Notifications that have not been read yet, oldest first."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Notification | LostDaemonError] = asyncio.Queue()

    def put(self, item: Notification | LostDaemonError) -> None:
        """Add a notification, or the error after which none will follow."""
        self._queue.put_nowait(item)

    async def get(self) -> Notification:
        """Wait for the next ``(method, params)``; raises LostDaemonError after the last."""
        return self._checked(await self._queue.get())

    def take_all(self) -> Iterator[Notification]:
        """The notifications that are already there; raises LostDaemonError after the last."""
        while not self._queue.empty():
            yield self._checked(self._queue.get_nowait())

    @staticmethod
    def _checked(item: Notification | LostDaemonError) -> Notification:
        if isinstance(item, LostDaemonError):
            raise item
        return item


class Client:
    """One connection to a daemon, created by :meth:`connect`."""

    def __init__(
        self,
        endpoint: Endpoint,
        session: aiohttp.ClientSession,
        ws: aiohttp.ClientWebSocketResponse,
    ) -> None:
        self.endpoint = endpoint
        self.timeout = DEFAULT_TIMEOUT
        self._session = session
        self._ws = ws
        self._ids = iter(range(1, 2**53))
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._inboxes: list[Inbox] = []
        self._lost: LostDaemonError | None = None
        self._reader = asyncio.create_task(self._read(), name="haas-client-reader")

    @classmethod
    async def connect(
        cls, endpoint: Endpoint, *, token: str | None = None, timeout: float = DEFAULT_TIMEOUT
    ) -> Client:
        """Connect; an answer may later take ``timeout`` seconds.

        A token is sent to a URL only: a socket knows its caller.

        Raises NoDaemonError, or DeniedError if the daemon rejects the caller.
        """
        headers = {"Authorization": f"Bearer {token}"} if token and endpoint.url else {}
        session = aiohttp.ClientSession(connector=_connector(endpoint), headers=headers)
        base = endpoint.url or "http://localhost"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                ws = await session.ws_connect(
                    base.rstrip("/") + "/rpc",
                    max_msg_size=MAX_MESSAGE,
                    heartbeat=_HEARTBEAT,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE),
                )
        except BaseException as error:
            await session.close()
            if isinstance(error, aiohttp.ClientError | OSError | TimeoutError):
                raise _refusal(endpoint, error) from error
            raise
        client = cls(endpoint, session, ws)
        client.timeout = timeout
        return client

    @property
    def lost(self) -> bool:
        """The connection is closed or broken."""
        return self._lost is not None

    async def close(self) -> None:
        """Close the connection; pending calls fail."""
        self._lose(LostDaemonError("the connection was closed"))
        async with contextlib.AsyncExitStack() as stack:  # close everything even if cancelled
            stack.push_async_callback(self._session.close)
            stack.push_async_callback(cancel_and_wait, self._reader)
            await self._ws.close()

    # --- calls ---

    async def call(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> Any:
        """Call a method and return its result.

        Raises RpcError, or DeniedError, if the daemon refuses. Raises LostDaemonError if no answer
        arrives within ``timeout`` seconds or the connection breaks; the call may have been carried
        out then.
        """
        if self._lost is not None:
            raise self._lost
        number = next(self._ids)
        message = jsonrpcclient.request(method, dict(params or {}), id=number)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        limit = self.timeout if timeout is None else timeout
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    text = json.dumps(message, ensure_ascii=False, allow_nan=False)
                    await self._ws.send_str(text)
                    await asyncio.wait({answer})
            if not answer.done():
                await asyncio.wait({answer}, timeout=_UNREAD)
            if not answer.done():
                raise LostDaemonError(
                    f"{self.endpoint} did not answer {method} within {limit:g} s;"
                    " whether it was carried out is not known"
                )
            parsed = answer.result()
        except (ConnectionError, aiohttp.ClientError) as error:
            raise self._lost or LostDaemonError(
                f"the daemon on {self.endpoint} went away"
            ) from error
        finally:
            self._waiting.pop(number, None)
        if isinstance(parsed, jsonrpcclient.Ok):
            return parsed.result
        raise rpc_error(parsed.code, parsed.message, parsed.data)

    async def open_console(self, path: str) -> aiohttp.ClientWebSocketResponse:
        """Open the WebSocket that a console's ticket leads to. Raises LostDaemonError."""
        base = self.endpoint.url or "http://localhost"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                return await self._session.ws_connect(
                    base.rstrip("/") + path,
                    max_msg_size=MAX_MESSAGE,
                    heartbeat=_HEARTBEAT,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE),
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LostDaemonError(
                "the console can't be opened; you may have lost the right to it: try again"
            ) from error

    async def discover(self) -> Api:
        """Fetch the API that the daemon provides."""
        return Api(await self.call("rpc.discover"))

    # --- notifications ---

    @contextlib.contextmanager
    def notifications(self) -> Iterator[Inbox]:
        """Collect the notifications that arrive within the block.

        Enter it before subscribing, so that none is missed.
        """
        inbox = Inbox()
        self._inboxes.append(inbox)
        if self._lost is not None:
            inbox.put(self._lost)
        try:
            yield inbox
        finally:
            self._inboxes.remove(inbox)

    # --- the reading side ---

    async def _read(self) -> None:
        try:
            async for message in self._ws:
                if message.type == aiohttp.WSMsgType.TEXT:
                    self._route(message.data)
                elif message.type == aiohttp.WSMsgType.ERROR:
                    break
        finally:
            if self._ws.close_code == aiohttp.WSCloseCode.TRY_AGAIN_LATER:
                self._lose(TooSlowError(f"this end was too slow for the news of {self.endpoint}"))
            else:
                gone = f"the daemon on {self.endpoint} went away{_why(self._ws)}"
                self._lose(LostDaemonError(gone))

    def _route(self, text: str) -> None:
        try:
            message = json.loads(text)
            if "method" in message:
                for inbox in self._inboxes:
                    inbox.put((message["method"], message.get("params", {})))
                return
            parsed = cast("jsonrpcclient.Ok | jsonrpcclient.Error", jsonrpcclient.parse(message))
        except (ValueError, KeyError, TypeError):
            _log.warning("not a JSON-RPC message from %s: %.200s", self.endpoint, text)
            return
        answer = self._waiting.get(parsed.id)
        if parsed.id is None and len(self._waiting) == 1:
            # The daemon could not read the request (too large, say), so its answer has no id.
            answer = next(iter(self._waiting.values()))
        if answer is not None and not answer.done():
            answer.set_result(parsed)
        elif parsed.id is None:
            _log.warning("%s could not read a request: %s", self.endpoint, parsed)

    def _lose(self, error: LostDaemonError) -> None:
        if self._lost is not None:
            return
        self._lost = error
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self._lost)
                answer.exception()  # mark it as retrieved: its caller may be gone
        for inbox in self._inboxes:
            inbox.put(self._lost)


def rpc_error(code: int, message: str, data: Any) -> RpcError:
    """The exception for an error that the daemon returned."""
    extra = data if isinstance(data, dict) else {}
    kind = DeniedError if extra.get("kind") == "denied" else RpcError
    return kind(code, message, extra)


def _why(ws: aiohttp.ClientWebSocketResponse) -> str:
    """Why the connection was lost, if the WebSocket knows (RFC 6455, section 7.4.1)."""
    if ws.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
        return ": the message was too large for it"
    if isinstance(ws.exception(), aiohttp.ServerTimeoutError):
        return f": it answered no ping within {_HEARTBEAT / 2:g} s"
    return ""  # other exceptions only repeat this at socket level


def _connector(endpoint: Endpoint) -> aiohttp.BaseConnector:
    if endpoint.socket:
        return aiohttp.UnixConnector(path=endpoint.socket)
    try:
        context = ssl.create_default_context(
            cafile=endpoint.ca_file
        )  # None: the system's authorities
    except OSError as error:
        raise ConfigError(f"ca_file {endpoint.ca_file} cannot be used: {error}") from error
    return aiohttp.TCPConnector(ssl=context)


def _refusal(endpoint: Endpoint, error: BaseException) -> ConsoleError:
    """The error for a connection that failed: why, and what to do."""
    where = f"{endpoint} (from {endpoint.source})"
    if isinstance(error, aiohttp.WSServerHandshakeError):
        if error.status in (401, 403) and endpoint.source == LOGIN:
            return DeniedError(
                -32001,
                f"{endpoint} does not accept this token: it is wrong, was revoked, or has expired."
                " Make another with  token create LABEL  where you are let in, or ask an admin",
                {"kind": "denied"},
            )
        if error.status in (401, 403):
            log_in = f"run  haas-console login {endpoint.url}  with a token of yours"
            hint = f"{log_in}, or set HAAS_TOKEN" if endpoint.url else "ask an admin"
            return DeniedError(-32001, f"{where} does not let you in; {hint}", {"kind": "denied"})
        if error.status == 429:
            return NoDaemonError(
                f"{where} hears no tokens from this address for up to a minute, because too many"
                " were wrong: check yours, then try again"
            )
        if error.status == 503:
            return NoDaemonError(
                f"{where} takes no more connections of yours at the moment: close one, or try again"
            )
        return NoDaemonError(f"{where} answers, but not as a HaaS daemon: HTTP {error.status}")
    if isinstance(error, TimeoutError):
        return NoDaemonError(f"{where} did not answer within {CONNECT_TIMEOUT:g} s")
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return NoDaemonError(f"{where} {_of_tls(error)}")
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(inner, PermissionError):
        return NoDaemonError(f"{where} may not be opened by you: ask an admin")
    return NoDaemonError(
        f"no daemon on {where}: {_reason(inner)}. Start haas-rpcd, or name another with"
        " --socket PATH or --url URL, or try --demo"
    )


def _of_tls(error: aiohttp.ClientConnectorError) -> str:
    """Return what is wrong with TLS at the other end, and what to do, without OpenSSL's codes."""
    inner = getattr(error, "certificate_error", None) or error.os_error
    if isinstance(inner, ssl.SSLCertVerificationError):
        return (
            f"has a certificate nobody here trusts ({inner.verify_message.rstrip('.')}): name its"
            " authority with  --ca FILE, or as ca_file in the config file"
        )
    reason = getattr(inner, "reason", None) or ""
    if "CERTIFICATE_REQUIRED" in reason or "BAD_CERTIFICATE" in reason:
        return "wants a certificate of the client, which haas-console has none of: ask an admin"
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
        return "does not speak TLS: check the URL, or use  http://  on this machine"
    words = reason.replace("_", " ").lower() or "no reason given"
    return f"ended the TLS handshake ({words}): check the URL, and its certificate with an admin"


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
