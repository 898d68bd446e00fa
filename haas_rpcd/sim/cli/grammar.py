"""A small grammar of command lines: unique abbreviations, and three ways of refusing a line.

A tree is built from patterns such as ``"switchport access vlan <vlan>"``: plain words are keywords
and may be abbreviated, ``<...>`` are arguments, ``[...]`` may be left out (groups may hold several
words and nest), and ``access|trunk`` is one of these keywords, which `Args.word` tells when it is
named: ``mode:access|trunk``. A leading ``[no]``, or whatever the vendor negates with, takes the
line both ways. Each word is matched against the keywords at its place first; only what is the
beginning of none of them is read as an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Generic, Protocol, TypeVar, cast

from haas_rpcd.sim.cli.portname import (
    IncompleteNameError,
    NoSuchPortError,
    PortNames,
    agreement,
)
from haas_rpcd.sim.cli.vlans import MAX_VLAN, MIN_VLAN, parse_list

H = TypeVar("H")


class RefusedError(Exception):
    """A line that the switch refuses to parse."""


class InvalidError(RefusedError):
    """``% Invalid input``; ``at`` is the column of the caret within the line.

    The caret stands under the first character that fits nothing, which in a mistyped keyword is
    not its first one.
    """

    def __init__(self, at: int, word: int) -> None:
        super().__init__(at)
        self.at = at
        self.word = word  # which word was refused: 0 is the first one looked at


class IncompleteError(RefusedError):
    """``% Incomplete command.``"""


class AmbiguousError(RefusedError):
    """``% Ambiguous command:``"""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line, and its column."""

    text: str
    at: int


class Line:
    """A line and its words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = [Word(m[0], m.start()) for m in re.finditer(r"\S+", text)]

    def column(self, index: int) -> int:
        """Column of a word, or the end of the line."""
        return self.words[index].at if index < len(self.words) else len(self.text)

    def index(self, column: int) -> int:
        """Index of the first word that begins at ``column`` or later."""
        return sum(word.at < column for word in self.words)


class Argument(Protocol):
    """One kind of ``<argument>``."""

    @property
    def help(self) -> str:
        """What ``?`` shows for it."""

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read a value at word ``index``; return it and the index after it."""


@dataclass(frozen=True)
class Number:
    """A decimal number within bounds, both included."""

    low: int
    high: int

    @property
    def help(self) -> str:
        """As IOS shows it: ``<1-4094>``."""
        return f"<{self.low}-{self.high}>"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read one number."""
        word = line.words[index]
        if re.fullmatch(r"[0-9]+", word.text) and self.low <= int(word.text) <= self.high:
            return int(word.text), index + 1
        raise InvalidError(word.at, index)


@dataclass(frozen=True)
class Text:
    """A single word of at most ``longest`` characters."""

    longest: int = 254
    help: str = "WORD"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read one word."""
        word = line.words[index]
        if len(word.text) > self.longest:
            raise InvalidError(word.at + self.longest, index)
        return word.text, index + 1


@dataclass(frozen=True)
class Pattern:
    """A single word that fits a regular expression as a whole, whatever the case."""

    regex: str
    help: str = "WORD"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read one word."""
        word = line.words[index]
        if not re.fullmatch(self.regex, word.text, re.IGNORECASE):
            raise InvalidError(word.at, index)
        return word.text, index + 1


@dataclass(frozen=True)
class Vlans:
    """A list of VLANs, ``1,10-12``, in one word, or with other separators up to the line's end."""

    comma: str = ","
    to: str = "-"
    low: int = MIN_VLAN
    high: int = MAX_VLAN
    help: str = "VLAN_LIST"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read one list into a frozenset."""
        word = line.words[index]
        rest = not self.comma.strip()
        text = line.text[word.at :] if rest else word.text
        try:
            vlans = parse_list(text, self.comma, self.to)
        except ValueError:
            raise InvalidError(word.at, index) from None
        if min(vlans) < self.low or max(vlans) > self.high:
            raise InvalidError(word.at, index)
        return vlans, len(line.words) if rest else index + 1


class Rest:
    """Everything up to the end of the line, blanks within it included."""

    help = "LINE"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read the rest of the line."""
        return line.text[line.column(index) :].rstrip(), len(line.words)


class PortName:
    """The name of a port of this switch, in one word or in two (``gi 1/0/1``)."""

    help = "IFNAME"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read one name."""
        try:
            name, end = names.read(line.text, line.column(index))
        except NoSuchPortError as error:
            raise InvalidError(error.at, index) from None
        except IncompleteNameError:
            raise IncompleteError from None
        if line.text[end : end + 1].strip():  # "gi1/0/1x"
            raise InvalidError(end, index)
        return name, line.index(end)


class PortRange:
    """A range of ports, as `Naming` has them: the argument of ``interface range``."""

    help = "IFNAME"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read the range."""
        try:
            ports, end = names.read_range(line.text, line.column(index))
        except NoSuchPortError as error:
            raise InvalidError(error.at, index) from None
        except IncompleteNameError:
            raise IncompleteError from None
        return ports, line.index(end)


@dataclass(frozen=True)
class Args:
    """What a matched line carried."""

    no: bool = False
    values: Mapping[str, object] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        """The argument called ``name``: a word, a rest of line, or a port's full name."""
        return cast(str, self.values[name])

    def number(self, name: str) -> int:
        """The number called ``name``."""
        return cast(int, self.values[name])

    def word(self, name: str) -> str:
        """The keyword that was typed, in full, where the pattern names several."""
        return cast(str, self.values[name])

    def vlans(self, name: str) -> frozenset[int]:
        """The VLANs of a list."""
        return cast("frozenset[int]", self.values[name])

    def ports(self, name: str) -> tuple[str, ...]:
        """The full names of the ports of a range."""
        return cast("tuple[str, ...]", self.values[name])


@dataclass
class _Node(Generic[H]):
    keywords: dict[str, _Node[H]] = field(default_factory=dict)
    argument: tuple[str, Argument, _Node[H]] | None = None
    handler: H | None = None
    words: Mapping[str, str] = field(default_factory=dict)  # named keywords on the way here


class Tree(Generic[H]):
    """The commands of one mode, each with its handler. ``negation``: what takes a line back."""

    def __init__(self, arguments: Mapping[str, Argument], negation: str = "no") -> None:
        self._arguments = arguments
        self._negation = negation
        self._root: _Node[H] = _Node()

    def add(self, pattern: str, handler: H) -> None:
        """Let ``pattern`` be answered by ``handler``."""
        for words in _variants(pattern):
            choices = [_alternatives(word) for word in words]
            for chosen in product(*choices):
                node = self._place([word for _, word in chosen])
                node.handler = handler
                node.words = {name: word for name, word in chosen if name}

    def reserve(self, prefix: str, words: str) -> None:
        """Know keywords that are not simulated, so that abbreviations clash as on the device."""
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
        """Find the handler of a line, from word ``start`` on.

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
        """What could be typed next: for ``?``. Empty if the line fits nothing so far."""
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
    """Write out what the brackets of a pattern may leave out."""
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
    """Take ``name:one|other`` apart into pairs of name and keyword."""
    if word.startswith("<") or word == "|":
        return [("", word)]
    name, colon, keywords = word.partition(":")
    if colon and keywords:
        return [(name, keyword) for keyword in keywords.split("|")]
    return [("", keyword) for keyword in word.split("|")]
