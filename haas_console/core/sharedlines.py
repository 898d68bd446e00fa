"""Steps that are sent in the same lines: where those stand. Pure, and cheap to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def lines_below(steps: Sequence[Mapping[str, Any]]) -> list[int]:
    """For each step without lines, how many of its device's steps below the lines stand.

    Steps of a device that go together are sent in the same lines, told with the last of them. 0:
    the step has lines of its own, or none are sent for it.
    """
    found = [0] * len(steps)
    ahead: dict[str, int] = {}
    for number in range(len(steps) - 1, -1, -1):
        step = steps[number]
        if step.get("lines"):
            ahead[step["device"]] = 0
        elif step["device"] in ahead:
            ahead[step["device"]] += 1
            found[number] = ahead[step["device"]]
    return found


def with_below(below: int) -> str:
    """Where the lines of such a step stand, in words."""
    return f"with the step{'s' if below > 1 else ''} below" if below else ""
