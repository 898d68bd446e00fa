"""A job as lines by device: progress, the line being sent, and errors. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haas_console.core.sharedlines import lines_below

Step = Mapping[str, Any]
"""A step as in the daemon's record, updated by its events (``JobStep`` of the API)."""

UNDER_WAY = ("sending", "sent")
MESSAGE_INDENT, LINE_INDENT = 9, 13
"""Cells before a message and before a line; one more at the right edge is the scroll bar's."""
_WORST_FIRST = ("failed", "interrupted", "cancelled", "skipped")


@dataclass(frozen=True, slots=True)
class Part:
    """One device's part of a job."""

    device: str
    steps: tuple[Step, ...]
    state: str
    """``waiting``, ``running``, ``done``, ``failed``, ``cancelled``, ``skipped``, ..."""
    done: int
    elapsed: float | None
    """Seconds from the start of its first step to the end of its last one, or to now."""

    @property
    def total(self) -> int:
        """The number of steps."""
        return len(self.steps)

    @property
    def current(self) -> str:
        """The line that is being sent, or the summary of its step."""
        for step in reversed(self.steps):
            if step["state"] == "sending":
                return str(step.get("line") or step["summary"])
        for step in reversed(self.steps):
            if step["state"] == "sent":
                return f"{step['summary']}: reading back"
        return ""

    @property
    def now(self) -> str:
        """What is being sent; otherwise the step confirmed last, and what the device waits for."""
        if self.current:
            return self.current
        waits = "; now it waits for other devices" if self.state == "running" else ""
        return f"confirmed: {self.last}{waits}" if self.last else ""

    @property
    def last(self) -> str:
        """The step that was confirmed last."""
        done = [step for step in self.steps if step["state"] == "done"]
        return str(done[-1]["summary"]) if done else ""


def parts(
    steps: Mapping[int, Step],
    begun: Mapping[int, float],
    ended: Mapping[int, float],
    now: float | None,
) -> list[Part]:
    """Group a job's steps by device, in the order of their first steps.

    ``begun`` and ``ended`` are times by step; ``now`` is None if the job has ended.
    """
    by_device: dict[str, list[tuple[int, Step]]] = {}
    for number, step in sorted(steps.items()):
        by_device.setdefault(step["device"], []).append((number, step))
    return [_part(device, own, begun, ended, now) for device, own in by_device.items()]


def _part(
    device: str,
    own: Sequence[tuple[int, Step]],
    begun: Mapping[int, float],
    ended: Mapping[int, float],
    now: float | None,
) -> Part:
    steps = tuple(step for _, step in own)
    state = device_state([step["state"] for step in steps])
    starts = [begun[number] for number, _ in own if number in begun]
    elapsed = None
    if starts:
        ends = [ended[number] for number, _ in own if number in ended]
        until = now if now is not None and state == "running" else max(ends, default=now)
        elapsed = None if until is None else max(0.0, until - min(starts))
    done = sum(step["state"] == "done" for step in steps)
    return Part(device, steps, state, done, elapsed)


def device_state(states: Sequence[str]) -> str:
    """The state of a device, from those of its steps."""
    if "failed" in states:
        return "failed"
    if any(state in UNDER_WAY for state in states):
        return "running"
    if "pending" in states:
        return "running" if "done" in states else "waiting"
    return next((state for state in _WORST_FIRST if state in states), "done")


# --- as lines -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JobRow:
    """A line: a device, a step, a line of a step, or part of an error."""

    what: str
    """``device``, ``now``, ``step``, ``line`` or ``message``."""
    text: str
    key: str = ""
    folded: bool = False
    state: str = ""
    part: Part | None = None
    step: Step | None = None
    below: int = 0
    """For a step that is sent with others: how many steps below its lines are listed."""


def rows(
    found: Sequence[Part], folded: Collection[str], width: int, *, live: bool = False
) -> list[JobRow]:
    """The lines of the devices; error messages are never folded away.

    While the job is ``live``, what is being sent to a device has its own line: it changes most.
    """
    made: list[JobRow] = []
    for part in found:
        closed = part.device in folded
        made.append(JobRow("device", part.device, part.device, closed, part.state, part))
        if live:
            made.append(JobRow("now", part.now, part.device, closed, part.state, part))
        for step, below in zip(part.steps, lines_below(part.steps), strict=True):
            key = "" if below else f"{part.device} {step['step']}"
            state, shut = step["state"], key in folded
            if not closed:
                made.append(JobRow("step", step["summary"], key, shut, state, None, step, below))
                if not shut:
                    made += _lines(step, key, width)
            if state == "failed" or (step.get("message") and not closed):
                if closed:
                    made.append(JobRow("step", step["summary"], key, True, state, step=step))
                made += _message(step, key, width)
    return made


def _lines(step: Step, key: str, width: int) -> list[JobRow]:
    """The lines of a step; those before the current one have been sent."""
    lines = list(step.get("lines", ()))
    at = None
    if step["state"] == "sending" and step.get("line") in lines:
        at = lines.index(step["line"])
    states = [""] * len(lines)
    if step["state"] in ("sent", "done"):
        states = ["sent"] * len(lines)
    elif at is not None:
        states[: at + 1] = ["sent"] * at + ["current"]
    room = max(20, width - LINE_INDENT - 1)
    return [
        JobRow("line", line[at : at + room], key, state="more" if at else state, step=step)
        for line, state in zip(lines, states, strict=True)
        for at in range(0, max(1, len(line)), room)
    ]


def _message(step: Step, key: str, width: int) -> list[JobRow]:
    message = step.get("message") or "failed; the daemon gives no reason"
    pieces = textwrap.wrap(message, max(20, width - MESSAGE_INDENT - 1)) or [message]
    return [JobRow("message", piece, key, state=step["state"], step=step) for piece in pieces]


# --- in words -------------------------------------------------------------------------------------


def clock(seconds: float | None, *, exact: bool = True) -> str:
    """A duration: ``0.4 s``, ``12 s``, ``3:05``; in whole seconds unless ``exact``."""
    if seconds is None:
        return ""
    if seconds < 10 and exact:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{int(seconds)} s"
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def ending(state: str, error: str | None, kind: str) -> str:
    """What to do after a job; empty if it succeeded."""
    if state == "succeeded":
        return ""
    if state == "cancelled":
        return error or "Cancelled; what was not sent is still staged."
    again = {
        "release": "Mend that, then release the node again.",
        "repair": "Mend that, then repair again: V shows what still drifts.",
    }.get(kind, "Mend that, then r plans again; what was confirmed is not sent twice.")
    why = error or "It failed; the daemon gives no reason."
    return f"{why}{'' if why.endswith(('.', '!', '?')) else '.'} {again}"
