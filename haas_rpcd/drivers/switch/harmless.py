"""Lines of a port's configuration that do not affect its VLANs.

A port is believed only if each of its lines is understood, or is known to be harmless. Each dialect
lists its own harmless lines; a site adds to them by the option ``ignore`` of a switch.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

IGNORE = "ignore"
"""The option of a switch: a list of regular expressions, each for a whole line."""


class HarmlessLines:
    """Decides whether a line is harmless."""

    def __init__(self, beginnings: Sequence[str], whole: Sequence[str] = ()) -> None:
        """``beginnings``: regular expressions for words that begin a line; ``whole``: for lines.

        Case does not matter. Raises re.error.
        """
        own = "|".join(f"(?:{beginning})" for beginning in beginnings)
        sites = "|".join(f"(?:{line})" for line in whole)
        self._beginning = re.compile(rf"(?:{own})(?:\s|$)", re.I) if own else None
        self._whole = re.compile(sites, re.I) if sites else None

    def __contains__(self, line: str) -> bool:
        return bool(
            (self._beginning is not None and self._beginning.match(line))
            or (self._whole is not None and self._whole.fullmatch(line))
        )


def harmless_lines(beginnings: Sequence[str], options: Mapping[str, Any]) -> HarmlessLines:
    """Return a dialect's harmless lines, and those of the option ``ignore``. Raises re.error."""
    return _compiled(tuple(beginnings), tuple(options.get(IGNORE, ())))


@functools.lru_cache(maxsize=256)
def _compiled(beginnings: tuple[str, ...], whole: tuple[str, ...]) -> HarmlessLines:
    return HarmlessLines(beginnings, whole)
