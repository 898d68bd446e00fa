"""From the demo's board to a finished first apply, on a real terminal: by keyboard and by mouse.

The simulated user follows the tour without delay: each key or gesture comes as soon as the screen
shows what it needs. So the seconds are those of the console, the daemon and the switch. The numbers
of keys and gestures show what a person adds to that.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.table import Row
from tests.tui.harness import Terminal, keys

DEMO = [sys.executable, "-m", "haas_console", "--demo"]
A_MINUTE = 60  # seconds: what the tour promises a new user


class User:
    """Types and points, and counts keys and gestures."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.keys = self.gestures = 0

    def press(self, *pressed: bytes) -> None:
        """Press keys one after the other, without waiting for the screen."""
        self.keys += len(pressed)
        self.terminal.feed(*pressed)

    def sees(self, text: str) -> keys.Place:
        """Wait for a text; return its place."""
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
    """Allocate the node at the cursor and create a network. Both ways type the names."""
    user.press(b"A")
    user.sees("Tour 2/4")
    user.press(b"n", b"l", b"a", b"b", keys.ENTER)
    user.sees("Tour 3/4")


def _apply(user: User) -> None:
    """Show the plan, confirm it, and wait for its end."""
    user.sees("Tour 4/4")
    user.press(b"a")
    user.sees("switchport access vlan")
    user.press(b"y")
    user.sees("succeeded")


def by_keyboard(user: User) -> None:
    """Do everything with keys."""
    _node_and_network(user)
    user.press(b"j", b"c", b"l", b"a", keys.ENTER)
    _apply(user)


def by_mouse(user: User) -> None:
    """Select the node with a click, and drag its nic onto the network."""
    user.click(user.sees("node-01 "))
    _node_and_network(user)
    user.drag(user.terminal.screen.find("primary-nic"), user.sees("■ lab"))
    _apply(user)


def measure(folder: Path) -> Iterator[Row]:
    """Measure both ways, each in a new demo."""
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
