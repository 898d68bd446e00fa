"""What was typed into a session and what came back, as far as there is room for it."""

from __future__ import annotations

from collections import deque

HEAD = 2**16
"""Characters of the beginning that are kept."""

TAIL = 2**17
"""Characters of the end that are kept."""


class Transcript:
    """Records a session from its login on. What is between beginning and end is counted only."""

    def __init__(self) -> None:
        self.on = False
        """False while a password may be typed."""
        self._head: list[str] = []
        self._room = HEAD
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._left_out = 0

    def sent(self, text: str) -> None:
        """Record what is typed, a line for each Enter."""
        if self.on:
            lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
            self._add("".join(f"\n> {line}\n" for line in lines))

    def received(self, text: str) -> None:
        """Record what the switch printed."""
        if self.on:
            self._add(text.replace("\r", ""))

    def take(self) -> str:
        """Return what was recorded since the last call."""
        middle = f"\n… {self._left_out:,} characters are left out …\n" if self._left_out else ""
        text = "".join([*self._head, middle, *self._tail])
        self._head, self._room = [], HEAD
        self._tail.clear()
        self._tail_size = self._left_out = 0
        return text.strip()

    def _add(self, text: str) -> None:
        if self._room:
            self._head.append(text[: self._room])
            text = text[self._room :]
            self._room -= len(self._head[-1])
        if not text:
            return
        self._left_out += max(0, len(text) - TAIL)
        self._tail.append(text[-TAIL:])
        self._tail_size += len(self._tail[-1])
        while self._tail_size - len(self._tail[0]) >= TAIL:
            gone = len(self._tail.popleft())
            self._tail_size -= gone
            self._left_out += gone
