"""The screen that a program's bytes make: pyte, fed with what it understands."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pyte

from tests.tui.harness.keys import Place

# pyte draws the rest of what it does not know as text: device control strings, CSI with <, = or >
# (kitty's keyboard), and questions about modes. OSC it knows, but keeps no clipboard.
_STRANGE = re.compile(
    rb"""
    \x1bP (?P<dcs> .*?) (?<!\x1b)\x1b\\
    | \x1b\]52; [^;]* ; (?P<copied> [A-Za-z0-9+/=]*) (?: \x07 | \x1b\\)
    | \x1b\] [^\x07\x1b]* (?: \x07 | \x1b\\)
    | \x1b\[ (?: [<=>] [0-?]* [\x20-/]* | [0-?]* [\x20-/]* \$) [@-~]
    | (?P<cut> \x1b (?: P.* | \] [^\x07\x1b]* \x1b? | \[ [0-?]* [\x20-/]* )? \Z)
    """,
    re.DOTALL | re.VERBOSE,
)


class Screen:
    """The cells of the screen, and what was copied to the clipboard (OSC 52)."""

    def __init__(self, columns: int, lines: int) -> None:
        self.clipboard: list[str] = []
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; an escape sequence may arrive in pieces."""
        data, self._tail = self._tail + data, b""
        self._stream.feed(_STRANGE.sub(self._strange, data))

    def _strange(self, found: re.Match[bytes]) -> bytes:
        self._tail = found["cut"] or b""
        if found["copied"]:
            self.clipboard.append(base64.b64decode(found["copied"]).decode())
        if (inner := found["dcs"]) and inner.startswith(b"tmux;"):  # for the terminal around tmux
            _STRANGE.sub(self._strange, inner.removeprefix(b"tmux;").replace(b"\x1b\x1b", b"\x1b"))
        return b""

    def resize(self, columns: int, lines: int) -> None:
        """Change the size; the program is expected to paint again."""
        self._screen.resize(lines, columns)

    @property
    def lines(self) -> list[str]:
        """The text, line by line, without blanks at the ends."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The text, without empty lines at the end."""
        return "\n".join(self.lines).rstrip()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        return self._screen.columns, self._screen.lines

    def places(self, text: str) -> Iterator[Place]:
        """Every place where a text begins, from the top."""
        for row, line in enumerate(self._screen.display):
            column = line.find(text)
            while column >= 0:
                yield column, row
                column = line.find(text, column + 1)

    def find(self, text: str, *, after: Place = (-1, -1)) -> Place:
        """The first place where a text begins, in reading order after ``after``.

        Raises LookupError with the whole screen.
        """
        for column, row in self.places(text):
            if (row, column) > (after[1], after[0]):
                return column, row
        raise LookupError(f"{text!r} is not on the screen:\n{self.text}")

    def style(self, at: Place) -> tuple[str, str, bool, bool]:
        """Foreground, background (``default``, a name or rrggbb), bold and reverse of a cell."""
        cell = self._screen.buffer[at[1]][at[0]]
        return cell.fg, cell.bg, cell.bold, cell.reverse

    def colours(self) -> set[str]:
        """Every colour that is on the screen."""
        cells = (
            self._screen.buffer[y][x] for y in range(self.size[1]) for x in range(self.size[0])
        )
        return {colour for cell in cells for colour in (cell.fg, cell.bg)}

    def hidden(self) -> str:
        """Text that nobody can read, because it has the colour of its background."""
        columns, lines = self.size
        cells = (self._screen.buffer[y][x] for y in range(lines) for x in range(columns))
        return "".join(
            cell.data for cell in cells if cell.data.strip() and cell.fg == cell.bg != "default"
        )
