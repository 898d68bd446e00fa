"""What the console's gestures cost in bytes on a terminal, and the budgets they must keep.

Bytes are what a user over SSH pays; they don't depend on the machine, so they are asserted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from tests.tui.harness import keys
from tests.tui.harness.keys import Place
from tests.tui.harness.terminal import QUIET, Gesture, Terminal

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

TIMES = 8
MOVED = 0.1
"""Seconds of quiet after a move of the mouse, of which there are many."""
PAUSE = 0.15
"""Seconds without a byte between two bursts of an apply's progress."""
ANSWERED = 0.6
"""Seconds of quiet after which a gesture that calls the daemon is over, with its events."""


@dataclass(frozen=True)
class Cost:
    """What several gestures of one kind wrote; ``size``, in bytes, is compared with the budget."""

    what: str
    size: float
    gestures: tuple[Gesture, ...] = ()

    @property
    def budget(self) -> int:
        """The budget in bytes."""
        return BUDGETS[self.what]

    @property
    def over(self) -> bool:
        """Whether it costs more than its budget."""
        return self.size > self.budget

    @property
    def sizes(self) -> str:
        """The bytes of each."""
        return " ".join(str(gesture.size) for gesture in self.gestures)

    def __str__(self) -> str:
        text = f"{self.what}: {self.size:.0f} bytes, at most {self.budget} ({self.sizes})"
        if not self.over or not self.gestures:
            return text
        dearest = max(self.gestures, key=lambda gesture: gesture.size)
        lines = ", ".join(f"{line}: {cost}" for line, cost in list(dearest.lines().items())[:10])
        return f"{text}; the dearest by line of the screen: {lines}; it is {dearest.data[:1000]!r}"


def idle(terminal: Terminal) -> Cost:
    """Do nothing."""
    left = terminal.idle(3.0)
    return Cost(IDLE, left.size, (left,))


def mouse_moves(terminal: Terminal, start: Place, end: Place) -> Cost:
    """Move the mouse over the board cell by cell, with no button held."""
    return _dearest(terminal, MOVE, map(keys.move, keys.path(start, end)), MOVED)


def cursor_down(terminal: Terminal) -> Cost:
    """Go down line by line."""
    return _dearest(terminal, DOWN, [keys.DOWN] * TIMES)


def page_down(terminal: Terminal) -> Cost:
    """Go down page by page; the first page does not scroll, so it does not count."""
    terminal.gesture(keys.PAGE_DOWN)
    return _dearest(terminal, PAGE, [keys.PAGE_DOWN] * 2)


def drag_and_drop(terminal: Terminal, nic: Place, network: Place) -> tuple[Cost, Cost]:
    """Drag a nic onto a network, cell by cell, and drop it.

    A drag's moves count by their mean: most only move the ghost, a few light another target. The
    drop counts all that the daemon's answer changes.
    """
    begun = (nic[0] + 3, nic[1])
    terminal.gesture(keys.press(nic), keys.drag(begun))
    moves = [terminal.gesture(keys.drag(at), quiet=MOVED) for at in keys.path(begun, network)]
    mean = sum(move.size for move in moves) / len(moves)
    drop = terminal.gesture(keys.release(network), quiet=ANSWERED)
    return Cost(DRAG, mean, tuple(moves)), Cost(DROP, drop.size, (drop,))


def apply(terminal: Terminal) -> tuple[Cost, Gesture]:
    """Apply what is staged; give the cost of each second of it, and that of its end.

    The first bursts of bytes open the job's screen, which on a busy machine is painted twice. The
    last one shows the end. What comes between them is progress.
    """
    terminal.gesture(b"a", quiet=ANSWERED)
    terminal.wait_for("plan of")
    begun = time.monotonic()
    terminal.feed(b"y")
    terminal.wait_for("succeeded")
    terminal.settle(quiet=ANSWERED)
    bursts = terminal.bursts(begun, PAUSE)
    end = next(n for n, (_, data) in enumerate(bursts) if b"succeeded" in data)
    opened = max(n for n, (_, data) in enumerate(bursts[: end + 1]) if b"> Job " in data)
    seconds = bursts[end][0] - bursts[opened][0]
    progress = b"".join(data for _, data in bursts[opened + 1 : end])
    cost = Cost(APPLY, len(progress) / seconds, (Gesture(progress, seconds),))
    return cost, Gesture(b"".join(data for _, data in bursts[end:]), 0.0)


def _dearest(terminal: Terminal, what: str, inputs: Iterable[bytes], quiet: float = QUIET) -> Cost:
    gestures = tuple(terminal.gesture(data, quiet=quiet) for data in inputs)
    return Cost(what, max(gesture.size for gesture in gestures), gestures)
