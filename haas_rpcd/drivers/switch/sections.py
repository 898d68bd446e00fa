"""Splits a running configuration into its ``interface`` sections, and loses no line of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_BEGINNING = re.compile(r"interface +(\S+(?: ?\d\S*)?)[ \t]*$", re.I)


def interface_sections(
    config: str, ends: Collection[str] = ("!", "end")
) -> Iterator[tuple[str, list[str]]]:
    """Yield each interface's name and lines.

    A section ends at the next one, or at a line of ``ends`` that is not indented. All that stands
    before it belongs to the section, indented or not: an unknown message in the middle must not
    hide the lines behind it. It is one more line of that port, and the port is not understood.
    """
    name = ""
    lines: list[str] = []
    for row in config.replace("\r", "").split("\n"):
        text = row.strip()
        begun = _BEGINNING.match(row)
        if begun or (text in ends and not row[:1].isspace()):
            if name:
                yield name, lines
            name, lines = (begun[1] if begun else ""), []
        elif name and text and not text.startswith("!"):
            lines.append(text)
    if name:
        yield name, lines
