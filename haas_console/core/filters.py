"""Filters of lists: words that must all fit an item.

A plain word is searched for in all that is shown of the item, a word that begins with ``~`` as a
regular expression. ``field=value`` compares one field, where ``*``, ``?`` and ``[...]`` are
wildcards. ``!`` before any of them inverts it. When nothing fits, :func:`fitting` also accepts
items that have a word's letters in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TypeVar

T = TypeVar("T")

Fields = Mapping[str, Callable[[T], Iterable[str]]]
"""An item's values by field."""

Cells = Callable[[T], Iterable[str]]
"""All that is shown of an item; several texts may be lines of one."""


def parse_filter(
    text: str, fields: Fields[T], cells: Cells[T], *, fuzzy: bool = False
) -> Callable[[T], bool] | None:
    """Read a filter into a test of items; None if there is nothing to test.

    ``fuzzy``: plain words fit where their letters are found in order. Raises ValueError, with a
    sentence, for an unknown field or a malformed regular expression.
    """

    def read(word: str) -> Callable[[T], bool] | None:
        if word.startswith("!"):
            inner = read(word[1:]) if len(word) > 1 else None  # else it is still being typed
            return None if inner is None else lambda item: not inner(item)
        if word.startswith("~"):
            return _pattern(word[1:], cells)
        name, equals, value = word.partition("=")
        wanted = value.lower()
        if not equals:
            return _word(word.lower(), cells, fuzzy=fuzzy)
        values = fields.get(name.lower())
        if values is None:
            raise ValueError(f'There is no field "{name}"; there are: {", ".join(fields)}.')
        if not wanted:
            return None
        if any(sign in wanted for sign in "*?["):
            return lambda item: any(fnmatchcase(v.lower(), wanted) for v in values(item))
        return lambda item: any(v.lower() == wanted for v in values(item))

    tests = [test for word in text.split() if (test := read(word)) is not None]
    return (lambda item: all(test(item) for test in tests)) if tests else None


def fitting(
    items: Iterable[T], text: str, fields: Fields[T], cells: Cells[T]
) -> tuple[list[T], bool]:
    """Return the items that fit a filter, and whether they fit only loosely.

    Raises ValueError as :func:`parse_filter`.
    """
    known = list(items)
    test = parse_filter(text, fields, cells)
    if test is None:
        return known, False
    found = [item for item in known if test(item)]
    if found or not any(word[0] not in "!~" and "=" not in word for word in text.split()):
        return found, False
    loose = parse_filter(text, fields, cells, fuzzy=True)
    found = [item for item in known if loose is not None and loose(item)]
    return found, bool(found)


def _word(word: str, cells: Cells[T], *, fuzzy: bool) -> Callable[[T], bool]:
    if fuzzy:
        spread = re.compile(".*?".join(map(re.escape, word)))
        return lambda item: any(spread.search(cell.lower()) for cell in cells(item))
    return lambda item: any(word in cell.lower() for cell in cells(item))


def _pattern(text: str, cells: Cells[T]) -> Callable[[T], bool] | None:
    if not text:
        return None
    try:
        pattern = re.compile(text, re.IGNORECASE | re.MULTILINE)
    except re.error as error:
        raise ValueError(f'"{text}" is no regular expression: {error}.') from None
    return lambda item: any(pattern.search(cell) for cell in cells(item))
