"""The ids by which keys can be changed, and the names of the themes."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator, Mapping
from importlib import import_module

import msgspec
from textual.binding import Binding
from textual.dom import DOMNode

import haas_console.tui
from haas_console.core.api import near_miss
from haas_console.tui.themes import names


class Key(msgspec.Struct, frozen=True):
    """A key of the console: its id in ``[keymap]``, its default keys, and what it does."""

    id: str
    keys: str
    does: str


def bindings() -> list[Key]:
    """Return all keys that have an id, by id. It imports every screen."""
    for module in pkgutil.walk_packages(haas_console.tui.__path__, "haas_console.tui."):
        import_module(module.name)
    found = {key.id: key for cls in _subclasses(DOMNode) for key in _own_keys(cls)}
    return [found[name] for name in sorted(found)]


def themes() -> list[str]:
    """Return the names of the themes, our own first."""
    return names()


def unknown(keymap: Mapping[str, str]) -> str:
    """Return a sentence about the first unknown id of a keymap; "" if all are known."""
    known = [key.id for key in bindings()] if keymap else []
    wrong = next((name for name in keymap if name not in known), None)
    if wrong is None:
        return ""
    return (
        f'[keymap]: no key has the id "{wrong}"{near_miss(wrong, known)}:'
        "  haas-console info  lists them."
    )


_NAME = re.compile(r"(?:(?:ctrl|alt|shift)\+)*[a-z0-9_]+|.")
_EVERYWHERE = frozenset({"app", "open", "list", "screen", "prompt"})
"""The first parts of the ids of keys that work on every screen."""


def read_keys(typed: str) -> str:
    """Return keys as ``[keymap]`` has them: ``x``, ``ctrl+x``, or several with commas.

    Raises ValueError with a sentence.
    """
    keys = [key.strip() for key in typed.split(",") if key.strip()] or [typed.strip()]
    for key in keys:
        if not _NAME.fullmatch(key):
            raise ValueError(f'"{key}" is no key: type one such as  x, X, ctrl+x, f5  or  slash')
    return ",".join(keys)


def conflicts(name: str, keys: str, now: Mapping[str, str]) -> tuple[str, str]:
    """Return the ids that have one of these keys: on the same screen, and where both can be meant.

    ``now`` has the keys of all ids. Each of the two is "" if there is none.
    """
    place, wanted = name.partition(".")[0], set(_normal(keys))
    same, others = "", ""
    for other, has in now.items():
        there = other.partition(".")[0]
        if other == name or not wanted & set(_normal(has)):
            continue
        if there == place:
            same = same or other
        elif there in _EVERYWHERE or place in _EVERYWHERE:
            others = others or other
    return same, others


def _normal(keys: str) -> list[str]:
    """The keys by their names: ``/`` is ``slash``."""
    made = Binding.make_bindings([(keys, "x", "x")])
    return [each.key for each in made]


def _subclasses(cls: type[DOMNode]) -> Iterator[type[DOMNode]]:
    each: type[DOMNode]
    for each in cls.__subclasses__():
        yield each
        yield from _subclasses(each)


def _own_keys(cls: type[DOMNode]) -> Iterator[Key]:
    if not cls.__module__.startswith("haas_console."):
        return
    for each in cls.__dict__.get("BINDINGS", ()):
        if isinstance(each, Binding) and each.id:
            yield Key(each.id, each.key, each.tooltip or each.description)
