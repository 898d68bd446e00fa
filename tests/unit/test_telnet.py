"""Telnet connections: options, bytes, and an opening that is cancelled."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from telnetlib3.telopt import (
    BINARY,
    DO,
    DONT,
    ECHO,
    IAC,
    LINEMODE,
    LOGOUT,
    NAWS,
    NEW_ENVIRON,
    SB,
    SE,
    SGA,
    TM,
    TSPEED,
    TTYPE,
    WILL,
    WONT,
)

from haas_rpcd.drivers.switch.transport import READ
from haas_rpcd.drivers.switch.transport.options import Negotiation
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError

SIZE = IAC + SB + NAWS + b"\x01\xfe\x00\x18" + IAC + SE


@asynccontextmanager
async def silent_switch() -> AsyncIterator[
    tuple[int, asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
]:
    """Listen; give the port, and each accepted connection."""
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait((reader, writer))

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
        await asyncio.sleep(0)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        if not accepted.empty():
            assert await is_closed(accepted.get_nowait()[0])


async def test_what_a_switch_sends_before_it_hangs_up_is_read_to_the_end() -> None:
    """Also if it sends much more than is read at a time."""
    text = b"All vtys are in use.\r\n" * 40_000
    async with silent_switch() as (port, accepted):
        transport = await TelnetTransport.connect("sw1", "127.0.0.1", port, 10.0)
        _, switch = await accepted.get()
        switch.write(text)
        switch.close()
        read = bytearray()
        async with asyncio.timeout(30):
            while data := await transport.read():
                read += data
        assert read == text
        assert await transport.read() == b""
        transport.write(b"still there?\r\n")  # nothing happens
        await transport.close()


async def test_a_switch_whose_output_nobody_reads_has_to_wait() -> None:
    async with silent_switch() as (port, accepted):
        transport = await TelnetTransport.connect("sw1", "127.0.0.1", port, 10.0)
        _, switch = await accepted.get()
        text = b"x" * 50_000_000  # more than the kernel keeps for a connection
        switch.write(text)
        sent = asyncio.create_task(switch.drain())
        for _ in range(2000):  # the loop reads 256 KB in a turn if it may
            await asyncio.sleep(0)
        assert not sent.done()
        length = 0
        async with asyncio.timeout(60):
            while length < len(text):
                length += len(await transport.read())
            await sent
        await transport.close()


async def test_others_get_a_turn_during_a_megabyte_of_commands() -> None:
    async with silent_switch() as (port, accepted):
        transport = await TelnetTransport.connect("sw1", "127.0.0.1", port, 10.0)
        _, switch = await accepted.get()
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        switch.write((IAC + b"\xf9") * 2**18 + b"Username: ")  # GO AHEAD
        beside = asyncio.create_task(other())
        async with asyncio.timeout(60):
            assert await transport.read() == b"Username: "
        beside.cancel()
        assert turns > 2**19 / READ
        await transport.close()


async def test_nobody_listens() -> None:
    async with silent_switch() as (port, _):
        pass
    with pytest.raises(DeviceError, match=f"can't be reached on 127.0.0.1 port {port}"):
        await TelnetTransport.connect("sw1", "127.0.0.1", port, 10.0)


# --- options --------------------------------------------------------------------------------------

SAID: dict[str, tuple[bytes, bytes, bytes]] = {
    "text": (b"Username: ", b"Username: ", b""),
    "an escaped byte": (b"a" + IAC + IAC + b"b", b"a\xffb", b""),
    "a go-ahead": (b"a" + IAC + b"\xf9b", b"ab", b""),
    "an echoing switch": (
        IAC + WILL + ECHO + IAC + WILL + SGA + b"Username: ", b"Username: ",
        IAC + DO + ECHO + IAC + DO + SGA,
    ),
    "the terminal": (
        IAC + DO + TTYPE + IAC + SB + TTYPE + b"\x01" + IAC + SE + IAC + DO + NAWS, b"",
        IAC + WILL + TTYPE + IAC + SB + TTYPE + b"\x00dumb" + IAC + SE + IAC + WILL + NAWS + SIZE,
    ),
    "binary": (
        IAC + DO + BINARY + IAC + WILL + BINARY, b"", IAC + WONT + BINARY + IAC + DONT + BINARY,
    ),
    "line mode": (IAC + DO + LINEMODE + IAC + DO + TM, b"",
                  IAC + WONT + LINEMODE + IAC + WONT + TM),
    "the environment": (
        IAC + DO + NEW_ENVIRON + IAC + DO + TSPEED, b"",
        IAC + WONT + NEW_ENVIRON + IAC + WONT + TSPEED,
    ),
    "an echo for the user name only": (
        IAC + WILL + ECHO + b"a" + IAC + WONT + ECHO + b"b" + IAC + WILL + ECHO, b"ab",
        IAC + DO + ECHO + IAC + DO + ECHO,
    ),
    "a request for what is on": (IAC + WILL + ECHO + IAC + WILL + ECHO, b"", IAC + DO + ECHO),
    "a refusal of what is off": (IAC + WONT + ECHO + IAC + DONT + NAWS, b"", b""),
    "our echo": (IAC + DO + ECHO, b"", IAC + WONT + ECHO),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_commands_are_answered_and_taken_out_of_the_text(case: str) -> None:
    said, text, replies = SAID[case]
    assert Negotiation().feed(said) == (text, replies)


@pytest.mark.parametrize("case", SAID)
def test_commands_may_arrive_byte_by_byte(case: str) -> None:
    said, text, replies = SAID[case]
    negotiation = Negotiation()
    fed = [negotiation.feed(said[at : at + 1]) for at in range(len(said))]
    assert b"".join(part for part, _ in fed) == text
    assert b"".join(part for _, part in fed) == replies


def test_a_subnegotiation_without_an_end_is_not_kept() -> None:
    """telnetlib3 keeps up to 1 MB of one, and then drops what follows."""
    negotiation = Negotiation()
    tracemalloc.start()
    negotiation.feed(IAC + SB + TTYPE)
    kept = []
    for _ in range(2):
        negotiation.feed(b"x" * 1_200_000)
        kept.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert kept[1] - kept[0] < 10_000


def test_a_command_that_no_server_may_send_is_ignored() -> None:
    assert Negotiation().feed(IAC + WILL + LOGOUT + b"Username: ") == (
        b"Username: ",
        IAC + DONT + LOGOUT,
    )
