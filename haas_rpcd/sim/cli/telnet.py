"""The switch's side of telnet (RFC 854, 855, 857, 858): options and escapes.

Most switches open with WILL ECHO, WILL SUPPRESS-GO-AHEAD, DO TERMINAL-TYPE and DO NAWS and do not
wait for answers. This one does the same. telnetlib3's server would negotiate more than they do. It
also reads byte by byte, which is too slow for a hundred simulated switches in one process.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

from telnetlib3.telopt import BRK, DO, DONT, ECHO, IAC, IP, NAWS, SB, SE, SGA, TTYPE, WILL, WONT

from haas_rpcd.sim.cli.wire import End, Host, Transit

GREETING = IAC + WILL + ECHO + IAC + WILL + SGA + IAC + DO + TTYPE + IAC + DO + NAWS
CTRL_C = b"\x03"

_ANSWERS = {DO: (WILL, WONT), WILL: (DO, DONT)}


class TelnetFilter:
    """Removes telnet's commands from what a client sends, and answers them through ``send``.

    A switch keeps echoing even if the client refuses ECHO. Python's telnetlib does refuse it by
    default, yet the tools built on telnetlib wait for the echo.
    """

    def __init__(self, send: Callable[[bytes], None], greeting: bytes = GREETING) -> None:
        self._send = send
        self._pending = b""  # the beginning of an incomplete command
        # Options that are on, or offered and not yet refused: {(DO, ECHO)} means "we echo".
        self._on: set[tuple[bytes, bytes]] = set()
        for at in range(0, len(greeting), 3):
            command, option = greeting[at + 1 : at + 2], greeting[at + 2 : at + 3]
            self._on.add((_ANSWERS[command][0] if command == WILL else WILL, option))

    def feed(self, data: bytes) -> bytes:
        """Return the text in ``data``. An incomplete command is kept until the rest arrives."""
        if not self._pending and IAC not in data:
            return data
        data, self._pending = self._pending + data, b""
        text = bytearray()
        at = 0
        while (found := data.find(IAC, at)) >= 0:
            text += data[at:found]
            at = self._command(data, found, text)
            if at < 0:
                self._pending = data[found:]
                return bytes(text)
        return bytes(text + data[at:])

    def _command(self, data: bytes, at: int, text: bytearray) -> int:
        """Execute the command at ``at``; return where it ends, or -1 if it is incomplete."""
        command = data[at + 1 : at + 2]
        if not command:
            return -1
        if command in (DO, DONT, WILL, WONT):
            option = data[at + 2 : at + 3]
            if not option:
                return -1
            self._negotiate(command, option)
            return at + 3
        if command == SB:
            end = data.find(IAC + SE, at)
            return end + 2 if end >= 0 else -1
        if command == IAC:
            text += IAC
        elif command in (BRK, IP):
            text += CTRL_C
        return at + 2

    def _negotiate(self, command: bytes, option: bytes) -> None:
        """Answer a request, unless it confirms the present state (RFC 1143 avoids loops)."""
        request = {DONT: DO, WONT: WILL}.get(command, command)
        known = (request, option) in self._on
        yes, no = _ANSWERS[request]
        if command == request and not known:
            # Of the client's own offers only SUPPRESS-GO-AHEAD is accepted.
            accepted = (request, option) in {(WILL, SGA), (DO, ECHO), (DO, SGA)}
            if accepted:
                self._on.add((request, option))
            self._send(IAC + (yes if accepted else no) + option)
        elif command != request and known:
            self._on.discard((request, option))
            self._send(IAC + no + option)


class TelnetWire(End, asyncio.Protocol):
    """A client's telnet connection to a device."""

    def __init__(self, device: Host) -> None:
        self.peer = ""
        self._device = device
        self._transport: asyncio.Transport | None = None
        self._telnet = TelnetFilter(self._send, device.telnet_greeting)
        half = lambda: device.faults.round_trip / 2  # noqa: E731
        self._arriving, self._leaving = Transit(half), Transit(half)

    # --- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a VTY and open the dialogue, or refuse."""
        self._transport = cast(asyncio.Transport, transport)
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        session = self._device.make_session(self)
        if not self._device.admit(session):
            if self._device.full_text and self._device.is_up:
                self.write(self._device.full_text.encode())
                self.close()
            else:
                self.abort()
            return
        self._session = session
        self._send(self._device.telnet_greeting)
        session.begin(None)

    def data_received(self, data: bytes) -> None:
        """Pass data on after the line's delay."""
        self._arriving.send(lambda: self._arrived(data))

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the VTY back."""
        self._transport = None
        self._leaving.cancel()
        if exc is not None:
            self._arriving.cancel()
        self._arriving.send(self._gone)

    def _arrived(self, data: bytes) -> None:
        self._device.counters.bytes_in += len(data)
        text = self._telnet.feed(data)
        if self._session is not None and text:
            self._session.feed(text)

    # --- for the session

    def write(self, data: bytes) -> None:
        """Send text."""
        self._send(data.replace(IAC, IAC + IAC))

    def _send(self, data: bytes) -> None:
        self._device.counters.bytes_out += len(data)
        self._leaving.send(lambda: self._write(data))

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close once everything is written."""
        self._leaving.send(self._close)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Reset the connection, as a power cut or a full switch does."""
        self._arriving.cancel()
        self._leaving.cancel()
        if self._transport is None:
            self._gone()
            return
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if sock is not None:  # without lingering, so that a reset goes out and not an orderly end
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def pause_reading(self) -> None:
        """Stop reading from the client for now."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read from the client again."""
        if self._transport is not None:
            self._transport.resume_reading()
