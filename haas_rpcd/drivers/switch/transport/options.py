"""The client's side of telnet's options (RFC 855), by telnetlib3. No I/O.

The client accepts ECHO (RFC 857) and SUPPRESS-GO-AHEAD (RFC 858) of the server, and offers its
terminal's type (RFC 1091) and size (RFC 1073) when asked. It refuses everything else, above all:

* BINARY (RFC 856), which Debian's ``telnetd`` (GNU inetutils) asks for. In it CR LF is no longer
  one end of line: the login's user name would be followed by an empty password.
* LINEMODE (RFC 1184), which BSD's telnetd asks for. In it the client echoes and edits lines.

telnetlib3's interpreter of commands is used, and not its client: that accepts BINARY before it can
be told otherwise, and drops what arrived just before the switch hung up.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

from telnetlib3 import TelnetWriter
from telnetlib3.telopt import ECHO, IAC, NAWS, SE, SGA, TTYPE

from haas_rpcd.drivers.switch.transport import COLUMNS, ROWS

log = logging.getLogger(__name__)

_EVERY = {bytes([option]) for option in range(256)}
_WANTED = {ECHO, SGA}
"""What the server may do."""

_OFFERED = {TTYPE, NAWS, SGA}
"""What we do when asked."""

_LONGEST_COMMAND = 4096
"""Bytes of a subnegotiation; a longer one is ended, as telnetlib3 would keep it all."""


class Negotiation:
    """Takes telnet's commands out of what a server sends, and replies to them."""

    def __init__(self) -> None:
        self._replies = _Replies()
        self._length = 0  # bytes since a command began
        self._after_iac = False
        self._commands = TelnetWriter(cast(asyncio.Transport, self._replies), None, client=True)
        self._commands.always_dont = _EVERY - _WANTED
        self._commands.always_wont = _EVERY - _OFFERED
        self._commands.slc_simulated = False  # control characters are text, for the session
        self._commands.set_ext_send_callback(TTYPE, lambda: "dumb")
        self._commands.set_ext_send_callback(NAWS, lambda: (ROWS, COLUMNS))

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the text in ``data``, and the replies to the commands in it."""
        text = bytearray()
        at = 0
        while at < len(data):
            if not self._within_command:  # then text needs no interpreter, byte by byte
                start = data.find(IAC, at)
                if start < 0:
                    text += data[at:]
                    break
                text += data[at:start]
                at = start
            byte = data[at : at + 1]
            at += 1
            if self._interpret(byte):
                text += byte
            begins = self._after_iac and byte != IAC
            self._length = 0 if begins else self._length + 1
            self._after_iac = byte == IAC and not self._after_iac
            if self._length > _LONGEST_COMMAND:
                for end in (IAC, SE):
                    self._interpret(end)
        return bytes(text), self._replies.take()

    def _interpret(self, byte: bytes) -> bool:
        """Interpret a byte; return whether it is text."""
        try:
            return self._commands.feed_byte(byte)
        except ValueError as error:  # a command that no server may send
            log.info("ignored: %s", error)
            return False

    @property
    def _within_command(self) -> bool:
        """True if the last byte was part of a telnet command."""
        return self._commands.is_oob


class _Replies:
    """What telnetlib3 takes for the connection: it keeps the replies."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> None:
        self._written += data

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def take(self) -> bytes:
        """Return the replies since the last call."""
        replies = bytes(self._written)
        self._written.clear()
        return replies
