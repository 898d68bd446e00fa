"""What a job has sent so far, in the order in which it became known. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ALL_SENT = ("sent", "done")


class SentLog:
    """Grows with the events of a job; lines that are known are never sent for again.

    ``lines`` has pairs of a device, on the first line of each of its runs, and a line.
    """

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._counts: dict[int, int] = {}
        self._device = ""

    def take(self, steps: Mapping[int, Mapping[str, Any]]) -> None:
        """Add what was sent since; ``steps`` are those of the job, by number."""
        for number, step in steps.items():
            lines, before = step.get("lines") or [], self._counts.get(number, 0)
            count = _sent(step, lines, before)
            for line in lines[before:count]:
                device = str(step["device"])
                self.lines.append((device if device != self._device else "", str(line)))
                self._device = device
            self._counts[number] = max(before, count)


def _sent(step: Mapping[str, Any], lines: list[Any], before: int) -> int:
    """How many lines of a step were sent; ``before`` of them are known."""
    if step["state"] in _ALL_SENT:
        return len(lines)
    current = step.get("line")
    if step["state"] == "sending" and current in lines[before:]:
        return lines.index(current, before) + 1
    return before
