"""An event loop that asks first, each time it wakes, whether it may go on.

A process can be stopped for minutes without knowing it: by a signal, or with its whole virtual
machine. When it goes on, what devices answered meanwhile is handled before any timer, and would
lead to the next line. So what a former master must not do any more can't be left to a timer.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable


class WakingLoop(asyncio.SelectorEventLoop):
    """The event loop of one of two masters. ``at_waking`` is called before anything is handled."""

    def __init__(self) -> None:
        self.at_waking: Callable[[], None] | None = None
        super().__init__(_Selector(self))


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: WakingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(timeout)
        if self._loop.at_waking is not None:
            self._loop.at_waking()
        return ready
