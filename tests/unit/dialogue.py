"""A switch that says what a test has it say: a transport without a connection."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

CLOSED = None
"""In a dialogue: the switch closes the connection."""


class Dialogue:
    """Says its first part at once, and each further part after a line was sent.

    A part may be a sequence of pieces, which are read one by one. After the last part the switch
    is silent, or, after :data:`CLOSED`, gone.
    """

    def __init__(self, *parts: str | Sequence[str] | None) -> None:
        self._parts = list(parts)
        self._pieces: list[bytes] = []
        self._gone = False
        self._arrived = asyncio.Event()
        self.sent: list[str] = []
        self._next()

    async def read(self) -> bytes:
        while not self._pieces and not self._gone:
            self._arrived.clear()
            await self._arrived.wait()
        return self._pieces.pop(0) if self._pieces else b""

    def write(self, data: bytes) -> None:
        for line in data.decode().split("\r\n")[:-1]:
            self.sent.append(line)
            self._next()

    async def close(self) -> None:
        self._gone = True

    async def abort(self) -> None:
        self._gone = True

    def _next(self) -> None:
        if not self._parts:
            return
        part = self._parts.pop(0)
        if part is not None:
            pieces = [part] if isinstance(part, str) else part
            self._pieces += [re.sub(r"\r?\n", "\r\n", piece).encode() for piece in pieces]
        if self._parts and self._parts[0] is None:
            self._parts.pop(0)
            self._gone = True
        self._gone = self._gone or part is None
        self._arrived.set()
