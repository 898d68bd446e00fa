"""Telnet to a switch (RFC 854): the connection. See :mod:`.options` for its options."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from haas_rpcd import patience
from haas_rpcd.drivers.switch.transport import READ, no_answer, resolve, unreachable
from haas_rpcd.drivers.switch.transport.keepalive import keep_alive, reset_on_close
from haas_rpcd.drivers.switch.transport.options import Negotiation
from haas_rpcd.tasks import ends_within

_MAX_UNREAD = 4 * READ
"""Bytes received and not read yet above which the switch has to wait."""


class TelnetTransport:
    """A telnet connection."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    @classmethod
    async def connect(
        cls, device: str, host: str, port: int, timeout: float, keepalive: float = 0.0
    ) -> TelnetTransport:
        """Connect within ``timeout`` seconds. Raises DeviceError ``unreachable``.

        ``keepalive``: seconds of silence after which TCP probes the switch; 0: never.
        """
        loop = asyncio.get_running_loop()
        await resolve(device, host, timeout)
        try:
            async with patience.timeout(timeout):
                transport, wire = await loop.create_connection(_Wire, host, port)
        except TimeoutError:
            raise no_answer(device, host, port, timeout) from None
        except OSError as error:
            why = str(error.strerror or error)
            raise unreachable(device, host, port, why, "telnet") from None
        keep_alive(transport.get_extra_info("socket"), keepalive)
        return cls(wire)

    @property
    def socket(self) -> socket.socket:
        """The connection's socket."""
        return cast(socket.socket, self._wire.transport.get_extra_info("socket"))

    async def read(self) -> bytes:
        """Wait for bytes; return b"" once the connection is closed."""
        return await self._wire.read()

    def write(self, data: bytes) -> None:
        """Send bytes. If the switch has closed the connection, only the next read shows it."""
        if not self._wire.transport.is_closing():
            self._wire.transport.write(data.replace(b"\xff", b"\xff\xff"))

    async def close(self) -> None:
        """Close the connection."""
        transport = self._wire.transport
        transport.close()
        if not await ends_within(1.0, self._wire.closed.wait()):
            transport.abort()

    async def abort(self) -> None:
        """Reset the connection."""
        reset_on_close(self.socket)
        self._wire.transport.abort()


class _Wire(asyncio.Protocol):
    """Keeps what the switch sends, without telnet's commands, until it is read."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self._raw = bytearray()  # with commands that were not interpreted yet
        self._unread = bytearray()
        self._ended = False
        self._arrived = asyncio.Event()
        self._paused = False
        self._negotiation = Negotiation()

    async def read(self) -> bytes:
        while not self._unread:
            if self._raw:
                self._interpret()
                self._resume()
                await asyncio.sleep(0)  # a megabyte of commands must not keep others waiting
            elif self._ended:
                return b""
            else:
                self._arrived.clear()
                await self._arrived.wait()
        data = bytes(self._unread[:READ])
        del self._unread[:READ]
        self._resume()
        return data

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._raw += data
        if len(self._raw) <= READ:  # so that commands are answered while nobody reads
            self._interpret()
        if len(self._raw) + len(self._unread) > _MAX_UNREAD and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._arrived.set()

    def _resume(self) -> None:
        """Let the switch go on sending once most was read."""
        if self._paused and len(self._raw) + len(self._unread) < READ:
            self._paused = False
            self.transport.resume_reading()

    def _interpret(self) -> None:
        """Take the commands out of the next bytes, and reply to them."""
        text, replies = self._negotiation.feed(bytes(self._raw[:READ]))
        del self._raw[:READ]
        self._unread += text
        if replies and self.transport.get_write_buffer_size() < READ:  # else it reads none of them
            self.transport.write(replies)

    def eof_received(self) -> bool:
        self._ended = True
        self._arrived.set()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._ended = True
        self._arrived.set()
        self.closed.set()
