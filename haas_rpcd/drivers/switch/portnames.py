"""Names of ports: their canonical spelling, and which of them one ``interface range`` can name."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

_NAME = re.compile(r"([A-Za-z-]+) ?(\d.*)$")
_NUMBER = re.compile(r"\d+")


def written_out(
    port: str, types: tuple[str, ...], short_forms: Mapping[str, str] | None = None
) -> str:
    """Write a port's type in full, its numbers plainly: ``gi1/0/01`` is ``GigabitEthernet1/0/1``.

    A type may be shortened to any prefix, or to one of ``short_forms`` (keys in lower case). An
    unknown type is only converted to lower case. Raises ValueError if the type is ambiguous.
    """
    if short_forms is None:
        return _remembered(port, types)
    return _written_out(port, types, short_forms)


@functools.lru_cache(16384)
def _remembered(port: str, types: tuple[str, ...]) -> str:
    """Remember names: a check reads those of a switch's ports several times, and so do others."""
    return _written_out(port, types, None)


def _written_out(port: str, types: tuple[str, ...], short_forms: Mapping[str, str] | None) -> str:
    found = _NAME.match(port)
    if found is None:
        return port.lower()
    return _type(found[1].lower(), types, short_forms, port) + _NUMBER.sub(
        lambda number: str(int(number[0])), found[2].lower()
    )


def _type(
    short: str, types: tuple[str, ...], short_forms: Mapping[str, str] | None, port: str
) -> str:
    if short_forms is None and short in _lowered(types):
        return _lowered(types)[short]
    meant = [kind for kind in types if kind.lower().startswith(short)]
    exact = [kind for kind in meant if kind.lower() == short]
    if short_forms and short in short_forms:
        exact = [short_forms[short]]
    if len(exact or meant) > 1:
        raise ValueError(f"{port} may be {' or '.join(meant)}: write the type out")
    return (exact or meant or [short])[0]


@functools.cache
def _lowered(types: tuple[str, ...]) -> dict[str, str]:
    """Return the types by their lower-case names; most names arrive with the type in full."""
    return {kind.lower(): kind for kind in types}


class PortNames(NamedTuple):
    """The names that the ports of a family can have."""

    pattern: re.Pattern[str]
    """Matches every canonical name."""

    described: str
    """What the names are, for people who gave another one."""


def of_types(types: Iterable[str], numbers: str = r"\d[\d/:]*") -> PortNames:
    """Return the names that begin with one of these types and end with numbers."""
    listed = list(types)
    known = "|".join(map(re.escape, listed))
    return PortNames(re.compile(f"(?:{known}){numbers}"), f"types: {', '.join(listed)}")


_LONGEST_SPAN = 4096
"""Numbers of ports or VLANs that one span has at most."""


def numbers(first: str, last: str) -> range:
    """Return the numbers of a span of ports or VLANs that a switch shows: 1 and 24 of ``1-24``.

    Raises ValueError if it is none: a lying or confused switch must not keep the daemon counting.
    """
    low, high = int(first), int(last)
    if not low <= high < low + _LONGEST_SPAN:
        raise ValueError(f"{first}-{last} is no span of ports or VLANs")
    return range(low, high + 1)


class Span(NamedTuple):
    """Consecutive ports: a common prefix, and the first and last of the number after it.

    A name without a countable number at its end is a span of its own: the whole name is the prefix,
    and both numbers are -1.
    """

    prefix: str
    first: int
    last: int

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all its ports."""
        if self.first < 0:
            return (self.prefix,)
        return tuple(f"{self.prefix}{number}" for number in range(self.first, self.last + 1))

    @property
    def ends(self) -> tuple[str, ...]:
        """The names of its first and its last port; one name if it is a single port."""
        return (self.names[0], self.names[-1]) if self.last > self.first else self.names

    def text(self, dash: str = "-") -> str:
        """Return ``Gi1/0/1-24``, or the name of a single port."""
        if self.last > self.first:
            return f"{self.prefix}{self.first}{dash}{self.last}"
        return self.names[0]

    @property
    def numbers(self) -> str:
        """The numbers without the prefix: ``1-24``, or ``7``."""
        return f"{self.first}-{self.last}" if self.last > self.first else str(self.first)


def spans(ports: Iterable[str]) -> Iterator[Span]:
    """Group ports into the longest possible spans, in the order of their numbers."""
    numbered: dict[str, list[int]] = {}
    for port in ports:
        match = re.fullmatch(r"(.*?)(0|[1-9]\d*)", port)
        prefix, number = (match[1], int(match[2])) if match else (port, -1)
        numbered.setdefault(prefix, []).append(number)
    for prefix, numbers in numbered.items():
        first = last = None
        for number in sorted(numbers):
            if first is None or last is None:
                first = last = number
            elif number == last + 1 and last >= 0:
                last = number
            else:
                yield Span(prefix, first, last)
                first = last = number
        if first is not None and last is not None:
            yield Span(prefix, first, last)


def grouped(ports: Sequence[str], most: int) -> Iterator[list[Span]]:
    """Yield the spans of some ports in groups of at most ``most``."""
    found = list(spans(ports))
    for at in range(0, len(found), most):
        yield found[at : at + most]


def joined(spans: Iterable[Span]) -> str:
    """Write spans as most families take them: ``Gi1/0/1-24,Gi1/0/30``."""
    return ",".join(span.text() for span in spans)
