"""The switch's side of telnet (RFC 854, 855, 857, 858): options, escapes, and nothing else.

A Catalyst opens with WILL ECHO, WILL SUPPRESS-GO-AHEAD, DO TERMINAL-TYPE and DO NAWS and waits for
no answer; so does this. telnetlib3's server would negotiate more than a Catalyst does, and it reads
byte by byte, which a hundred simulated switches in one process would feel.
"""

from __future__ import annotations

from collections.abc import Callable

from telnetlib3.telopt import BRK, DO, DONT, ECHO, IAC, IP, NAWS, SB, SE, SGA, TTYPE, WILL, WONT

GREETING = IAC + WILL + ECHO + IAC + WILL + SGA + IAC + DO + TTYPE + IAC + DO + NAWS
CTRL_C = b"\x03"

_ANSWERS = {DO: (WILL, WONT), WILL: (DO, DONT)}


class TelnetFilter:
    """Takes telnet's commands out of what a client sends, and answers them through ``send``.

    A switch goes on echoing whatever the client says: Python's telnetlib forbids it by default,
    and the tools built on it wait for the echo all the same.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._pending = b""  # a command of which only the beginning has come
        # What is on, or offered and not yet refused: {(DO, ECHO)} means "we echo".
        self._on = {(DO, ECHO), (DO, SGA), (WILL, TTYPE), (WILL, NAWS)}

    def feed(self, data: bytes) -> bytes:
        """Return what of ``data`` is text. A command cut in two waits for its other half."""
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
        """Carry out the command at ``at``; return where it ends, or -1 if it is not whole yet."""
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
        """Answer a wish, unless it only confirms what is so already (RFC 1143 avoids loops)."""
        wish = {DONT: DO, WONT: WILL}.get(command, command)
        known = (wish, option) in self._on
        yes, no = _ANSWERS[wish]
        if command == wish and not known:
            # The client's own SUPPRESS-GO-AHEAD is the one offer that is welcome.
            welcome = (wish, option) in {(WILL, SGA), (DO, ECHO), (DO, SGA)}
            if welcome:
                self._on.add((wish, option))
            self._send(IAC + (yes if welcome else no) + option)
        elif command != wish and known:
            self._on.discard((wish, option))
            self._send(IAC + no + option)
