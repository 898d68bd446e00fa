"""The line editor of a VTY: it reads bytes, echoes them, and returns lines and single keys.

It behaves as in IOS and similar systems: which keys edit, and how long lines scroll.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto

MAX_LINE = 254
"""Characters of a command line in IOS. The bell rings for every further one."""

SCROLL = 10
"""Columns by which a line scrolls at the right margin (IOS Configuration Fundamentals, "Using the
CLI": a dollar sign marks a scrolled line)."""

_PRINTABLE = re.compile(rb"[ -~]+")
_UP_TO_HELP = re.compile(rb"[ ->@-~]+")

_CR, _LF, _NUL = 0x0D, 0x0A, 0x00


class Key(Enum):
    """The key that ended a line."""

    ENTER = auto()
    HELP = auto()  # "?"
    INTERRUPT = auto()  # Ctrl-C
    END = auto()  # Ctrl-Z


_CONTROL = {0x03: Key.INTERRUPT, 0x1A: Key.END}


class Editor:
    """Reads one line at a time. What follows the line stays in the caller's buffer."""

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        width: int = 80,
        longest: int = MAX_LINE,
        helps: bool = True,
    ) -> None:
        self._write = write
        self._longest = longest
        self._helps = helps
        self.width = width  # columns; 0: lines never scroll
        self.echo: bool | str = True  # or the text shown for each character
        self.text = ""
        self._prompt = 0
        self._column = 0
        self._help = False
        self._after_cr = False

    def begin(
        self, prompt: str, *, echo: bool | str = True, helps: bool = False, text: str = ""
    ) -> None:
        """Write ``prompt`` and start a new line, which begins with ``text``."""
        self._write(prompt)
        self._prompt = self._column = len(prompt)
        self.echo, self._help, self.text = echo, helps and self._helps, ""
        if text:
            self._type(text)

    def read_key(self, data: bytearray) -> str | None:
        """Remove the first key from ``data``. CR LF and CR NUL are one key."""
        self._drop_second_half(data)
        if not data:
            return None
        key = data.pop(0)
        self._after_cr = key == _CR
        return chr(key)

    def read(self, data: bytearray) -> Key | None:
        """Remove keys from ``data`` until one ends the line; None if no key does.

        CR, CR LF, CR NUL and LF end a line. The line is in ``text``.
        """
        printable = _UP_TO_HELP if self._help else _PRINTABLE
        while data:
            self._drop_second_half(data)
            if run := printable.match(data):
                typed, end = run[0].decode("ascii"), run.end()
                del data[:end]
                self._type(typed)
                continue
            if not data:
                break
            key = data.pop(0)
            if key in (_CR, _LF):
                self._after_cr = key == _CR
                self._write("\n")
                return Key.ENTER
            if key in _CONTROL:
                self._show("^Z\n" if key == 0x1A else "^C\n")
                return _CONTROL[key]
            if key == ord("?"):
                self._show("?\n")
                return Key.HELP
            self._edit(key)
        return None

    def _drop_second_half(self, data: bytearray) -> None:
        if self._after_cr and data:
            self._after_cr = False
            if data[0] in (_LF, _NUL):
                del data[0]

    def _edit(self, key: int) -> None:
        """Backspace and DEL delete a character, Ctrl-U and Ctrl-X the line, Ctrl-W a word."""
        if key in (0x08, 0x7F) and self.text:
            self._erase(1)
        elif key in (0x15, 0x18):
            self._erase(len(self.text))
        elif key == 0x17:
            self._erase(len(self.text) - len(re.sub(r"\S*\s*$", "", self.text)))

    def _erase(self, count: int) -> None:
        self.text = self.text[: len(self.text) - count]
        shown = min(count, self._column - self._prompt)
        self._column -= shown
        self._show("\b \b" * shown)

    def _type(self, typed: str) -> None:
        room = self._longest - len(self.text)
        if len(typed) > room:
            self._write("\a")
            typed = typed[:room]
        if self.echo is not True:
            self.text += typed
            self._write(str(self.echo or "") * len(typed))
            return
        if not self.width or self._column + len(typed) < self.width:
            self.text += typed
            self._column += len(typed)
            self._show(typed)
            return
        for char in typed:
            self.text += char
            self._column += 1
            self._show(char)
            if self._column >= self.width - 1 > self._prompt + SCROLL:
                self._scroll()

    def _scroll(self) -> None:
        length = self._column - self._prompt
        shown = "$" + self.text[len(self.text) - length + SCROLL + 1 :]
        blank = length - len(shown)
        self._show("\b" * length + shown + " " * blank + "\b" * blank)
        self._column = self._prompt + len(shown)

    def _show(self, text: str) -> None:
        if self.echo is True:
            self._write(text)
