"""The line editor of a VTY: bytes in, whole lines and single keys out, echo on the way.

It is IOS's, and its kin's: keys that edit, and how a line scrolls that is wider than the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto

MAX_LINE = 254
"""Characters in a command line of IOS; the bell rings at what comes after."""

SCROLL = 10
"""Columns by which a line that reaches the right margin moves left (IOS Configuration
Fundamentals, "Using the CLI": a dollar sign shows that it was scrolled)."""

_PRINTABLE = re.compile(rb"[ -~]+")
_UP_TO_HELP = re.compile(rb"[ ->@-~]+")

_CR, _LF, _NUL = 0x0D, 0x0A, 0x00


class Key(Enum):
    """What ended the reading of a line."""

    ENTER = auto()
    HELP = auto()  # "?"
    INTERRUPT = auto()  # Ctrl-C
    END = auto()  # Ctrl-Z


_CONTROL = {0x03: Key.INTERRUPT, 0x1A: Key.END}


class Editor:
    """Reads a line at a time; whatever comes after the line stays in the caller's buffer."""

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
        self.width = width  # columns; 0 means that lines never scroll
        self.echo: bool | str = True  # or what is shown in place of each character
        self.text = ""
        self._prompt = 0
        self._column = 0
        self._help = False
        self._after_cr = False

    def begin(
        self, prompt: str, *, echo: bool | str = True, helps: bool = False, text: str = ""
    ) -> None:
        """Write ``prompt`` and start a new line (or go on with ``text``)."""
        self._write(prompt)
        self._prompt = self._column = len(prompt)
        self.echo, self._help, self.text = echo, helps and self._helps, ""
        if text:
            self._type(text)

    def read_key(self, data: bytearray) -> str | None:
        """Take one key off the front of ``data``; CR LF and CR NUL are one key."""
        self._drop_second_half(data)
        if not data:
            return None
        key = data.pop(0)
        self._after_cr = key == _CR
        return chr(key)

    def read(self, data: bytearray) -> Key | None:
        """Take keys off the front of ``data`` until something ends the line, or none are left.

        CR, CR LF, CR NUL and LF all end it. The line stands in ``text``.
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
        """Backspace and DEL take a character, Ctrl-U and Ctrl-X the line; the rest does nothing."""
        if key in (0x08, 0x7F) and self.text:
            self._erase(1)
        elif key in (0x15, 0x18):
            self._erase(len(self.text))
        elif key == 0x17:  # Ctrl-W: the word before the cursor
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
