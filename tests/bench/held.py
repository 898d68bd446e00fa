"""What holds the event loop of a daemon, measured from within its process, in CPU time.

CPU time is that of the work itself: other programs on the machine change it little.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass

NOTABLE = 0.010
"""Seconds from which on a step of the loop is kept with its name."""

TICK = 0.001
"""Seconds between two looks at whether the loop turns."""


@dataclass
class Held:
    """The longest holds so far, in seconds of CPU time.

    ``step``: one step of the loop; ``where`` says of which task. ``collection``: one run of the
    garbage collector, in any thread. ``wait``: what the whole process used between two turns of the
    loop, so also what other threads did meanwhile while they kept the interpreter.
    """

    step: float = 0.0
    where: str = ""
    collection: float = 0.0
    wait: float = 0.0

    def clear(self) -> None:
        self.step, self.where, self.collection, self.wait = 0.0, "", 0.0, 0.0

    @property
    def worst(self) -> float:
        return max(self.step, self.collection, self.wait)


@contextlib.contextmanager
def steps_counted(held: Held) -> Iterator[None]:
    """Note the longest step of all event loops of the process."""
    run = asyncio.Handle._run

    def counted(handle: asyncio.Handle) -> None:
        begun = time.thread_time()
        run(handle)
        took = time.thread_time() - begun
        if took > held.step:
            held.step = took
            held.where = where(handle) if took > NOTABLE else ""

    asyncio.Handle._run = counted  # type: ignore[method-assign]
    try:
        yield
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]


@contextlib.contextmanager
def collections_counted(held: Held) -> Iterator[None]:
    """Note the longest run of the garbage collector."""
    begun = 0.0

    def note(phase: str, info: dict[str, int]) -> None:
        nonlocal begun
        if phase == "start":
            begun = time.thread_time()
        else:
            held.collection = max(held.collection, time.thread_time() - begun)

    gc.callbacks.append(note)
    try:
        yield
    finally:
        gc.callbacks.remove(note)


async def watch_waits(held: Held) -> None:
    """Note the longest wait for a turn of the running loop, for ever."""
    before = time.process_time()
    while True:
        await asyncio.sleep(TICK)
        now = time.process_time()
        held.wait = max(held.wait, now - before)
        before = now


def where(handle: asyncio.Handle) -> str:
    """Return what a step of the loop belongs to: its task, and what that waits in now."""
    task = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
    if not isinstance(task, asyncio.Task):
        return repr(handle)[:200]
    names, inner = [task.get_name()], task.get_coro()
    while (code := getattr(inner, "cr_code", None)) is not None:
        names.append(code.co_name)
        inner = inner.cr_await  # type: ignore[union-attr]
    return " > ".join(names)
