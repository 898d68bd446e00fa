"""Encoded answers that are kept until something is written.

Only what admins get is kept. A tenant could tell from the time that its list takes whether anybody
has written since its last call, and so count its neighbours' work.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

from haas_rpcd.auth import Caller

MOST_BYTES = 2**23
"""Bytes that all kept answers and their params may have; one of them may have a quarter."""

_MANY, _LONG = 16, 256
"""Params, and characters of one, from which on a call is not worth a key: no list needs that."""

Key = tuple[Caller, str, str]
"""A caller with all that limits it, a method, and its params as JSON."""


def key_of(caller: Caller, method: str, params: dict[str, Any] | list[Any]) -> Key | None:
    """Return the key of a call; None if it has long params.

    JSON tells apart 1, 1.0 and true, which Python calls equal.
    """
    if len(params) > _MANY:
        return None
    names_and_values = (*params, *params.values()) if isinstance(params, dict) else params
    for value in names_and_values:
        if isinstance(value, list | dict) or (isinstance(value, str) and len(value) > _LONG):
            return None
    return caller, method, json.dumps(params)


class KeptAnswers:
    """The answers to the calls made since the last write; the least used ones make room."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._version: int | None = None
        self._answers: OrderedDict[Key, bytes] = OrderedDict()
        self._size = 0

    def get(self, key: Key, version: int | None) -> bytes | None:
        """Return the answer to a call, if it was made at this version of the database."""
        if version is None or version != self._version:
            self._answers.clear()
            self._version, self._size = version, 0
            return None
        if key in self._answers:
            self._answers.move_to_end(key)
        return self._answers.get(key)

    def put(self, key: Key, version: int | None, answer: bytes) -> None:
        """Keep the answer to a call that was read from the database at a version, or later."""
        size = _size(key, answer)
        if version is None or version != self._version or key in self._answers:
            return
        if size > self._most // 4:
            return
        self._answers[key] = answer
        self._size += size
        while self._size > self._most:
            self._size -= _size(*self._answers.popitem(last=False))


def _size(key: Key, answer: bytes) -> int:
    return len(key[2]) + len(answer)
