"""Names of ports in all spellings that a vendor accepts, and ranges of ports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


class NoSuchPortError(ValueError):
    """The text names no port. ``at``: the column of the first character that matches none."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class IncompleteNameError(ValueError):
    """The text ends before the name is complete."""


@dataclass(frozen=True)
class Naming:
    """How a vendor names ports.

    ``kinds``: the text before the number in a full name -> its short form in tables:
    ``{"GigabitEthernet": "Gi"}``, or ``{"": ""}`` if a port is only a number. Users may type any
    beginning of a kind, its short form, or one of ``aliases`` (typed -> kind). Case is ignored.
    ``kind`` and ``number`` are regular expressions for the two parts, and ``gap`` for the text
    between them. ``separator``: the characters between the parts of a number.

    Ranges: ``to`` and ``comma`` are regular expressions, including blanks, for the text between the
    ends of a range and between parts. ``ends`` lists what may follow ``to``: the last part of a
    number (``last``), a whole number (``number``) or a whole name (``name``). ``bare``: after a
    comma the kind may be omitted. ``max_parts``: the greatest number of parts.
    """

    kinds: Mapping[str, str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    kind: str = r"[A-Za-z]+"
    gap: str = r"\s*"
    number: str = r"[\d/]*"
    separator: str = "/"
    to: str = r"\s*-\s*"
    comma: str = r"\s*,\s*"
    ends: tuple[str, ...] = ("last",)
    bare: bool = False
    max_parts: int = 1000

    def split(self, name: str) -> tuple[str, str]:
        """Split a full name into its kind and its number. Raises ValueError."""
        for kind in sorted(self.kinds, key=len, reverse=True):
            number = name[len(kind) :]
            if name.startswith(kind) and number and re.fullmatch(self.number, number):
                return kind, number
        raise ValueError(f"not the full name of a port: {name!r}")

    def full(self, typed: str) -> str:
        """Return the full form of a name. The port need not exist. Raises ValueError."""
        match = re.fullmatch(
            rf"(?P<kind>{self.kind}){self.gap}(?P<number>{self.number})", typed.strip()
        )
        if match is None or not match["number"]:
            raise ValueError(typed)
        lowered = match["kind"].strip().lower()
        for alias, kind in self.aliases.items():
            if lowered == alias.lower():
                return kind + match["number"]
        names = {kind: kind.strip().lower() for kind in self.kinds}
        exact = [
            kind
            for kind, name in names.items()
            if lowered in (name, self.kinds[kind].strip().lower())
        ]
        found = exact or [kind for kind, name in names.items() if name.startswith(lowered)]
        if len(found) != 1:
            raise ValueError(typed)
        return found[0] + match["number"]

    def short(self, name: str) -> str:
        """Return the short form: ``Gi1/0/1`` for ``GigabitEthernet1/0/1``."""
        kind, number = self.split(name)
        return self.kinds[kind] + number


class PortNames:
    """The ports of a switch, found by what a user types."""

    def __init__(
        self, naming: Naming, names: Iterable[str], channels: Mapping[str, range] | None = None
    ) -> None:
        """``names``: the hardware's ports. ``channels``: kinds of ports that users make, and the
        numbers that these may have."""
        self.naming = naming
        self.all = tuple(names)
        self._channels = dict(channels or {})
        self._name = re.compile(
            rf"(?P<kind>{naming.kind})(?P<gap>{naming.gap})(?P<number>{naming.number})"
        )
        self._to, self._comma = re.compile(naming.to), re.compile(naming.comma)
        self._bare = re.compile(naming.number)
        self._numbers: dict[str, set[str]] = {}
        for name in self.all:
            kind, number = naming.split(name)
            self._numbers.setdefault(kind, set()).add(number)
        for kind, numbers in self._channels.items():
            self._numbers[kind] = {str(number) for number in numbers}

    @property
    def channels(self) -> frozenset[str]:
        """The full names of all ports that users may make."""
        return frozenset(
            f"{kind}{number}" for kind, numbers in self._channels.items() for number in numbers
        )

    def is_channel(self, name: str) -> bool:
        """Return whether a full name is that of a port which users make."""
        return self.naming.split(name)[0] in self._channels

    def read(self, text: str, start: int) -> tuple[str, int]:
        """Read a name at column ``start``; return its full form and the column after it.

        Raises `NoSuchPortError`, or `IncompleteNameError` if the number is missing.
        """
        match = self._name.match(text, start)
        if match is None:
            raise NoSuchPortError(start)
        kind = self._kind(match["kind"], start)
        if not match["number"]:
            if match.end() < len(text):
                raise NoSuchPortError(match.end())
            raise IncompleteNameError
        return self._known(kind, match["number"], match.start("number")), match.end()

    def read_range(self, text: str, start: int) -> tuple[tuple[str, ...], int]:
        """Read a range up to a blank or the end of the line.

        Return the ports, in order and each once, and the column after the range. Raises as `read`.
        """
        ports: dict[str, None] = {}
        at = start
        kind = ""
        for part in range(self.naming.max_parts):
            first, at = self._first(text, at, kind if part else "")
            kind, _ = self.naming.split(first)
            ports[first] = None
            if to := self._to.match(text, at):
                names, at = self._upto(first, text, to.end())
                ports.update(dict.fromkeys(names))
            comma = self._comma.match(text, at)
            if comma is None or comma.end() == at:
                if text[at : at + 1].strip():
                    raise NoSuchPortError(at)
                return tuple(ports), at
            at = comma.end()
        raise NoSuchPortError(at)

    def _first(self, text: str, at: int, kind: str) -> tuple[str, int]:
        bare = self._bare.match(text, at)
        if self.naming.bare and kind and bare and bare[0]:
            return self._known(kind, bare[0], at), bare.end()
        return self.read(text, at)

    def _upto(self, first: str, text: str, at: int) -> tuple[list[str], int]:
        """Read the end of a range; return the ports in between and the column after it."""
        kind, number = self.naming.split(first)
        ends = self.naming.ends
        slot, low = self._halves(number)
        match = self._bare.match(text, at)
        last = match[0] if match else ""
        end = match.end() if match else at
        if not last and "name" in ends and at < len(text.rstrip()):
            name, end = self.read(text, at)
            other, last = self.naming.split(name)
            if other != kind:
                raise NoSuchPortError(at)
            slot_of_last = self._halves(last)[0]
        elif not last:
            raise IncompleteNameError
        elif self._halves(last)[0] or (not slot and "last" not in ends):
            if "number" not in ends:
                raise NoSuchPortError(at)
            slot_of_last = self._halves(last)[0]
        elif "last" in ends:
            slot_of_last = slot
        else:
            raise NoSuchPortError(at)
        high = self._halves(last)[1]
        if slot_of_last != slot or not (low.isdigit() and high.isdigit()):
            raise NoSuchPortError(at)
        numbers = [f"{slot}{each}" for each in range(int(low), int(high) + 1)]
        if not numbers or any(each not in self._numbers[kind] for each in numbers):
            raise NoSuchPortError(at)
        return [kind + each for each in numbers], end

    def _halves(self, number: str) -> tuple[str, str]:
        """Split a number after its last separator: ``1/0/`` and ``7``."""
        at = max(number.rfind(each) for each in self.naming.separator) + 1
        return number[:at], number[at:]

    def _known(self, kind: str, number: str, at: int) -> str:
        if number not in self._numbers[kind]:
            raise NoSuchPortError(at + self._good_part(kind, number))
        return kind + number

    def _kind(self, typed: str, at: int) -> str:
        lowered = typed.lower()
        for alias, kind in self.naming.aliases.items():
            if lowered == alias.lower() and kind in self._numbers:
                return kind
        found = [
            kind
            for kind in self._numbers
            if kind.lower().startswith(lowered) or lowered == self.naming.kinds[kind].lower()
        ]
        if len(found) == 1:
            return found[0]
        raise NoSuchPortError(at + agreement(typed, self._numbers))

    def _good_part(self, kind: str, number: str) -> int:
        """Return how many characters of a wrong number are right, in whole components."""
        good = 0
        for match in re.finditer(f"[{re.escape(self.naming.separator)}]", number):
            head = number[: match.end()]
            if not any(known.startswith(head) for known in self._numbers[kind]):
                break
            good = match.end()
        return good


NO_PORTS = PortNames(Naming({}), ())
"""For grammars without ports."""


def agreement(typed: str, keywords: Iterable[str]) -> int:
    """Return how many characters of ``typed`` begin some keyword. Case is ignored."""
    typed = typed.lower()
    lowered = [keyword.lower() for keyword in keywords]
    length = 0
    while length < len(typed) and any(k.startswith(typed[: length + 1]) for k in lowered):
        length += 1
    return length
