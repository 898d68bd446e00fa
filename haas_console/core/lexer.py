"""Splits lines into words: quotes as in a shell, ``#`` comments, a final backslash joins lines.

Python's ``shlex`` comes close, but it ends a word at a ``#`` inside it and does not count lines. A
quote must end on its own line, so that a forgotten one is reported where it is, and not at the next
apostrophe twenty lines below.
"""

from __future__ import annotations

from dataclasses import dataclass

from haas_console.core.errors import CommandSyntaxError

_BLANK = " \t\r\f\v"
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_")


@dataclass(frozen=True)
class Statement:
    """One command as words; ``line`` is its first line, counted from 1."""

    line: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class BadStatement:
    """A line with an unclosed quote; ``line`` as in :class:`Statement`."""

    line: int
    error: CommandSyntaxError


class _Scanner:
    """Reads a text, one statement for each call of :meth:`statement`."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self.at = 0
        self.line = 1

    @property
    def more(self) -> bool:
        return self.at < len(self.text)

    def _next(self) -> str:
        char = self.text[self.at]
        self.at += 1
        self.line += char == "\n"
        return char

    def skip_line(self) -> None:
        """Skip the rest of the current line."""
        while self.more and self._next() != "\n":
            pass

    def statement(self) -> list[str]:
        """The words up to the end of the line; raises CommandSyntaxError for an unclosed quote."""
        words: list[str] = []
        word: str | None = None  # None between words: '' is a word
        while self.more:
            char = self._next()
            if char == "\n":
                break
            if char in _BLANK:
                if word is not None:
                    words.append(word)
                word = None
            elif char == "#" and word is None:
                self.skip_line()
                break
            elif char in "'\"":
                word = (word or "") + self._quoted(char)
            elif char == "\\":
                escaped = self._escaped()
                word = word if escaped == "" else (word or "") + escaped
            else:
                word = (word or "") + char
        if word is not None:
            words.append(word)
        return words

    def _escaped(self) -> str:
        if not self.more:
            raise CommandSyntaxError("nothing follows the backslash at the end")
        char = self._next()
        return "" if char == "\n" else char

    def _quoted(self, quote: str) -> str:
        found: list[str] = []
        while self.more:
            char = self._next()
            if char == quote:
                return "".join(found)
            if char == "\n":
                self.at, self.line = self.at - 1, self.line - 1
                break
            if quote == '"' and char == "\\" and self.text[self.at : self.at + 1] in ("\n", *'"\\'):
                found.append(self._escaped())
            else:
                found.append(char)
        raise CommandSyntaxError(f"the quote {quote} is not closed on its line")


def split_line(text: str) -> list[str]:
    """Split one line; raises CommandSyntaxError for an unclosed quote or a second line."""
    scanner = _Scanner(text)
    words = scanner.statement()
    while scanner.more:
        if scanner.statement():
            raise CommandSyntaxError("one line at a time, please")
    return words


def statements(text: str) -> list[Statement | BadStatement]:
    """Split a script into statements, without blank lines and comments."""
    found: list[Statement | BadStatement] = []
    scanner = _Scanner(text)
    while scanner.more:
        start = scanner.line
        try:
            words = scanner.statement()
        except CommandSyntaxError as error:
            found.append(BadStatement(start, error))
            scanner.skip_line()
        else:
            if words:
                found.append(Statement(start, tuple(words)))
    return found


def quote_word(word: str) -> str:
    """Quote a word so that :func:`split_line` reads it back.

    Raises ValueError for a word with a line break, which no line can hold.
    """
    if "\n" in word:
        raise ValueError("a value with a line break cannot be written on a command line")
    if word and all(char in _SAFE for char in word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"
