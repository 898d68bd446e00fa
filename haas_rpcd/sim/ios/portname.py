"""Names of interfaces, in every spelling IOS takes, and ranges of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

TYPES = {
    "FastEthernet": "Fa",
    "GigabitEthernet": "Gi",
    "TenGigabitEthernet": "Te",
}
"""Interface types and the short form that IOS prints in tables."""

MAX_RANGE_PARTS = 5
"""Comma-separated parts of one ``interface range`` (Catalyst 2960 command reference)."""

_NAME = re.compile(r"(?P<type>[A-Za-z]+)(?P<gap>\s*)(?P<number>[\d/]*)")
_LAST = re.compile(r"(?P<before>\s*)-\s*(?P<number>\d*)")
_COMMA = re.compile(r"(?P<before>\s*),\s*")


class NoSuchPortError(ValueError):
    """The text names no interface; ``at`` is the column of the first character that fits none."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class IncompleteNameError(ValueError):
    """The text ends where a part of the name is still wanted."""


def split(name: str) -> tuple[str, str]:
    """Take ``GigabitEthernet1/0/1`` apart into its type and number; ValueError for other text."""
    match = re.fullmatch(r"([A-Za-z]+)(\d+(?:/\d+)*)", name)
    if match is None or match[1] not in TYPES:
        raise ValueError(f"not the full name of an interface: {name!r}")
    return match[1], match[2]


def short(name: str) -> str:
    """``Gi1/0/1`` for ``GigabitEthernet1/0/1``."""
    kind, number = split(name)
    return TYPES[kind] + number


def gigabit(count: int, prefix: str = "1/0/") -> list[str]:
    """Full names of ``count`` gigabit ports, numbered from 1 as on a 2960S: ``1/0/1`` onwards."""
    return [f"GigabitEthernet{prefix}{i}" for i in range(1, count + 1)]


class PortNames:
    """The interfaces one switch has, looked up by what a user types."""

    def __init__(self, names: Iterable[str]) -> None:
        self.all = tuple(names)
        self._numbers: dict[str, set[str]] = {}
        for name in self.all:
            kind, number = split(name)
            self._numbers.setdefault(kind, set()).add(number)

    def read(self, text: str, start: int) -> tuple[str, int]:
        """Read one name from column ``start``; return its full form and the column after it.

        Raises `NoSuchPortError`, or `IncompleteNameError` where the number is missing.
        """
        match = _NAME.match(text, start)
        if match is None:
            raise NoSuchPortError(start)
        kind = self._type(match["type"], start)
        if not match["number"]:
            if match.end() < len(text):
                raise NoSuchPortError(match.end())
            raise IncompleteNameError
        number = match["number"]
        if number not in self._numbers[kind]:
            raise NoSuchPortError(match.start("number") + self._good_part(kind, number))
        return kind + number, match.end()

    def read_range(self, text: str, start: int) -> tuple[str, ...]:
        """Read ``gi1/0/1 - 24 , gi1/0/30`` up to the end of the line.

        The manual's spacing is demanded: a blank before the hyphen and before the comma
        (Catalyst 2960 command reference, "interface range"). At most `MAX_RANGE_PARTS` parts.
        Raises as `read` does.
        """
        ports: dict[str, None] = {}  # keeps the order, drops what is named twice
        at, end = start, len(text.rstrip())
        for _ in range(MAX_RANGE_PARTS):
            first, at = self.read(text, at)
            ports[first] = None
            if last := _LAST.match(text, at):
                ports.update(dict.fromkeys(self._upto(first, last, at)))
                at = last.end()
            if at >= end:
                return tuple(ports)
            comma = _COMMA.match(text, at)
            if comma is None or not comma["before"]:
                raise NoSuchPortError(at)
            at = comma.end()
        raise NoSuchPortError(at)

    def _upto(self, first: str, last: re.Match[str], at: int) -> list[str]:
        if not last["before"]:
            raise NoSuchPortError(at)
        if not last["number"]:
            raise IncompleteNameError
        kind, number = split(first)
        slot, _, low = number.rpartition("/")
        numbers = range(int(low), int(last["number"]) + 1)
        names = [f"{kind}{slot}/{i}" if slot else f"{kind}{i}" for i in numbers]
        if not names or any(split(name)[1] not in self._numbers[kind] for name in names):
            raise NoSuchPortError(last.start("number"))
        return names

    def _type(self, typed: str, at: int) -> str:
        found = [kind for kind in self._numbers if kind.lower().startswith(typed.lower())]
        if len(found) == 1:
            return found[0]
        raise NoSuchPortError(at + agreement(typed, self._numbers))

    def _good_part(self, kind: str, number: str) -> int:
        """How many characters of a wrong number are right: whole components only."""
        good = 0
        for match in re.finditer("/", number):
            head = number[: match.end()]
            if not any(known.startswith(head) for known in self._numbers[kind]):
                break
            good = match.end()
        return good


NO_PORTS = PortNames(())
"""For grammars that name no interface."""


def agreement(typed: str, keywords: Iterable[str]) -> int:
    """Length of the longest beginning of ``typed`` that begins some keyword, whatever the case."""
    typed = typed.lower()
    lowered = [keyword.lower() for keyword in keywords]
    length = 0
    while length < len(typed) and any(k.startswith(typed[: length + 1]) for k in lowered):
        length += 1
    return length
