"""Filters of lists: words that must all fit an item.

A plain word is searched for in the item's names. ``field=value`` compares one field, where ``*``,
``?`` and ``[...]`` are wildcards. ``!`` before either inverts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TypeVar

T = TypeVar("T")


def parse_filter(
    text: str,
    fields: Mapping[str, Callable[[T], Iterable[str]]],
    contains: Callable[[T, str], bool],
) -> Callable[[T], bool] | None:
    """Read a filter into a test of items; None if there is nothing to test.

    ``fields`` give an item's values by field, ``contains`` searches its names for a word in lower
    case. Raises ValueError, with a sentence, for an unknown field.
    """

    def read(word: str) -> Callable[[T], bool] | None:
        if word.startswith("!"):
            inner = read(word[1:]) if len(word) > 1 else None  # else it is still being typed
            return None if inner is None else lambda item: not inner(item)
        name, equals, value = word.partition("=")
        wanted = value.lower()
        if not equals:
            searched = word.lower()
            return lambda item: contains(item, searched)
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
