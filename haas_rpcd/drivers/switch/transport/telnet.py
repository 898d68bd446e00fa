"""Telnet to a switch, by telnetlib3."""

from __future__ import annotations

import asyncio
from typing import Any

import telnetlib3
from telnetlib3 import TelnetClient

from haas_rpcd.drivers.switch.transport import COLUMNS, READ, ROWS, no_answer, unreachable
from haas_rpcd.drivers.switch.transport.keepalive import keep_alive


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

        ``keepalive``: seconds of silence after which TCP probes the switch; 0: never.
        """
        client: TelnetClient | None = None

        def make_client(**settings: Any) -> TelnetClient:
            nonlocal client
            client = TelnetClient(**settings)  # the default is interactive on a terminal
            return client

        try:
            async with asyncio.timeout(timeout):
                reader, writer = await telnetlib3.open_connection(
                    host,
                    port,
                    client_factory=make_client,
                    encoding=False,  # bytes: a text encoding silently mangles non-ASCII characters
                    compression=False,
                    term="dumb",
                    cols=COLUMNS,
                    rows=ROWS,
                    limit=16 * READ,  # a long `show` overruns the default of 64 KiB
                    connect_maxwait=0.5,  # the default costs 3 s if a server negotiates nothing
                )
        except TimeoutError:
            _hang_up(client)
            raise no_answer(device, host, port, timeout) from None
        except asyncio.CancelledError:
            _hang_up(client)
            raise
        except OSError as error:
            why = str(error.strerror or error)
            raise unreachable(device, host, port, why, "telnet") from None
        keep_alive(writer.get_extra_info("socket"), keepalive)
        return cls(reader, writer)

    async def read(self) -> bytes:
        """Wait for bytes; return b"" once the connection is closed."""
        try:
            return await self._reader.read(READ)
        except ConnectionError:
            return b""

    def write(self, data: bytes) -> None:
        """Send bytes. If the switch has closed the connection, only the next read shows it."""
        self._writer.write(data)

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        try:
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            return


def _hang_up(client: TelnetClient | None) -> None:
    """Close a connection that was given up while it was negotiated; telnetlib3 leaves it open."""
    if client is not None and client.writer is not None:
        client.writer.close()
