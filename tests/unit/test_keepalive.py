"""Silent connections: which are noticed to be dead, and which are kept."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from haas_rpcd.drivers.switch.transport.keepalive import keep_alive
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from tests.unit.ssh_client import LOGIN, address, trusted, until
from tests.unit.ssh_server import PROMPT


async def test_keepalive_notices_a_dead_connection(tmp_path: Path) -> None:
    """The cable is pulled: nothing arrives, and no side closes the connection."""
    async with trusted(tmp_path) as (it, at), cable(it.port) as (port, pull):
        far = address(at.known_hosts.path, port, keepalive=0.05)
        far.known_hosts.trust("127.0.0.1", port, await far.host_key())
        transport = await far.connect(LOGIN)
        await until(transport, PROMPT)
        pull()
        assert await until(transport, b"never") == b""
        await transport.close()


async def test_keepalive_keeps_a_silent_connection(tmp_path: Path) -> None:
    asked = asyncio.Event()
    left = 0

    def over(data: bytes) -> None:
        nonlocal left
        left -= 1
        if not left:
            asked.set()

    async with trusted(tmp_path) as (it, at), cable(it.port, over) as (port, _):
        far = address(at.known_hosts.path, port, keepalive=0.02)
        far.known_hosts.trust("127.0.0.1", port, await far.host_key())
        transport = await far.connect(LOGIN)
        await until(transport, PROMPT)
        left = 12  # probes and replies: more than may remain unanswered
        async with asyncio.timeout(10):
            await asked.wait()
        transport.write(b"still there\r\n")
        assert await until(transport, b"\r\n" + PROMPT) == b"still there\r\n" + PROMPT
        await transport.close()


@asynccontextmanager
async def cable(
    port: int, over: Callable[[bytes], None] = lambda data: None
) -> AsyncIterator[tuple[int, Callable[[], None]]]:
    """Relay connections to a port; give the relay's port and a function that cuts them."""
    pulled = False
    tasks: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not pulled:
                over(data)
                writer.write(data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        for pair in ((reader, back), (there, writer)):
            task = asyncio.create_task(relay(*pair))
            tasks.add(task)

    def pull() -> None:
        nonlocal pulled
        pulled = True

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], pull
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def probing(sock: Any) -> tuple[int, int]:
    return (
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
        sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
    )


async def test_tcp_probes_silent_connections_of_both_transports(tmp_path: Path) -> None:
    async with trusted(tmp_path, keepalive=7.0) as (_, at):
        transport = await at.connect(LOGIN)
        assert probing(transport.socket) == (1, 7)
        await transport.close()
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    telnet = await TelnetTransport.connect("sw1", "127.0.0.1", port, 5.0, 9.0)
    assert probing(telnet.socket) == (1, 9)
    await telnet.close()
    server.close()


def test_a_keepalive_of_0_sends_no_probes() -> None:
    with socket.socket() as sock:
        keep_alive(sock, 0)
        assert probing(sock)[0] == 0


def test_a_switch_that_has_closed_already_is_no_error_here() -> None:
    """The next read says that it did."""
    sock = socket.socket()
    sock.close()
    keep_alive(sock, 30)
