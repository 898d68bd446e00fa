"""Keeps the garbage collector from holding up the event loop.

A full collection examines every object that may be part of a reference cycle, some 2,000 in a
millisecond. It starts in whichever thread allocates, and holds up all of them: for 0.1 s if it
examines the whole daemon, and for nearly as long in a large job or import. Python starts one when
there are many new objects, so just when it takes long.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

PERIOD = 5.0
"""Seconds between two checks whether a full collection is cheap."""

FEW = 40_000
"""Objects up to which it is: 20 ms."""

GROWTH = 100_000_000
"""Bytes of growth after which a full collection is made although it takes long; see LOOKS."""

LOOKS = 12
"""Looks that such a collection waits for a cheap moment first: most large jobs end meanwhile."""

_NEVER = 1_000_000


@contextlib.contextmanager
def no_full_collections() -> Iterator[None]:
    """Exclude what exists from collections; only :func:`collect_when_cheap` starts a full one.

    Collections of young objects go on: they take a few milliseconds, whatever exists.
    """
    gc.collect()
    gc.freeze()
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)
    try:
        yield
    finally:
        gc.set_threshold(young, middle, old)
        gc.unfreeze()


async def collect_when_cheap(period: float = PERIOD) -> NoReturn:
    """Make full collections for ever: while there is little to examine, or after much growth."""
    size, looks = _resident(), 0
    while True:
        await asyncio.sleep(period)
        looks += 1
        aged = gc.get_count()[2]  # collections whose survivors only a full one examines again
        if aged and (is_cheap() or (looks >= LOOKS and _resident() > size + GROWTH)):
            gc.collect()
            size, looks = _resident(), 0


def is_cheap() -> bool:
    """Return whether a full collection would be short now."""
    return len(gc.get_objects(generation=2)) <= FEW


def _resident() -> int:
    """Return the process' resident memory in bytes: proc_pid_statm(5)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
