"""Splits a configuration into stanzas: a line such as ``interface P``, and the lines below it."""

from __future__ import annotations

import re
from collections.abc import Iterator


def stanzas(
    config: str, begin: re.Pattern[str], end: re.Pattern[str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield the first line of each stanza, and its lines without indentation.

    A stanza lasts until a line that matches ``end``, or begins the next one. A line in between that
    is not indented belongs to it all the same: it may be a message that the switch printed in the
    middle, and what follows must not be lost.
    """
    header, lines = "", list[str]()
    for row in config.replace("\r", "").split("\n"):
        begun = begin.match(row)
        if begun is not None or end.match(row):
            if header:
                yield header, lines
            header, lines = row.strip() if begun else "", []
        elif header and row.strip():
            lines.append(row.strip())
    if header:
        yield header, lines
