"""A small grammar of command lines, with unique abbreviations of keywords.

A tree is built from patterns such as ``"switchport access vlan <vlan>"``. Plain words are keywords,
which may be abbreviated. ``<...>`` is an argument. ``[...]`` is optional; groups may hold several
words and may be nested. ``access|trunk`` is one of these keywords; if it has a name, as in
``mode:access|trunk``, `Args.word` returns the keyword. A leading ``[no]``, or another negation,
makes two commands of a pattern. Each word is compared with the keywords at its place first. It is
read as an argument only if it is the beginning of none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Generic, TypeVar, cast

from haas_rpcd.sim.cli.arguments import (
    AmbiguousError,
    Argument,
    IncompleteError,
    InvalidError,
    Line,
    RefusedError,
)
from haas_rpcd.sim.cli.portname import PortNames, agreement

H = TypeVar("H")


@dataclass(frozen=True)
class Args:
    """The values in a line that matched a pattern."""

    no: bool = False
    values: Mapping[str, object] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        """Return an argument: a word, the rest of the line, or a port's full name."""
        return cast(str, self.values[name])

    def number(self, name: str) -> int:
        """Return an argument that is a number."""
        return cast(int, self.values[name])

    def word(self, name: str) -> str:
        """Return the keyword that was typed, in full, of a named choice."""
        return cast(str, self.values[name])

    def vlans(self, name: str) -> frozenset[int]:
        """Return an argument that is a list of VLANs."""
        return cast("frozenset[int]", self.values[name])

    def ports(self, name: str) -> tuple[str, ...]:
        """Return an argument that is a range of ports, as full names."""
        return cast("tuple[str, ...]", self.values[name])


@dataclass
class _Node(Generic[H]):
    keywords: dict[str, _Node[H]] = field(default_factory=dict)
    argument: tuple[str, Argument, _Node[H]] | None = None
    handler: H | None = None
    words: Mapping[str, str] = field(default_factory=dict)  # named keywords on the path


class Tree(Generic[H]):
    """The commands of one mode, each with its handler. ``negation``: the word that negates them."""

    def __init__(self, arguments: Mapping[str, Argument], negation: str = "no") -> None:
        self._arguments = arguments
        self._negation = negation
        self._root: _Node[H] = _Node()

    def add(self, pattern: str, handler: H) -> None:
        """Add a command."""
        for words in _variants(pattern):
            choices = [_alternatives(word) for word in words]
            for chosen in product(*choices):
                node = self._place([word for _, word in chosen])
                node.handler = handler
                node.words = {name: word for name, word in chosen if name}

    def reserve(self, prefix: str, words: str) -> None:
        """Add keywords without a command, so that abbreviations are ambiguous as on the device."""
        for word in words.split():
            self._place([*prefix.split(), word])

    def _place(self, words: Iterable[str]) -> _Node[H]:
        node = self._root
        for word in words:
            if not word.startswith("<"):
                node = node.keywords.setdefault(word, _Node())
                continue
            name = word.strip("<>")
            if node.argument is None:
                node.argument = (name, self._arguments[name], _Node())
            elif node.argument[0] != name:
                raise ValueError(f"two arguments in one place: <{node.argument[0]}> and {word}")
            node = node.argument[2]
        return node

    def match(self, line: Line, names: PortNames, start: int = 0) -> tuple[H, Args]:
        """Find the handler of a line, starting at word ``start``.

        Raises `InvalidError`, `IncompleteError` or `AmbiguousError`.
        """
        node, index, values = self._root, start, dict[str, object]()
        negated = False
        while index < len(line.words):
            keyword = _keyword(node, line.words[index].text)
            if keyword is not None:
                negated |= keyword == self._negation and index == start
                node = node.keywords[keyword]
                index += 1
            elif node.argument is not None:
                name, argument, node = node.argument
                values[name], index = argument.take(line, index, names)
            else:
                word = line.words[index]
                raise InvalidError(word.at + agreement(word.text, node.keywords), index - start)
        if node.handler is None:
            raise IncompleteError
        return node.handler, Args(negated, {**values, **node.words})

    def choices(self, line: Line, names: PortNames, start: int = 0) -> list[str]:
        """Return what may be typed next, for ``?``. Empty if the line matches nothing."""
        whole = line.text.endswith(" ") or not line.text
        node, index = self._root, start
        while index < len(line.words) - (not whole):
            try:
                keyword = _keyword(node, line.words[index].text)
                if keyword is not None:
                    node = node.keywords[keyword]
                    index += 1
                elif node.argument is not None:
                    _, argument, node = node.argument
                    _, index = argument.take(line, index, names)
                else:
                    return []
            except RefusedError:
                return []
        begun = "" if whole else line.words[-1].text.lower()
        found = sorted(k for k in node.keywords if k.lower().startswith(begun))
        if whole:
            found += [node.argument[1].help] if node.argument else []
            found += ["<cr>"] if node.handler is not None else []
        return found


def _keyword(node: _Node[H], typed: str) -> str | None:
    typed = typed.lower()
    if typed in node.keywords:
        return typed
    found = [keyword for keyword in node.keywords if keyword.lower().startswith(typed)]
    if len(found) > 1:
        raise AmbiguousError
    return found[0] if found else None


def _variants(pattern: str) -> list[list[str]]:
    """Expand a pattern into all variants with and without its optional parts."""
    found: list[list[str]] = [[]]
    words: list[str] = re.findall(r"[][]|[^][\s]+", pattern)
    at = 0
    while at < len(words):
        if words[at] != "[":
            found = [[*each, words[at]] for each in found]
            at += 1
            continue
        depth, end = 1, at + 1
        while depth:
            depth += {"[": 1, "]": -1}.get(words[end], 0)
            end += 1
        inner = _variants(" ".join(words[at + 1 : end - 1]))
        found += [[*each, *more] for each in found for more in inner]
        at = end
    return found


def _alternatives(word: str) -> list[tuple[str, str]]:
    """Split ``name:one|other`` into pairs of name and keyword."""
    if word.startswith("<") or word == "|":
        return [("", word)]
    name, colon, keywords = word.partition(":")
    if colon and keywords:
        return [(name, keyword) for keyword in keywords.split("|")]
    return [("", keyword) for keyword in word.split("|")]
