"""Parses long texts in a thread, so that no call waits for a talkative device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_LONG = 2**16
"""Characters of a text from which on parsing may take more than some milliseconds."""


async def beside(length: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return ``work(*args, **kwargs)``: in a thread if it handles a long text.

    ``work`` must be pure. A thread gives up the interpreter every 5 ms, whatever it does.
    """
    if length < _LONG:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
