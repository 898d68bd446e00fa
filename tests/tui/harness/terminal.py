"""A program on a pty, and its user, who types, points, waits, reads and counts bytes."""

from __future__ import annotations

import os
import re
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from termios import FIONREAD, TIOCSWINSZ
from typing import Self

from tests.tui.harness import keys
from tests.tui.harness.keys import Place
from tests.tui.harness.screen import Screen

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0
"""Seconds until a wait fails; only a failing test takes so long."""
QUIET = 0.2
"""Seconds without a byte, with all input read and every thread asleep, that make the end."""

_DEVICE_ATTRIBUTES = re.compile(rb"\x1b\[0?c")
_CURSOR_POSITION = re.compile(rb"\x1b\[6n")
_CUP = re.compile(rb"\x1b\[(\d+);\d+H")
_MODE = re.compile(rb"\x1b\[\?(\d+)\$p")


class NotThere(AssertionError):
    """What a test waited for did not come; shows the screen."""


@dataclass(frozen=True)
class Gesture:
    """What a program wrote because of some input, and when: seconds from it to the last byte."""

    data: bytes
    seconds: float

    @property
    def size(self) -> int:
        """How many bytes."""
        return len(self.data)

    def lines(self) -> dict[int, int]:
        """Bytes by the line of the screen that they were written to, the dearest first.

        A line is from where the cursor is put (CUP) to where it is put next; -1 is before all.
        """
        costs: Counter[int] = Counter()
        places = [(0, -1), *((at.start(), int(at[1]) - 1) for at in _CUP.finditer(self.data))]
        for (start, line), (end, _) in zip(places, [*places[1:], (self.size, 0)], strict=True):
            costs[line] += end - start
        return {line: cost for line, cost in costs.most_common() if cost}


class Terminal:
    """A program on a pty of its own; use it as a context manager.

    It answers as xterm does and knows neither kitty's keyboard nor synchronised output. The
    environment is not ours: nothing but what is named here reaches the program. ``home`` is its
    HOME and working directory. A thread takes every byte at once, so the program never waits for
    us, and notes when it came.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        home: Path,
        size: tuple[int, int] = (120, 40),
        term: str = "xterm-256color",
        colorterm: str | None = "truecolor",
        no_color: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._command = list(command)
        self._home = home
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "TERM": term,
            **({"COLORTERM": colorterm} if colorterm else {}),
            **({"NO_COLOR": "1"} if no_color else {}),
            **(environ or {}),
        }
        self._screen = Screen(*size)
        self._changed = threading.Condition()
        self._chunks: list[tuple[float, bytes]] = []
        self._shown = 0  # chunks that the screen has taken
        self._total = 0
        self._input_at = 0.0

    # --- start and end ---

    def __enter__(self) -> Self:
        self._master, self._slave = os.openpty()
        self._set_size(*self._screen.size)
        self.started = time.monotonic()
        # setsid execs the program in its own pid, as the leader of a session on this terminal
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *self._command],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            cwd=self._home,
            env=self._environ,
        )
        self._pidfd = os.pidfd_open(self.process.pid)
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.close_window()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        for descriptor in (self._master, self._slave, self._pidfd):
            os.close(descriptor)

    def close_window(self) -> None:
        """Hang up, as a terminal does whose window is closed."""
        self.process.send_signal(signal.SIGHUP)

    def children(self) -> list[int]:
        """The processes that the program has started and that still run."""
        pid = self.process.pid
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def ended(self, within: float = PATIENCE) -> int:
        """Wait for the program to end by itself; give its exit code."""
        code = self.process.wait(within)
        self._reader.join()
        return code

    # --- what it wrote ---

    def _read(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            selector.register(self._pidfd, selectors.EVENT_READ)
            while ready := selector.select():
                if not any(key.fd == self._master for key, _ in ready):
                    return  # it has ended, and nothing is left to read
                data = os.read(self._master, 65536)
                with self._changed:
                    self._chunks.append((time.monotonic(), data))
                    self._total += len(data)
                    self._changed.notify_all()
                self._answer(data)

    def _answer(self, data: bytes) -> None:
        if b"\x1b[" not in data:
            return
        answers = [b"\x1b[?1;2c" for _ in _DEVICE_ATTRIBUTES.findall(data)]
        answers += [b"\x1b[1;1R" for _ in _CURSOR_POSITION.findall(data)]
        answers += [b"\x1b[?%b;0$y" % mode for mode in _MODE.findall(data)]
        if answers:
            os.write(self._master, b"".join(answers))

    @property
    def screen(self) -> Screen:
        """The screen with everything that the program has written so far."""
        with self._changed:
            new = self._chunks[self._shown :]
            self._shown = len(self._chunks)
        for _, data in new:
            self._screen.feed(data)
        return self._screen

    @property
    def total(self) -> int:
        """Bytes that the program has written so far."""
        return self._total

    @property
    def text(self) -> str:
        """The screen's text."""
        return self.screen.text

    def output(self, start: int = 0) -> bytes:
        """Every byte from the ``start``-th on."""
        with self._changed:
            return b"".join(data for _, data in self._chunks)[start:]

    def bursts(self, since: float, pause: float) -> list[tuple[float, bytes]]:
        """What came since some time (monotonic), joined unless there is a pause in between."""
        found: list[tuple[float, bytes]] = []
        last = 0.0
        for at, data in list(self._chunks):
            if at < since:
                continue
            if found and at - last < pause:
                found[-1] = (found[-1][0], found[-1][1] + data)
            else:
                found.append((at, data))
            last = at
        return found

    def painted(self, shows: Callable[[Screen], bool]) -> float:
        """Seconds from the start to the first bytes after which the screen showed something.

        Replays the bytes on a screen of its own. Raises NotThere.
        """
        replay = Screen(*self._screen.size)
        for at, data in list(self._chunks):
            replay.feed(data)
            if shows(replay):
                return at - self.started
        raise NotThere(f"that was never on the screen:\n{self.text}")

    # --- waiting ---

    def wait_until(self, so: Callable[[Screen], bool], what: str, within: float = PATIENCE) -> None:
        """Wait until the screen is ``so``. Raises NotThere."""
        deadline = time.monotonic() + within
        while not so(self.screen):
            with self._changed:
                if self._shown < len(self._chunks):
                    continue
                over = self.process.poll() is not None and not self._reader.is_alive()
                left = deadline - time.monotonic()
                if over or left <= 0:
                    why = f"ended with {self.process.returncode}" if over else f"{within:g} s"
                    raise NotThere(f"{what}: waited in vain ({why}):\n{self._screen.text}")
                self._changed.wait(min(left, 0.2))

    def wait_for(self, text: str, within: float = PATIENCE) -> Place:
        """Wait until a text is on the screen; give its position."""
        self.wait_until(lambda screen: text in screen.text, repr(text), within)
        return self.screen.find(text)

    def wait_gone(self, text: str, within: float = PATIENCE) -> None:
        """Wait until a text is not on the screen any more."""
        self.wait_until(lambda screen: text not in screen.text, f"no {text!r}", within)

    def settle(self, quiet: float = QUIET, within: float = PATIENCE) -> None:
        """Wait until the program has processed its input and is idle. Raises NotThere."""
        deadline = time.monotonic() + within
        with self._changed:
            while True:
                last = max(self._chunks[-1][0] if self._chunks else 0.0, self._input_at)
                left = last + quiet - time.monotonic()
                if left <= 0 and not self._unread() and self._asleep():
                    return
                if time.monotonic() > deadline:
                    raise NotThere(f"it is still busy after {within:g} s:\n{self._screen.text}")
                self._changed.wait(max(left, 0.005))

    def _unread(self) -> int:
        """Bytes of input that the program has not read yet."""
        return int.from_bytes(ioctl(self._slave, FIONREAD, b"\0" * 4), sys.byteorder)

    def _asleep(self) -> bool:
        """Whether no thread of the program is running or ready to."""
        try:
            tasks = list(Path(f"/proc/{self.process.pid}/task").iterdir())
            states = [(task / "stat").read_text().rpartition(") ")[2][0] for task in tasks]
        except OSError:
            return True
        return "R" not in states

    # --- the user ---

    def feed(self, *data: bytes) -> None:
        """Type or point, without waiting for anything."""
        for piece in data:
            os.write(self._master, piece)
            self._input_at = time.monotonic()

    def type(self, text: str) -> None:
        """Type a text."""
        self.feed(text.encode())

    def gesture(self, *data: bytes, quiet: float = QUIET) -> Gesture:
        """Feed input to an idle program, and give what it writes until it is idle again."""
        self.settle(quiet)
        mark, begun = self._total, time.monotonic()
        self.feed(*data)
        self.settle(quiet)
        written = self.output(mark)
        return Gesture(written, self._chunks[-1][0] - begun if written else 0.0)

    def idle(self, seconds: float) -> Gesture:
        """Give what an idle program writes without input."""
        self.settle()
        mark = self._total
        over = time.monotonic() + seconds
        with self._changed:
            while (left := over - time.monotonic()) > 0:
                self._changed.wait(left)
        return Gesture(self.output(mark), seconds)

    def drag(self, start: Place, end: Place) -> None:
        """Drag from one position to another over every cell between, as a hand does.

        All of it arrives at once, as it does over a line that was slow for a moment.
        """
        moves = map(keys.drag, keys.path(start, end))
        self.feed(b"".join([keys.press(start), *moves, keys.release(end)]))

    def resize(self, columns: int, lines: int) -> None:
        """Change the size, as when a window's edge is dragged."""
        self.screen.resize(columns, lines)
        self._set_size(columns, lines)

    def _set_size(self, columns: int, lines: int) -> None:
        ioctl(self._master, TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
