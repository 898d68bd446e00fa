"""Converts a switch's output from bytes to plain text without cursor movements."""

from __future__ import annotations

import codecs
import re

_CURSOR = re.compile(r"\x1b(?:\[(?:\d*(?:;0*1?)?[Hf]|0*1?G)|[78])")
"""Moves the cursor to the first column, or to a saved position."""

_CURSOR_LEFT = re.compile(r"\x1b\[\d*D")
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-B]|[=>A-DM-Zc]|\][^\x07\x1b]*(?:\x07|\x1b\\))|\x07"
)
_INCOMPLETE = re.compile(r"\x1b(?:\[[0-9;?]*|[()]|\][^\x07\x1b]*\x1b?)?\Z")
"""An escape sequence whose end has not arrived yet."""

_MAX_PENDING = 1024
"""Characters of it that are kept; a longer one is no escape sequence."""


class Terminal:
    """A terminal that keeps only the text. Characters and sequences may arrive in pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""

    def text(self, data: bytes) -> str:
        """Return the text in the next bytes of output."""
        text = self._pending + self._decoder.decode(data).replace("\x00", "")
        incomplete = _INCOMPLETE.search(text, max(0, len(text) - _MAX_PENDING))
        self._pending = text[incomplete.start() :] if incomplete else ""
        text = text[: incomplete.start()] if incomplete else text
        if "\x1b" in text or "\x07" in text:
            text = _CURSOR.sub("\r", text.replace("\x1bE", "\r\n"))
            text = _ESCAPES.sub("", _CURSOR_LEFT.sub("\x08", text))
        return text
