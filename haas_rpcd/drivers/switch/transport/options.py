"""The client's side of telnet's options (RFC 855). Pure bytes, no I/O.

The client accepts ECHO (RFC 857) and SUPPRESS-GO-AHEAD (RFC 858) of the server, and offers its
terminal's type (RFC 1091) and size (RFC 1073) when asked. It refuses everything else, above all:

* BINARY (RFC 856), which Debian's ``telnetd`` (GNU inetutils) asks for. In it CR LF is no longer
  one end of line: the login's user name would be followed by an empty password.
* LINEMODE (RFC 1184), which BSD's telnetd asks for. In it the client echoes and edits lines.
"""

from __future__ import annotations

import struct
from collections import Counter

from telnetlib3.telopt import DO, DONT, ECHO, IAC, IS, NAWS, SB, SE, SEND, SGA, TTYPE, WILL, WONT

from haas_rpcd.drivers.switch.transport import COLUMNS, ROWS

_WANTED = frozenset({ECHO, SGA})
"""What the server may do."""

_OFFERED = frozenset({TTYPE, NAWS, SGA})
"""What we do when asked."""

_MAX_SUBNEGOTIATION = 4096
"""Bytes of a subnegotiation that is not finished; a longer one is no telnet and is dropped."""

_MAX_REPLIES = 16
"""Replies to one command for one option. A server that still insists gets no more of them."""


class Negotiation:
    """Takes telnet's commands out of what a server sends, and replies to them."""

    def __init__(self) -> None:
        self._pending = b""  # the start of a command whose end has not arrived
        self._on: set[tuple[bytes, bytes]] = set()  # (DO, NAWS): we do it; (WILL, ECHO): it does
        self._replied: Counter[tuple[bytes, bytes]] = Counter()

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the text in ``data``, and the replies to the commands in it."""
        data, self._pending = self._pending + data, b""
        text, replies = bytearray(), bytearray()
        at = 0
        while (found := data.find(IAC, at)) >= 0:
            text += data[at:found]
            end = self._command(data, found, text, replies)
            if end < 0:
                self._pending = data[found:]
                return bytes(text), bytes(replies)
            at = end
        return bytes(text + data[at:]), bytes(replies)

    def _command(self, data: bytes, at: int, text: bytearray, replies: bytearray) -> int:
        """Execute the command at ``at``; return where it ends, or -1 if it is incomplete."""
        command, option = data[at + 1 : at + 2], data[at + 2 : at + 3]
        if not command or (command in (DO, DONT, WILL, WONT, SB) and not option):
            return -1
        if command == IAC:
            text += IAC
        elif command in (DO, DONT, WILL, WONT):
            replies += self._reply(command, option)
            return at + 3
        elif command == SB:
            end = data.find(IAC + SE, at, at + _MAX_SUBNEGOTIATION)
            if end < 0:
                return -1 if len(data) - at < _MAX_SUBNEGOTIATION else at + 2
            if data[at + 2 : end] == TTYPE + SEND:
                replies += IAC + SB + TTYPE + IS + b"dumb" + IAC + SE
            return end + 2
        return at + 2  # NOP, DATA MARK, GO AHEAD: nothing to do

    def _reply(self, command: bytes, option: bytes) -> bytes:
        """Return the reply to a request, if any: none to one that is fulfilled (RFC 1143)."""
        asks = command in (DO, WILL)
        request = command if asks else {DONT: DO, WONT: WILL}[command]
        yes, no = (WILL, WONT) if request == DO else (DO, DONT)
        known = (request, option)
        self._replied[command, option] += 1
        if self._replied[command, option] > _MAX_REPLIES or asks == (known in self._on):
            return b""
        if not asks:
            self._on.discard(known)
            return IAC + no + option
        if option not in (_OFFERED if request == DO else _WANTED):
            return IAC + no + option
        self._on.add(known)
        if known == (DO, NAWS):
            size = struct.pack(">HH", COLUMNS, ROWS).replace(IAC, IAC + IAC)
            return IAC + yes + NAWS + IAC + SB + NAWS + size + IAC + SE
        return IAC + yes + option
