"""Progress of a job on stderr: bars on a terminal, elsewhere a line for each step."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Protocol, TextIO

from haas_console.batch.output import Output, can_move, size_of
from haas_console.core.jobs import DeviceProgress, JobView
from haas_console.core.text import clean

_BAR = 20  # cells
_PAUSE = 1 / 8  # seconds between two drawings, as each one costs bytes over SSH


class Progress(Protocol):
    """Shows the progress of a job."""

    def update(self, view: JobView) -> None:
        """Show the current state of the job."""

    def finish(self) -> None:
        """Show the last state; nothing follows."""


def progress_for(output: Output) -> Progress:
    """Choose the progress that suits the stream."""
    if output.quiet:
        return NoProgress()
    return BarProgress(output.err) if can_move(output.err) else PlainProgress(output)


class NoProgress:
    """Shows nothing, for ``--quiet``."""

    def update(self, view: JobView) -> None:
        """Show nothing."""

    def finish(self) -> None:
        """Show nothing."""


class PlainProgress:
    """One line for each step that has ended, for logs and pipes."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._told: set[int] = set()
        self._begun = False

    def update(self, view: JobView) -> None:
        """Print the steps that have ended since the last call."""
        if not self._begun:
            self._begun = True
            self._output.remark(f"job {view.job} is {view.state}")
        for step in view.ended_steps():
            if step["step"] in self._told:
                continue
            self._told.add(step["step"])
            self._output.remark(
                f"[{len(self._told)}/{view.total}] {step['device']}: {step['summary']}{_end(step)}"
            )

    def finish(self) -> None:
        """Nothing to do: every line is printed."""


def _end(step: dict[str, Any]) -> str:
    """How a step ended, unless it was done; the reason is given for a failed one."""
    if step["state"] == "failed":
        return f": FAILED: {step.get('message') or 'no reason was given'}"
    return "" if step["state"] == "done" else f": {step['state']}"


class BarProgress:
    """A bar for the job and each device, redrawn in place; only changed lines are sent."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn: list[str] = []
        self._view: JobView | None = None
        self._next = 0.0  # not drawn before this time of the loop
        self._later: asyncio.TimerHandle | None = None

    def update(self, view: JobView) -> None:
        """Draw now, or soon if the last drawing is recent."""
        self._view = view
        loop = asyncio.get_running_loop()
        if self._later is None:
            self._later = loop.call_at(max(loop.time(), self._next), self._draw)

    def finish(self) -> None:
        """Draw the last state; later output begins below."""
        if self._later is not None:
            self._later.cancel()
        self._draw()
        self._drawn, self._view = [], None

    def _draw(self) -> None:
        self._later = None
        self._next = asyncio.get_running_loop().time() + _PAUSE
        if self._view is None:
            return
        lines = _lines(self._view, size_of(self._stream))
        parts = ["\n" * (len(lines) - len(self._drawn))]
        for number, line in enumerate(lines):
            if number >= len(self._drawn) or line != self._drawn[number]:
                up = len(lines) - number
                parts.append(f"\x1b[{up}A{line}\x1b[K\r\x1b[{up}B")
        self._drawn = lines
        self._stream.write("".join(parts))
        self._stream.flush()


def _lines(view: JobView, size: os.terminal_size) -> list[str]:
    """The job, then as many of its devices as fit on the terminal."""
    devices = view.devices()
    shown = devices[: max(1, size.lines - 3)]
    name = f"job {view.job}"
    width = max([len(name), *(len(part.device) for part in shown)])
    hidden = f", {len(devices) - len(shown)} more devices" if len(shown) < len(devices) else ""
    lines = [f"{name:{width}} {_bar(view.done, view.total)} {view.state}{hidden}"]
    lines += [_device_line(part, width) for part in shown]
    return [clean(line)[: size.columns - 1] for line in lines]


def _device_line(part: DeviceProgress, width: int) -> str:
    return f"{part.device:{width}} {_bar(part.done, part.total)} {part.current}".rstrip()


def _bar(done: int, total: int) -> str:
    filled = _BAR * done // total if total else 0
    count = f"{done}/{total}".rjust(2 * len(str(total)) + 1)
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] {count}"
