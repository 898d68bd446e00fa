"""Telnet to a switch, by telnetlib3."""

from __future__ import annotations

import asyncio

import telnetlib3
from telnetlib3 import TelnetClient

from haas_rpcd.drivers.switch.transport import COLUMNS, READ, ROWS
from haas_rpcd.drivers.switch.transport.keepalive import keep_alive
from haas_rpcd.errors import DeviceError


class TelnetTransport:
    """A telnet connection (RFC 854)."""

    def __init__(self, reader: telnetlib3.TelnetReader, writer: telnetlib3.TelnetWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(
        cls, device: str, host: str, port: int, timeout: float, keepalive: float = 0.0
    ) -> TelnetTransport:
        """Connect within ``timeout`` seconds. Raises DeviceError ``unreachable``.

        ``keepalive``: seconds of silence after which TCP probes the far end; 0: never.
        """
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
                    rows=ROWS,
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
        keep_alive(writer.get_extra_info("socket"), keepalive)
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
