"""Telnet connections whose opening is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport


@asynccontextmanager
async def silent_switch() -> AsyncIterator[tuple[int, asyncio.Queue[asyncio.StreamReader]]]:
    """Listen; give the port, and each accepted connection."""
    accepted: asyncio.Queue[asyncio.StreamReader] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait(reader)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], accepted


async def is_closed(connection: asyncio.StreamReader) -> bool:
    """Return whether the other end closes a connection."""
    async with asyncio.timeout(10):
        while await connection.read(100):
            pass
    return True


async def test_a_cancelled_connect_leaves_no_session_open_on_the_switch() -> None:
    async with silent_switch() as (port, accepted):
        connecting = asyncio.create_task(TelnetTransport.connect("sw1", "127.0.0.1", port, 60.0))
        connection = await accepted.get()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert await is_closed(connection)
