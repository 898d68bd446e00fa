"""The ids by which keys can be changed, and the themes that there are."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

import msgspec
from textual.binding import Binding
from textual.dom import DOMNode
from textual.theme import BUILTIN_THEMES

import haas_console.tui
from haas_console.core.api import near_miss
from haas_console.tui.themes import THEMES


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
    return [*THEMES, *sorted(BUILTIN_THEMES)]


def unknown(keymap: Mapping[str, str]) -> str:
    """Return a sentence on the first id of a keymap that there is not; "" if all are right."""
    known = [key.id for key in bindings()] if keymap else []
    wrong = next((name for name in keymap if name not in known), None)
    if wrong is None:
        return ""
    return (
        f'[keymap]: no key has the id "{wrong}"{near_miss(wrong, known)}:'
        "  haas-console info  lists them."
    )


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
