"""Which lines of a switch's answers are about a port, to be quoted. Nothing is interpreted here."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

MOST_LINES, LONGEST = 24, 160
"""Lines of a port that are quoted at most, and characters of each."""
MOST_READ = 262_144
"""Characters of answers that are searched at most. One that prints more is not quoted."""

_HEAD = re.compile(r"(?:set )?interfaces?\s+(?:port\s+)?(?P<name>\S.*)", re.IGNORECASE)
_IGNORED = frozenset({"!", "#", "exit", "end", "}"})


def excerpts(
    answers: Sequence[str], ports: Iterable[str], canonical: Callable[[str], str]
) -> dict[str, tuple[str, ...]]:
    """Return the lines about each port, by its name in ``ports``; none where no line names it.

    A line about a port is followed by the lines that are indented further. Of a short answer in
    which no line names the port, as where ports are listed by VLAN, all lines are returned.
    ``canonical`` raises ValueError for what is no name of a port.
    """
    wanted = {canonical(port).lower(): port for port in ports}
    found: dict[str, list[str]] = {port: [] for port in wanted.values()}
    if sum(map(len, answers)) > MOST_READ:
        return {}
    names = {**{port.lower(): port for port in wanted.values()}, **wanted}
    everything = [line.rstrip() for answer in answers for line in answer.splitlines()]
    port: str | None = None
    depth = 0
    for line in everything:
        text = line.strip()
        if not text:
            continue
        indent = len(line) - len(line.lstrip())
        if port is None or indent <= depth or _HEAD.match(text):
            port, depth = _named(text, names, canonical), indent
        if port is not None and text not in _IGNORED and len(found[port]) <= MOST_LINES:
            found[port].append(line[:LONGEST])
    rest = [line[:LONGEST] for line in everything if line.strip()]
    whole = rest if len(rest) <= MOST_LINES else []
    return {name: _bounded(lines or whole) for name, lines in found.items()}


def _named(text: str, names: dict[str, str], canonical: Callable[[str], str]) -> str | None:
    """The wanted port that a line names, if it names one."""
    for name in _possible(text):
        if (port := names.get(name.lower())) is not None:
            return port
        with contextlib.suppress(ValueError):
            if (port := names.get(canonical(name).lower())) is not None:
                return port
    return None


def _possible(text: str) -> Iterator[str]:
    """Possible port names in a line: all after ``interface``, or a word of it."""
    head = _HEAD.fullmatch(text)
    if head is not None:
        yield head["name"]
        yield head["name"].split()[0]
    elif len(text) <= LONGEST:
        yield from (word.strip("\"',:{}[]") for word in text.split()[:8])


def _bounded(lines: Sequence[str]) -> tuple[str, ...]:
    return (*lines[:MOST_LINES], *(["…"] if len(lines) > MOST_LINES else []))
