"""Connects a page's WebSocket to a console: a process in a terminal of its own.

The page is a whole terminal emulator, so the console runs as in any other one, and can lend it:
to the serial console of a node, for instance.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import struct
import sys
import tempfile
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiohttp import WSMsgType, web

from haas_console.core.config import Endpoint
from haas_console.core.tasks import cancel_and_wait

_CHUNK = 1 << 16
_GOODBYE = 3.0  # seconds that a console may take to quit
_CELLS = range(1, 1001)  # columns and lines that a page may have


async def serve(
    ws: web.WebSocketResponse, endpoint: Endpoint, token: str, columns: int, lines: int
) -> None:
    """Run a console on an open WebSocket until either of them ends."""
    with tempfile.TemporaryDirectory(prefix="haas-console-") as home:
        async with (
            _terminal(endpoint, token, home, columns, lines) as (process, ours),
            _streams(ours) as (drawn, typed),
        ):
            shows = asyncio.create_task(_show(drawn, ws), name="web-shows")
            types = asyncio.create_task(_type(ws, typed, ours), name="web-types")
            await asyncio.wait({shows, types}, return_when=asyncio.FIRST_COMPLETED)
            await cancel_and_wait(types)
            await _end(process)
            await cancel_and_wait(shows)
    await ws.close()


@contextlib.asynccontextmanager
async def _terminal(
    endpoint: Endpoint, token: str, home: str, columns: int, lines: int
) -> AsyncIterator[tuple[Process, int]]:
    """Start a console in a new terminal; yield it and our side of the terminal."""
    ours, its = os.openpty()
    secret, give = os.pipe()
    try:
        _resize(ours, columns, lines)
        ca = [endpoint.ca_file] if endpoint.ca_file else []
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "haas_console.web.session"),
            *(str(secret), str(endpoint.url), *ca),
            stdin=its,
            stdout=its,
            stderr=its,
            pass_fds=[secret],
            start_new_session=True,
            env=_environment(home),
        )
        os.write(give, token.encode())
    except BaseException:
        os.close(ours)
        raise
    finally:
        for each in (its, secret, give):
            os.close(each)
    try:
        yield process, ours
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _environment(home: str) -> dict[str, str]:
    """The variables of a console: nothing of this process's user, and no file of its home."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "TZ") if name in os.environ}
    return {
        **kept,
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "XDG_STATE_HOME": home,
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }


@contextlib.asynccontextmanager
async def _streams(ours: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield what the console draws, and where to write what is typed; close the terminal."""
    loop = asyncio.get_running_loop()
    drawn = asyncio.StreamReader()
    reading, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(drawn), os.fdopen(ours, "rb", 0)
    )
    writing, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(os.dup(ours), "wb", 0)
    )
    try:
        yield drawn, asyncio.StreamWriter(writing, protocol, None, loop)
    finally:
        reading.close()
        writing.abort()


async def _show(drawn: asyncio.StreamReader, ws: web.WebSocketResponse) -> None:
    """Pass on what the console draws, until it ends: then its terminal can't be read."""
    with contextlib.suppress(OSError):
        while data := await drawn.read(_CHUNK):
            with contextlib.suppress(ConnectionError):  # once the page is closed nobody looks
                await ws.send_bytes(data)


async def _type(ws: web.WebSocketResponse, typed: asyncio.StreamWriter, ours: int) -> None:
    """Pass on what is typed and clicked, until the page is closed."""
    with contextlib.suppress(OSError):
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                continue
            kind, data = _parsed(message.data)
            if kind == "stdin" and isinstance(data, str):
                typed.write(data.encode("utf-8", "replace"))
                await typed.drain()
            elif kind == "resize" and isinstance(data, Mapping):
                columns, lines = data.get("width"), data.get("height")
                if (isinstance(columns, int) and columns in _CELLS) and (
                    isinstance(lines, int) and lines in _CELLS
                ):
                    _resize(ours, columns, lines)
            elif kind == "ping":
                await ws.send_json(["pong", data])


def _parsed(text: str) -> tuple[Any, Any]:
    """A message of the page: its kind and its data; (None, None) if it is none."""
    try:
        message = json.loads(text)
    except ValueError:
        return None, None
    if not isinstance(message, list) or not message:
        return None, None
    return message[0], message[1] if len(message) > 1 else None


def _resize(ours: int, columns: int, lines: int) -> None:
    """Give the terminal a size; the console notices by a signal, as in every terminal."""
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


async def _end(process: Process) -> None:
    """Let the console quit by itself, so that what it has begun is sent."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, TimeoutError):
        process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(_GOODBYE):
            await process.wait()
