"""From the bytes that a switch writes to plain text: what only moves a cursor is taken out."""

from __future__ import annotations

import codecs
import re

_CURSOR = re.compile(r"\x1b(?:\[(?:\d*(?:;0*1?)?[Hf]|0*1?G)|[78])")
"""The cursor is moved to the first column, or to where it once was."""

_CURSOR_LEFT = re.compile(r"\x1b\[\d*D")
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-B]|[=>A-DM-Zc]|\][^\x07\x1b]*(?:\x07|\x1b\\))|\x07"
)
_ESCAPE_BEGUN = re.compile(r"\x1b(?:\[[0-9;?]*|[()]|\][^\x07\x1b]*\x1b?)?\Z")
"""A sequence of which only the beginning has come."""


class Terminal:
    """A terminal that keeps nothing but the text; characters and sequences may come in pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""

    def text(self, data: bytes) -> str:
        """Give what came as text."""
        text = self._begun + self._decoder.decode(data).replace("\x00", "")
        begun = _ESCAPE_BEGUN.search(text)
        self._begun = text[begun.start() :] if begun else ""
        text = text[: begun.start()] if begun else text
        if "\x1b" in text or "\x07" in text:
            text = _CURSOR.sub("\r", text.replace("\x1bE", "\r\n"))
            text = _ESCAPES.sub("", _CURSOR_LEFT.sub("\x08", text))
        return text
