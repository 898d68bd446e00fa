"""The filter of what happened: the events and the audit trail take the same. Pure.

It is that of every list (:mod:`haas_console.core.filters`) with two fields more: ``since`` and
``until`` take a time, or how long ago that was: ``since=1h``, ``until=2026-01-31``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from haas_console.core import filters
from haas_console.core.objects import KINDS, Ref


class Happening(Protocol):
    """Something that happened: when (epoch), who did it, and what it was about."""

    @property
    def at(self) -> float:
        """When, in seconds since the epoch."""

    @property
    def who(self) -> str:
        """The user; empty for the daemon itself, or if that is not known."""

    @property
    def project(self) -> str | None:
        """The project that it was done in."""

    @property
    def objects(self) -> tuple[str, ...]:
        """What it was about, each with its noun: ``node node-1``, ``network red/net``."""

    @property
    def cells(self) -> Iterable[str]:
        """All that is shown of it."""


H = TypeVar("H", bound=Happening)

NOUNS = ("node", "nic", "port", "network", "headnode", "switch", "job", "token")


def _named(noun: str) -> Callable[[Happening], list[str]]:
    def names(happening: Happening) -> list[str]:
        full = [each.partition(" ")[2] for each in happening.objects if each.startswith(f"{noun} ")]
        short = [each.rpartition("/")[2] for each in full if noun in ("network", "headnode")]
        return full + short

    return names


def _objects(happening: Happening) -> list[str]:
    return [*happening.objects, *(each.partition(" ")[2] for each in happening.objects)]


FIELDS: dict[str, Callable[[Happening], Iterable[str]]] = {
    "user": lambda happening: (happening.who or "none",),
    "object": _objects,
    "project": lambda happening: (happening.project or "none",),
    **{noun: _named(noun) for noun in NOUNS},
    "since": lambda happening: (),
    "until": lambda happening: (),
}


def parse_filter(text: str, now: float | None = None) -> Callable[[Happening], bool] | None:
    """Read a filter of what happened; None if it tests nothing. Raises ValueError."""
    rest, tests = [], []
    for word in text.split():
        bare = word.removeprefix("!")
        name, equals, value = bare.partition("=")
        if name.lower() not in ("since", "until") or not equals:
            rest.append(word)
        elif value:
            wanted = name.lower() == "since"
            tests.append(_time_test(instant(value, now), wanted is not word.startswith("!")))
    words = filters.parse_filter(" ".join(rest), FIELDS, lambda each: each.cells)
    if words is not None:
        tests.append(words)
    return (lambda happening: all(test(happening) for test in tests)) if tests else None


def _time_test(instant: float, since: bool) -> Callable[[Happening], bool]:
    return lambda happening: (happening.at >= instant) is since


def fitting(found: Iterable[H], text: str, now: float | None = None) -> list[H]:
    """Return what fits a filter, in its order. Raises ValueError as :func:`parse_filter`."""
    test = parse_filter(text, now)
    return [each for each in found if test is None or test(each)]


def asked(text: str, now: float | None = None) -> dict[str, Any]:
    """The part of a filter that the daemon understands, as params of ``audit.list``.

    It finds older records than those that were read. Raises ValueError.
    """
    parse_filter(text, now)
    params: dict[str, Any] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        name = name.lower()
        if word.startswith(("!", "~")) or not value or any(sign in value for sign in "*?["):
            continue
        if name in ("since", "until"):
            params[name] = instant(value, now)
        elif value == "none":
            continue
        elif name in ("user", "project", "object"):
            params[name] = value
        elif name in NOUNS and "object" not in params and _is_whole(name, value):
            params["object"] = f"{name} {value}"
    return params


def _is_whole(noun: str, name: str) -> bool:
    """Whether a name is one that the trail has: a network's has its project before it."""
    return noun not in ("network", "headnode", "port") or "/" in name


# --- times ----------------------------------------------------------------------------------------

_AGO = re.compile(r"(\d+)(s|m|h|d|w)$")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def instant(text: str, now: float | None = None) -> float:
    """Read a time, in seconds since the epoch; those without a zone are by the user's clock.

    ``90s``, ``5m``, ``1h``, ``2d`` and ``1w`` are so long ago; ``today`` and ``yesterday`` began
    at midnight; ``14:30`` is today. Raises ValueError with a sentence.
    """
    now = time.time() if now is None else now
    if (ago := _AGO.match(text)) is not None:
        return now - int(ago[1]) * _UNITS[ago[2]]
    today = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    match text:
        case "now":
            return now
        case "today":
            return today.timestamp()
        case "yesterday":
            return (today - timedelta(days=1)).timestamp()
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        text = f"{today.date().isoformat()}T{text.zfill(5)}"
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise ValueError(
            f'"{text}" is no time; there are: 30m, 1h, 2d, today, yesterday, 14:30, 2026-01-31,'
            " 2026-01-31T12:00:00Z."
        ) from None


# --- where it leads -------------------------------------------------------------------------------


def object_ref(text: str) -> Ref | None:
    """The object that is named with its noun; None if it has no details."""
    noun, _, name = text.partition(" ")
    kind = next((kind for kind in KINDS if kind == noun), None)
    if kind is None or not name or (noun == "job" and not name.isdigit()):
        return None
    return Ref(kind, name)
