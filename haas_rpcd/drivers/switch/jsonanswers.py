"""Decodes JSON in a switch's answer."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


def decoded(answer: str, opening: str, kind: type[T]) -> T:
    """Decode the JSON from the first ``opening`` bracket to the end of the answer.

    Raises ValueError, also if it has another form than ``kind``.
    """
    start = answer.find(opening)
    try:
        return msgspec.json.decode(answer[start:] if start >= 0 else answer, type=kind)
    except msgspec.DecodeError as error:
        raise ValueError(f"not the expected JSON: {error}") from error
