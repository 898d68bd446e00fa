"""Steps that share their lines with later ones: where these are listed. Pure, cheap to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def lines_below(steps: Sequence[Mapping[str, Any]]) -> list[int]:
    """For each step, how many steps of its device below its lines are listed.

    Steps of a device may share lines, which are listed with the last of them. 0: the step has its
    own lines, or needs none.
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
    """Where the lines of such a step are, in words."""
    return f"with the step{'s' if below > 1 else ''} below" if below else ""
