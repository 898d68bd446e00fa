"""The bytes a terminal sends for keys and, in SGR mode (xterm's 1006), for the mouse.

Places are (column, line) from 0, as on :class:`~tests.tui.harness.screen.Screen`; the protocol
counts from 1. Source: xterm's ctlseqs, "Mouse Tracking".
"""

from __future__ import annotations

UP, DOWN, RIGHT, LEFT = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D"
HOME, END = b"\x1b[H", b"\x1b[F"
PAGE_UP, PAGE_DOWN = b"\x1b[5~", b"\x1b[6~"
ENTER, TAB, SHIFT_TAB, ESCAPE, SPACE, BACKSPACE = b"\r", b"\t", b"\x1b[Z", b"\x1b", b" ", b"\x7f"

Place = tuple[int, int]

_HELD, _NO_BUTTON, _WHEEL_UP, _WHEEL_DOWN = 32, 35, 64, 65


def ctrl(letter: str) -> bytes:
    """Ctrl and a letter."""
    return bytes([ord(letter.upper()) - 64])


def press(at: Place, button: int = 0) -> bytes:
    """Press a button; 0 is the left one."""
    return _mouse(button, at, "M")


def release(at: Place, button: int = 0) -> bytes:
    """Release a button."""
    return _mouse(button, at, "m")


def click(at: Place) -> bytes:
    """Press and release the left button."""
    return press(at) + release(at)


def move(at: Place) -> bytes:
    """Move the pointer to a position with no button held."""
    return _mouse(_NO_BUTTON, at, "M")


def drag(at: Place, button: int = 0) -> bytes:
    """Move the pointer to a position with a button held."""
    return _mouse(_HELD + button, at, "M")


def wheel(at: Place, *, down: bool = True) -> bytes:
    """One notch of the wheel."""
    return _mouse(_WHEEL_DOWN if down else _WHEEL_UP, at, "M")


def path(start: Place, end: Place) -> list[Place]:
    """Every cell on a straight line from ``start`` (left out) to ``end``."""
    wide, high = end[0] - start[0], end[1] - start[1]
    steps = max(abs(wide), abs(high))
    return [
        (start[0] + round(wide * step / steps), start[1] + round(high * step / steps))
        for step in range(1, steps + 1)
    ]


def _mouse(code: int, at: Place, final: str) -> bytes:
    return f"\x1b[<{code};{at[0] + 1};{at[1] + 1}{final}".encode()
