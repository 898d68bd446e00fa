"""Runs of ports: which can be named together in one ``interface range``."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

_NAME = re.compile(r"([A-Za-z-]+) ?(\d.*)$")
_NUMBER = re.compile(r"\d+")


def written_out(
    port: str, types: Iterable[str], short_forms: Mapping[str, str] | None = None
) -> str:
    """Write a port's type out and its numbers plainly: ``gi1/0/01`` is ``GigabitEthernet1/0/1``.

    A type is given by its beginning, or by one of the ``short_forms`` (in small letters). One that
    is not known stays as it is, in small letters. ValueError where several may be meant.
    """
    found = _NAME.match(port)
    if found is None:
        return port.lower()
    return _type(found[1].lower(), tuple(types), short_forms, port) + _NUMBER.sub(
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
    """Give the types by their names in small letters: most ports come written out already."""
    return {kind.lower(): kind for kind in types}


class Span(NamedTuple):
    """Neighbouring ports: ``prefix`` and the first and last of the number behind it."""

    prefix: str
    first: int
    last: int

    @property
    def names(self) -> tuple[str, ...]:
        """Every port's own name."""
        return tuple(f"{self.prefix}{number}" for number in range(self.first, self.last + 1))


def spans(ports: Iterable[str]) -> Iterator[Span]:
    """Give the runs of ports, each as long as it can be, in the order of their numbers.

    A port whose name does not end in a number that can be counted is a run of its own, with
    ``prefix`` all of its name but the last number and both numbers the same; one without any number
    has the numbers -1, and its whole name is the prefix.
    """
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


def names(span: Span) -> tuple[str, ...]:
    """Give every port's name in a run."""
    return span.names if span.first >= 0 else (span.prefix,)


def grouped(ports: Sequence[str], most: int) -> Iterator[list[Span]]:
    """Give the runs of ports, at most ``most`` of them at a time."""
    runs = list(spans(ports))
    for at in range(0, len(runs), most):
        yield runs[at : at + most]
