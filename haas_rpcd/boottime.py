"""A clock that nobody sets: for waits that outlive the daemon."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import NamedTuple

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Moment(NamedTuple):
    """A moment by the machine's own clock: seconds since its boot, and which boot that was."""

    boot: str
    seconds: float


def now() -> Moment:
    """Return the present moment. Two moments can be compared if their ``boot`` is the same."""
    return Moment(_boot(), time.clock_gettime(time.CLOCK_BOOTTIME))


@functools.cache
def _boot() -> str:
    """Return the id of this boot (proc(5)). It differs on another machine."""
    return _BOOT_ID.read_text(encoding="ascii").strip()
