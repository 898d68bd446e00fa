"""Time-outs of switches: what the daemon was too late to notice does not count."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
import weakref
from collections.abc import Iterator

import pytest

from haas_rpcd import patience
from haas_rpcd.drivers.switch.channel import Channel
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport

LONG = 0.6
"""Seconds for which the event loop is held up, as by SIGSTOP or by other switches."""


def hold_up(other: socket.socket) -> None:
    """Hold the event loop up; an answer arrives meanwhile."""
    time.sleep(LONG)
    other.sendall(b"an answer")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, other = socket.socketpair()
    with ours, other:
        ours.setblocking(False)
        yield ours, other


async def test_an_answer_that_arrived_while_the_daemon_stood_still_is_read(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    loop = asyncio.get_running_loop()
    loop.call_soon(hold_up, pair[1])
    async with patience.timeout(LONG / 2):
        assert await loop.sock_recv(pair[0], 100) == b"an answer"


async def test_silence_of_a_switch_still_counts() -> None:
    with pytest.raises(TimeoutError):
        async with patience.timeout(0.01):
            await asyncio.Event().wait()


async def test_silence_after_the_daemon_stood_still_counts_from_then() -> None:
    loop = asyncio.get_running_loop()
    loop.call_soon(time.sleep, LONG)
    before = patience.now()
    with pytest.raises(TimeoutError):
        async with patience.timeout(0.2):
            await asyncio.Event().wait()
    assert patience.now() - before < LONG


async def test_the_callers_own_cancellation_is_not_taken_for_a_time_out() -> None:
    async def wait() -> None:
        async with patience.timeout(10):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_stopped_and_continued_daemon_does_not_call_a_switch_silent() -> None:
    """Over a real connection: the answer lies in the socket when the time-out would be over."""
    sessions: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, writer: sessions.put_nowait(writer), "127.0.0.1")
    host, port = server.sockets[0].getsockname()
    channel = Channel("sw1", await TelnetTransport.connect("sw1", host, port, 5.0))
    session = await sessions.get()
    switch = socket.fromfd(session.get_extra_info("socket").fileno(), socket.AF_INET, 1)
    asyncio.get_running_loop().call_soon(hold_up, switch)
    assert await channel.receive(patience.now() + LONG / 2) == "output"
    assert channel.buffer == "an answer"
    await channel.close()
    switch.close()
    session.close()
    server.close()


def test_a_loop_in_which_somebody_waited_is_forgotten_with_its_end() -> None:
    async def wait() -> weakref.ref[asyncio.AbstractEventLoop]:
        async with patience.timeout(5):
            await asyncio.sleep(0)
        return weakref.ref(asyncio.get_running_loop())

    loop = asyncio.run(wait())
    gc.collect()
    assert loop() is None
