"""A gate between a console and its daemon, at which a test holds messages back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

Message = dict[str, Any]
Which = Callable[[Message, str], bool]
"""Chooses messages, by a message and the method that it answers."""


def answers_to(method: str) -> Which:
    """The daemon's answers to calls of a method."""
    return lambda message, asked: asked == method


def events(message: Message, asked: str) -> bool:
    """The daemon's notifications."""
    return "method" in message


class Gate:
    """Passes messages on, except those that are held until :meth:`open`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held: list[Message] = []
        """What the daemon has sent and the console has not got yet."""
        self._holds: Which = lambda message, asked: False
        self._refuses: Which = lambda message, asked: False
        self._error: Message = {}
        self._asked: dict[int, str] = {}
        self._open = asyncio.Event()
        self._open.set()
        self._consoles: list[web.WebSocketResponse] = []

    async def call_it_too_slow(self) -> None:
        """Close the console's connections as the daemon does those that do not keep up."""
        for console in self._consoles:
            await console.close(
                code=aiohttp.WSCloseCode.TRY_AGAIN_LATER,
                message=b"too slow: connect and fetch again",
            )

    def hold(self, which: Which) -> None:
        """Hold the daemon's messages that ``which`` chooses."""
        self._holds = which
        self._open.clear()

    def refuse(self, which: Which, error: Message) -> None:
        """Answer calls with an error in place of the answers that ``which`` chooses."""
        self._refuses, self._error = which, error

    def open(self) -> None:
        """Let all that is held pass, in the daemon's order among those that were held."""
        self._open.set()

    async def serve(self, request: web.Request, daemon: Path) -> web.WebSocketResponse:
        """Carry one connection of the console's."""
        console = web.WebSocketResponse()
        await console.prepare(request)
        self._consoles.append(console)
        connector = aiohttp.UnixConnector(path=str(daemon))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.ws_connect("http://localhost/rpc") as upstream,
            asyncio.TaskGroup() as tasks,
        ):
            answers = tasks.create_task(self._answers(upstream, console, tasks))
            async for message in console:
                call = json.loads(message.data)
                self._asked[call["id"]] = call["method"]
                await upstream.send_str(message.data)
            await upstream.close()
            answers.cancel()
            self._open.set()
        return console

    async def _answers(
        self,
        upstream: aiohttp.ClientWebSocketResponse,
        console: web.WebSocketResponse,
        tasks: asyncio.TaskGroup,
    ) -> None:
        async for message in upstream:
            parsed = json.loads(message.data)
            if self._refuses(parsed, self._asked.get(parsed.get("id"), "")):
                refusal = {"jsonrpc": "2.0", "id": parsed["id"], "error": self._error}
                await console.send_str(json.dumps(refusal))
            elif not self._open.is_set() and self._holds(
                parsed, self._asked.get(parsed.get("id"), "")
            ):
                self.held.append(parsed)
                tasks.create_task(self._late(message.data, console))
            else:
                await console.send_str(message.data)

    async def _late(self, text: str, console: web.WebSocketResponse) -> None:
        await self._open.wait()
        if not console.closed:
            await console.send_str(text)


@contextlib.asynccontextmanager
async def gate(daemon: Path) -> AsyncIterator[Gate]:
    """A gate before a daemon; the console's socket is ``gate.path``."""
    with tempfile.TemporaryDirectory(prefix="haas-gate-") as folder:
        made = Gate(Path(folder) / "s")

        async def serve(request: web.Request) -> web.WebSocketResponse:
            return await made.serve(request, daemon)

        app = web.Application()
        app.router.add_get("/rpc", serve)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.UnixSite(runner, str(made.path)).start()
            yield made
        finally:
            made.open()
            await runner.cleanup()
