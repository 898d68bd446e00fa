"""From the demo's board to a finished first apply, on a real terminal: by keyboard and by mouse.

The user follows the tour, and is as fast as the screen: each key or gesture comes as soon as what
it needs is to be seen. So the seconds are the console's, the daemon's and the switch's alone; the
keys and gestures are what a person adds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.table import Row
from tests.tui.harness import Terminal, keys

DEMO = [sys.executable, "-m", "haas_console", "--demo"]
A_MINUTE = 60  # seconds: what the tour promises a stranger


class User:
    """Types and points, and counts it."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.keys = self.gestures = 0

    def press(self, *pressed: bytes) -> None:
        """Press keys one after the other, without looking in between."""
        self.keys += len(pressed)
        self.terminal.feed(*pressed)

    def sees(self, text: str) -> keys.Place:
        """Wait for a text; give its place."""
        return self.terminal.wait_for(text)

    def click(self, at: keys.Place) -> None:
        """Click on a place."""
        self.gestures += 1
        self.terminal.feed(keys.click(at))

    def drag(self, start: keys.Place, end: keys.Place) -> None:
        """Drag from one place to another."""
        self.gestures += 1
        self.terminal.drag(start, end)


def _node_and_network(user: User) -> None:
    """The first two steps: the node at the cursor, and a network; names are typed either way."""
    user.press(b"A")
    user.sees("Tour 2/4")
    user.press(b"n", b"l", b"a", b"b", keys.ENTER)
    user.sees("Tour 3/4")


def _apply(user: User) -> None:
    """Look at the plan, say yes, and see it end."""
    user.sees("Tour 4/4")
    user.press(b"a")
    user.sees("switchport access vlan")
    user.press(b"y")
    user.sees("succeeded")


def by_keyboard(user: User) -> None:
    """All of it with keys."""
    _node_and_network(user)
    user.press(b"j", b"c", b"l", b"a", keys.ENTER)
    _apply(user)


def by_mouse(user: User) -> None:
    """Choose the node with a click, and drag its nic onto the network."""
    user.click(user.sees("node-01 "))
    _node_and_network(user)
    user.drag(user.terminal.screen.find("primary-nic"), user.sees("■ lab"))
    _apply(user)


def measure(folder: Path) -> Iterator[Row]:
    """Measure both ways, each on a new demo."""
    ways: tuple[tuple[str, Callable[[User], None]], ...] = (
        ("by keyboard", by_keyboard),
        ("by mouse", by_mouse),
    )
    for name, way in ways:
        with Terminal(DEMO, home=folder) as terminal:
            terminal.wait_for("● live")
            terminal.wait_for("Tour 1/4")
            ready = time.monotonic()
            user = User(terminal)
            way(user)
            took = time.monotonic() - ready
            drags = f", {user.gestures} of the mouse" if user.gestures else ""
            note = (
                f"{user.keys} keys{drags}; ready {ready - terminal.started:.1f} s after its start"
            )
            yield Row(f"demo to a first apply, {name}", took, "s", A_MINUTE, False, note)
