"""What a switch asks, at a prompt of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

Answer = Callable[[str], Iterable[str] | None]
"""Is called with what was typed; returns the lines that are printed."""


@dataclass(frozen=True)
class Question:
    """A prompt that waits for an answer: a line or a single key."""

    answered: Answer
    mode: str
    key: bool
    shows_key: bool
