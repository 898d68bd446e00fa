"""Attaches this terminal to the console of a node or headnode, until ``^]`` or its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import termios
import tty
from collections.abc import AsyncGenerator, Callable, Iterator

import aiohttp

from haas_console.core.client import Client
from haas_console.core.tasks import cancel_and_wait
from haas_schemas.console import CONNECTED

DETACH = b"\x1d"
"""The key that leaves the console: ``^]``, as in telnet and virsh."""

_STDIN, _STDOUT = 0, 1
"""The descriptors: the full screen replaces the files of Python by its own."""

_CHUNK = 4096
_SILENCE = 1.0
"""Seconds of silence on the line after which a script leaves whose input has ended."""


async def attach(client: Client, ticket: dict[str, object], notice: Callable[[str], None]) -> None:
    """Connect standard input and output with a console; a terminal is raw meanwhile.

    ``notice`` is called with sentences for the user. Raises ConsoleError if it can't be opened.
    """
    socket = await client.open_console(str(ticket["path"]))
    try:
        with _raw(_STDIN) as terminal:
            if terminal:
                notice(f"{ticket['console']}: ^] leaves it")
            await _both_ways(socket, notice, terminal=terminal)
    finally:
        await socket.close()


async def _both_ways(
    socket: aiohttp.ClientWebSocketResponse, notice: Callable[[str], None], *, terminal: bool
) -> None:
    heard, connected = asyncio.Event(), asyncio.Event()

    def told(sentence: str) -> None:
        notice(sentence)
        if sentence == CONNECTED:
            connected.set()

    async def type_all() -> None:
        await _type(socket, terminal=terminal)
        await connected.wait()
        await _silence(heard)

    hearing = asyncio.create_task(_hear(socket, told, heard), name="console output")
    typing = asyncio.create_task(
        _type(socket, terminal=True) if terminal else type_all(), name="console input"
    )
    try:
        await asyncio.wait({hearing, typing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_wait(hearing)
        await cancel_and_wait(typing)


async def _hear(
    socket: aiohttp.ClientWebSocketResponse, notice: Callable[[str], None], heard: asyncio.Event
) -> None:
    async for message in socket:
        heard.set()
        if message.type is aiohttp.WSMsgType.BINARY:
            _write(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            notice(json.loads(message.data)["notice"])


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(_STDOUT, data) :]


async def _type(socket: aiohttp.ClientWebSocketResponse, *, terminal: bool) -> None:
    """Send what is typed until its end or, at a terminal, until ``^]``."""
    async with contextlib.aclosing(_typed(_STDIN)) as chunks:
        async for data in chunks:
            before, detach, _ = data.partition(DETACH) if terminal else (data, b"", b"")
            with contextlib.suppress(ConnectionError):
                if before:
                    await socket.send_bytes(before)
            if detach:
                return


async def _silence(heard: asyncio.Event) -> None:
    """Wait until nothing has been heard for a while."""
    with contextlib.suppress(TimeoutError):
        while True:
            heard.clear()
            async with asyncio.timeout(_SILENCE):
                await heard.wait()


async def _typed(number: int) -> AsyncGenerator[bytes, None]:
    """Yield what comes in at a descriptor until its end."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        data = os.read(number, _CHUNK)  # here, as only now it is certain not to block
        if not data:
            loop.remove_reader(number)
        typed.put_nowait(data)

    try:
        loop.add_reader(number, read)
    except (OSError, ValueError):  # a file is always ready, and can't be waited for
        while data := await asyncio.to_thread(os.read, number, _CHUNK):
            yield data
        return
    try:
        while data := await typed.get():
            yield data
    finally:
        loop.remove_reader(number)


@contextlib.contextmanager
def _raw(number: int) -> Iterator[bool]:
    """Pass every key on as it is within the block; yield whether this is a terminal."""
    if not os.isatty(number):
        yield False
        return
    before = termios.tcgetattr(number)
    tty.setraw(number, termios.TCSADRAIN)
    try:
        yield True
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
