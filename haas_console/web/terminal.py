"""Connects a page's WebSocket to a console: a process with Textual's web driver.

Each side sends packets: ``D`` (what a terminal would) or ``M`` (JSON about the terminal), the
length in four bytes, and the payload; see ``textual/drivers/web_driver.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web

from haas_console.core.config import Endpoint
from haas_console.core.tasks import cancel_and_wait

_READY = b"__GANGLION__\n"
_LARGEST = 16 << 20  # bytes of one packet
_GOODBYE = 3.0  # seconds that a console may take to quit
_CELLS = range(1, 1001)  # columns and lines that a page may have


async def serve(
    ws: web.WebSocketResponse, endpoint: Endpoint, token: str, columns: int, lines: int
) -> None:
    """Run a console on an open WebSocket until either of them ends."""
    with tempfile.TemporaryDirectory(prefix="haas-console-") as home:
        ca = [endpoint.ca_file] if endpoint.ca_file else []
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "haas_console.web.session", str(endpoint.url), *ca),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=_environment(home, columns, lines),
        )
        try:
            await _write(process, token.encode() + b"\n")
            await _send(process, b"M", _size(columns, lines))
            shows = asyncio.create_task(_show(process, ws), name="web-shows")
            types = asyncio.create_task(_type(ws, process), name="web-types")
            await asyncio.wait({shows, types}, return_when=asyncio.FIRST_COMPLETED)
            await cancel_and_wait(types)
            await _end(process, shows)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await ws.close()


def _environment(home: str, columns: int, lines: int) -> dict[str, str]:
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
        "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "TERM_PROGRAM": "textual",
        "COLUMNS": str(columns),
        "ROWS": str(lines),
    }


async def _show(process: Process, ws: web.WebSocketResponse) -> None:
    """Pass on what the console draws, until it ends."""
    if (drawn := process.stdout) is None:
        return
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        if await drawn.readuntil(b"\n") != _READY:
            return
        while True:
            head = await drawn.readexactly(5)
            size = int.from_bytes(head[1:], "big")
            if size > _LARGEST:
                return
            payload = await drawn.readexactly(size)
            if head[:1] == b"D":
                await ws.send_bytes(payload)
            elif head[:1] == b"M" and json.loads(payload).get("type") == "exit":
                return


async def _type(ws: web.WebSocketResponse, process: Process) -> None:
    """Pass on what is typed and clicked, until the page is closed."""
    with contextlib.suppress(ConnectionError):
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                continue
            kind, data = _parsed(message.data)
            if kind == "stdin" and isinstance(data, str):
                await _send(process, b"D", data.encode("utf-8", "replace"))
            elif kind == "resize" and isinstance(data, Mapping):
                columns, lines = data.get("width"), data.get("height")
                if (isinstance(columns, int) and columns in _CELLS) and (
                    isinstance(lines, int) and lines in _CELLS
                ):
                    await _send(process, b"M", _size(columns, lines))
            elif kind in ("blur", "focus"):
                await _send(process, b"M", json.dumps({"type": kind}).encode())
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


def _size(columns: int, lines: int) -> bytes:
    return json.dumps({"type": "resize", "width": columns, "height": lines}).encode()


async def _send(process: Process, kind: bytes, payload: bytes) -> None:
    await _write(process, kind + len(payload).to_bytes(4, "big") + payload)


async def _write(process: Process, data: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(data)
        await process.stdin.drain()


async def _end(process: Process, shows: asyncio.Task[None]) -> None:
    """Let the console quit by itself, so that what it has begun is sent."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(_GOODBYE):
            if not shows.done():
                await _send(process, b"M", json.dumps({"type": "quit"}).encode())
                await shows
            await process.wait()
    await cancel_and_wait(shows)
