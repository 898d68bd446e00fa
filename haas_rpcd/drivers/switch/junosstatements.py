"""The statements of a Junos configuration, as ``display set`` shows them."""

from __future__ import annotations

import re

TYPES = ("fe", "ge", "mge", "xe", "et", "ae")
PORT = rf"(?:{'|'.join(TYPES)})-?[\d/]+(?::\d+)?"
"""The names of ports: regular expression."""

_BANNER = re.compile(r"(?:\{[^{}]*\})?(?:\[edit[^\]]*\])?|(?:activate|protect|unprotect) .*")


def statements(answer: str) -> list[str]:
    """Return the statements of ``display set``, without ``set`` and without deactivated ones."""
    lines = [" ".join(line.split()) for line in answer.splitlines()]
    off = [line.removeprefix("deactivate ") for line in lines if line.startswith("deactivate ")]
    return [
        statement
        for statement in (line.removeprefix("set ") for line in lines if line.startswith("set "))
        if not any(f"{statement} ".startswith(f"{path} ") for path in off)
    ]


def strange_lines(answer: str) -> list[str]:
    """Return lines that are not statements, such as those after a page break."""
    return [
        line
        for line in map(str.strip, answer.splitlines())
        if not line.startswith(("set ", "deactivate ")) and not _BANNER.fullmatch(line)
    ]
