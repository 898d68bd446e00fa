"""What a command line is made of: words, and the arguments that stand for ``<...>`` in patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from haas_rpcd.sim.cli.portname import IncompleteNameError, NoSuchPortError, PortNames
from haas_rpcd.sim.cli.vlans import MAX_VLAN, MIN_VLAN, parse_list


class RefusedError(Exception):
    """The switch refuses to parse a line."""


class InvalidError(RefusedError):
    """``% Invalid input``. ``at`` is the column of the caret within the line.

    The caret is under the first character that matches nothing. In a mistyped keyword that need not
    be the keyword's first character. ``word``: which word was refused, counting from the first one
    that was parsed.
    """

    def __init__(self, at: int, word: int) -> None:
        super().__init__(at)
        self.at = at
        self.word = word


class IncompleteError(RefusedError):
    """``% Incomplete command.``"""


class AmbiguousError(RefusedError):
    """``% Ambiguous command:``"""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line and its column."""

    text: str
    at: int


class Line:
    """A line and its words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = [Word(m[0], m.start()) for m in re.finditer(r"\S+", text)]

    def column(self, index: int) -> int:
        """Return the column of a word, or of the end of the line."""
        return self.words[index].at if index < len(self.words) else len(self.text)

    def index(self, column: int) -> int:
        """Return the index of the first word that begins at ``column`` or later."""
        return sum(word.at < column for word in self.words)


class Argument(Protocol):
    """One kind of ``<argument>``."""

    @property
    def help(self) -> str:
        """What ``?`` shows for it."""

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read a value at word ``index``; return it and the index of the next word."""


@dataclass(frozen=True)
class Number:
    """A decimal number within inclusive bounds."""

    low: int
    high: int

    @property
    def help(self) -> str:
        """The bounds as IOS shows them: ``<1-4094>``."""
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
    """A single word that matches a regular expression as a whole. Case is ignored."""

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
    """A list of VLANs in one word, ``1,10-12``. With blanks as separators: up to the line's end."""

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
    """The rest of the line, including blanks."""

    help = "LINE"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read the rest of the line."""
        return line.text[line.column(index) :].rstrip(), len(line.words)


class PortName:
    """The name of a port of the switch, in one word or in two (``gi 1/0/1``)."""

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
    """A range of ports: the argument of ``interface range``. See `Naming`."""

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


ARGUMENTS: Mapping[str, Argument] = {
    "vlan": Number(1, 4094),
    "number": Number(0, 65535),
    "vlans": Vlans(),
    "word": Text(),
    "line": Rest(),
    "port": PortName(),
    "ports": PortRange(),
}
"""The arguments that patterns may name. Vendors add their own."""
