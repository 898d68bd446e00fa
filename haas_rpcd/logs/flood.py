"""Nobody can fill the disk with the log."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

PER_MINUTE = 60
"""Records of one kind (one place in the code) that are written in a minute."""

_KINDS = 1000
"""Kinds that are counted at a time."""


class FloodFilter(logging.Filter):
    """Leaves out the records of a kind beyond so many a minute, and then says how many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        """When a kind's minute began, and its records since."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is to be written."""
        kind = (record.name, str(record.msg)[:200])
        now = self._clock()
        begun, count = self._counts.pop(kind, (now, 0))
        if now - begun >= 60:
            if (left_out := count - PER_MINUTE) > 0:
                record.msg = f"{record.getMessage()} ({left_out} more like it were left out)"
                record.args = ()
            begun, count = now, 0
        self._counts[kind] = begun, count + 1
        if len(self._counts) > _KINDS:
            self._counts.popitem(last=False)
        return count < PER_MINUTE
