"""The WebSocket of a console: the line's bytes as binary messages, notices as JSON texts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager

from aiohttp import WSCloseCode, WSMsgType, web

from haas_rpcd.auth import Caller
from haas_rpcd.consoles.console import Console, Watcher
from haas_rpcd.consoles.consoles import Consoles
from haas_rpcd.errors import HaasError
from haas_rpcd.rpc.http import closing
from haas_rpcd.tasks import cancel_and_wait

log = logging.getLogger(__name__)

LONGEST = 2**16
"""Bytes of one message of a client."""

_WRITE = 30.0
"""Seconds for a client to take one message; then it is cut."""


Expiry = Callable[[Caller, Callable[[bytes], None]], AbstractContextManager[None]]
"""Calls a function, with the reason, when a caller's token expires."""


async def answer(
    request: web.Request, caller: Caller, consoles: Consoles, until_expiry: Expiry
) -> web.StreamResponse:
    """Let the holder of a ticket in to its console; with any other ticket, answer 404."""
    try:
        async with consoles.enter(request.match_info["ticket"], caller) as (console, watcher):
            socket = web.WebSocketResponse(heartbeat=30.0, max_msg_size=LONGEST, compress=False)
            await socket.prepare(request)
            with until_expiry(caller, lambda why: watcher.cut(why.decode())):
                await serve(socket, console, watcher)
            return socket
    except HaasError as error:
        return closing(404, error)


async def serve(socket: web.WebSocketResponse, console: Console, watcher: Watcher) -> None:
    """Pass on what the line says, and what the client types, until either ends."""
    receiving = asyncio.create_task(_receive(socket, console, watcher), name="console input")
    sending = asyncio.create_task(_send(socket, watcher), name="console output")
    try:
        await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_wait(receiving, sending)
    why = (watcher.why or "closed").encode()[:120].decode(errors="ignore")
    code = WSCloseCode.POLICY_VIOLATION if watcher.why else WSCloseCode.OK
    try:
        async with asyncio.timeout(_WRITE):
            if watcher.why:
                await socket.send_str(json.dumps({"notice": watcher.why}))
            await socket.close(code=code, message=why.encode())
    except (TimeoutError, ConnectionError):
        log.info("the console of %s: the client does not read; it is cut", console.place)


async def _receive(socket: web.WebSocketResponse, console: Console, watcher: Watcher) -> None:
    async for message in socket:
        if message.type == WSMsgType.BINARY:
            await console.type(watcher, message.data)


async def _send(socket: web.WebSocketResponse, watcher: Watcher) -> None:
    with contextlib.suppress(ConnectionError, TimeoutError):  # the client is gone
        while (chunk := await watcher.next()) is not None:
            async with asyncio.timeout(_WRITE):
                if isinstance(chunk, bytes):
                    await socket.send_bytes(chunk)
                else:
                    await socket.send_str(json.dumps({"notice": chunk}))
