"""Splits a configuration into stanzas: a line such as ``interface P``, and the lines below it."""

from __future__ import annotations

import re
from collections.abc import Iterator


def stanzas(
    config: str,
    begin: re.Pattern[str],
    end: re.Pattern[str],
    pause: re.Pattern[str] | None = None,
) -> Iterator[tuple[str, list[str]]]:
    """Yield the first line of each stanza, and its lines without indentation.

    A stanza lasts until a line that matches ``end``, or begins the next one. A line in between that
    is not indented belongs to it all the same: it may be a message that the switch printed in the
    middle, and what follows must not be lost. After a line that matches ``pause`` it goes on only
    if the next line is indented. Lines outside of stanzas come below "".
    """
    header, lines, paused = "", list[str](), False
    for row in config.replace("\r", "").split("\n"):
        if not row.strip():
            continue
        begun = begin.match(row)
        ended = end.match(row) is not None or (paused and not row[0].isspace())
        paused = pause is not None and pause.match(row) is not None and bool(header)
        if (begun is not None or ended) and (header or lines):
            yield header, lines
        if begun is not None:
            header, lines = row.strip(), []
        elif ended:
            header, lines = "", [row.strip()]
        elif not paused:
            lines.append(row.strip())
    if header or lines:
        yield header, lines


_INTERFACE = re.compile(r"interface +(\S+(?: ?\d\S*)?)[ \t]*$", re.I)
_INTERFACE_END = re.compile(r"(?:!|end)\s*$")
_FLAT_INTERFACE = re.compile(rf"\s*{_INTERFACE.pattern}", re.I)
_FLAT_END = re.compile(r"\s*!\s*$")


def interface_sections(config: str, *, indented: bool = True) -> Iterator[tuple[str, list[str]]]:
    """Yield each interface's name, and the lines of its section without comments.

    ``indented``: false if lines of a section, and its end, may be indented or not.
    """
    begin, end = (_INTERFACE, _INTERFACE_END) if indented else (_FLAT_INTERFACE, _FLAT_END)
    for header, lines in stanzas(config, begin, end):
        if named := begin.match(header):
            yield named[1], [line for line in lines if not line.startswith("!")]
