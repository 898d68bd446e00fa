"""Filters of output: what may follow the bar in ``show ... | include ...``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from haas_rpcd.sim.cli.arguments import IncompleteError, InvalidError, Line, RefusedError, Rest
from haas_rpcd.sim.cli.grammar import Args, Tree
from haas_rpcd.sim.cli.portname import NO_PORTS

Filter = Callable[[list[str]], Iterable[str]]
Made = Callable[[re.Pattern[str]], Filter]


class BadPatternError(RefusedError):
    """The regular expression of a filter is invalid."""


def read_filter(filters: Mapping[str, Made], line: Line, offset: int) -> Filter:
    """Parse the text after the ``|``: a keyword of ``filters`` and a regular expression.

    ``offset``: the column of that text. Only keywords that end in ``<line>`` have an expression.
    """
    tree: Tree[Made] = Tree({"line": Rest()})
    for pattern, made in filters.items():
        tree.add(pattern, made)
    if not line.words:
        raise IncompleteError
    try:
        made, args = tree.match(line, NO_PORTS)
    except InvalidError as error:
        raise InvalidError(error.at + offset, error.word + 1) from None
    return made(_compiled(args))


def _compiled(args: Args) -> re.Pattern[str]:
    try:
        return re.compile(args.text("line") if "line" in args else "")
    except re.error:
        raise BadPatternError from None


def include(pattern: re.Pattern[str]) -> Filter:
    """Keep lines that match."""
    return lambda lines: [line for line in lines if pattern.search(line)]


def exclude(pattern: re.Pattern[str]) -> Filter:
    """Keep lines that do not match."""
    return lambda lines: [line for line in lines if not pattern.search(line)]


def begin(pattern: re.Pattern[str]) -> Filter:
    """Keep everything from the first line that matches."""

    def begin(lines: list[str]) -> Iterator[str]:
        begun = False
        for line in lines:
            begun = begun or pattern.search(line) is not None
            if begun:
                yield line

    return begin


def section(pattern: re.Pattern[str]) -> Filter:
    """Keep lines that match, and the indented lines below them."""

    def section(lines: list[str]) -> Iterator[str]:
        inside = False
        for line in lines:
            inside = pattern.search(line) is not None or (inside and line.startswith(" "))
            if inside:
                yield line

    return section


def whole(pattern: re.Pattern[str]) -> Filter:
    """Keep all lines, for keywords such as ``no-more``."""
    return lambda lines: lines


FILTERS: Mapping[str, Made] = {
    "include <line>": include,
    "exclude <line>": exclude,
    "begin <line>": begin,
    "section <line>": section,
}
