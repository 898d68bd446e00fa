"""How bytes get to a switch and back: telnet, by telnetlib3.

What a session needs of a transport is small, so that another one (SSH) is one more class here and
dialects never know which it is.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import telnetlib3
from telnetlib3 import TelnetClient

from haas_rpcd.errors import DeviceError

COLUMNS = 511
"""The terminal's width we claim, so that nothing wraps what we send (IOS's own maximum is 512)."""

READ = 65536
"""Bytes taken at once; also the flow-control limit of the stream, in both directions."""


class Transport(Protocol):
    """An open connection to a switch's command line."""

    async def read(self) -> bytes:
        """Wait for some bytes; empty at the end of the connection."""
        ...

    def write(self, data: bytes) -> None:
        """Send some bytes."""
        ...

    async def close(self) -> None:
        """Drop the connection. Never raises."""
        ...


class TelnetTransport:
    """A telnet connection (RFC 854)."""

    def __init__(self, reader: telnetlib3.TelnetReader, writer: telnetlib3.TelnetWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, device: str, host: str, port: int, timeout: float) -> TelnetTransport:
        """Connect within ``timeout`` seconds. Raises DeviceError ``unreachable``."""
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await telnetlib3.open_connection(
                    host,
                    port,
                    client_factory=TelnetClient,  # on a terminal it would pick its interactive one
                    encoding=False,  # bytes: with a text encoding non-ASCII is mangled silently
                    compression=False,
                    term="dumb",
                    cols=COLUMNS,
                    rows=24,
                    limit=16 * READ,  # a long `show` overruns the 64 KiB that are usual
                    connect_maxwait=0.5,  # a server that negotiates nothing must not cost 3 s
                )
        except TimeoutError:
            raise DeviceError(
                f"{device} does not answer on {host} port {port} within {timeout:g} s: check its"
                " power, its cabling and the address it is registered with.",
                reason="unreachable",
            ) from None
        except OSError as error:
            raise DeviceError(
                f"{device} can't be reached on {host} port {port}"
                f" ({error.strerror or error}): check its address and that its telnet is on.",
                reason="unreachable",
            ) from None
        return cls(reader, writer)

    async def read(self) -> bytes:
        """Wait for some bytes; empty at the end of the connection."""
        try:
            return await self._reader.read(READ)
        except ConnectionError:
            return b""

    def write(self, data: bytes) -> None:
        """Send some bytes. (After the far end closed this is silent; the next read tells.)"""
        self._writer.write(data)

    async def close(self) -> None:
        """Drop the connection."""
        self._writer.close()
        try:
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            return
