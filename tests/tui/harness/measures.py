"""What the console's gestures cost in bytes on a terminal, and the budgets they must keep.

Bytes are what a user over SSH pays; they don't depend on the machine, so they are asserted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from tests.tui.harness import keys
from tests.tui.harness.keys import Place
from tests.tui.harness.terminal import Terminal

IDLE, MOVE, DRAG, DROP, DOWN, PAGE, APPLY = (
    "idle, 3 s",
    "mouse move",
    "drag move",
    "drop",
    "cursor down",
    "page down",
    "apply, each second",
)
BUDGETS = {IDLE: 0, MOVE: 600, DRAG: 300, DROP: 1000, DOWN: 500, PAGE: 10_000, APPLY: 2000}
"""Bytes at most, at 120x40."""

STEPS = 10


@dataclass(frozen=True)
class Cost:
    """What each of several gestures of one kind wrote, in bytes."""

    what: str
    sizes: tuple[int, ...]

    @property
    def most(self) -> int:
        """The dearest of them."""
        return max(self.sizes)

    @property
    def budget(self) -> int:
        """What the dearest may cost."""
        return BUDGETS[self.what]

    @property
    def over(self) -> bool:
        """Whether it costs more."""
        return self.most > self.budget

    def __str__(self) -> str:
        sizes = " ".join(str(size) for size in self.sizes)
        return f"{self.what}: {self.most} of {self.budget} bytes ({sizes})"


def idle(terminal: Terminal) -> Cost:
    """Leave it alone."""
    return Cost(IDLE, (terminal.idle(3.0).size,))


def mouse_moves(terminal: Terminal, start: Place, end: Place) -> Cost:
    """Move the mouse over the board, with no button held."""
    return _each(terminal, MOVE, map(keys.move, _some(start, end)))


def cursor_down(terminal: Terminal) -> Cost:
    """Go down line by line."""
    return _each(terminal, DOWN, [keys.DOWN] * STEPS)


def page_down(terminal: Terminal) -> Cost:
    """Go down page by page; the first page does not scroll, so it does not count."""
    terminal.gesture(keys.PAGE_DOWN)
    return _each(terminal, PAGE, [keys.PAGE_DOWN] * 3)


def drag_and_drop(terminal: Terminal, nic: Place, network: Place) -> tuple[Cost, Cost]:
    """Drag a nic onto a network, and drop it; the drop counts all that the answer changes."""
    terminal.gesture(keys.press(nic))
    terminal.gesture(keys.drag((nic[0] + 3, nic[1])))  # a drag begins
    moves = _each(terminal, DRAG, map(keys.drag, _some((nic[0] + 3, nic[1]), network)))
    drop = terminal.gesture(keys.release(network), quiet=0.6)
    return moves, Cost(DROP, (drop.size,))


def apply_cost(terminal: Terminal, start: bytes, running: str, done: str) -> Cost:
    """Start an apply that takes a while, and count from ``running`` on the screen to ``done``."""
    terminal.feed(start)
    terminal.wait_for(running)
    mark, begun = terminal.total, time.monotonic()
    terminal.wait_for(done)
    return Cost(APPLY, (round((terminal.total - mark) / (time.monotonic() - begun)),))


def _some(start: Place, end: Place) -> list[Place]:
    way = keys.path(start, end)
    return [way[(step + 1) * len(way) // STEPS - 1] for step in range(STEPS)]


def _each(terminal: Terminal, what: str, inputs: Iterable[bytes]) -> Cost:
    return Cost(what, tuple(terminal.gesture(data).size for data in inputs))
