"""The daemon's clocks. Only the one that nobody sets measures time."""

from __future__ import annotations

import time

from haas_rpcd import boottime
from haas_rpcd.boottime import Moment


class Clock:
    """The clocks of this machine. Tests give the daemon others."""

    def wall(self) -> float:
        """Return the time of day in seconds since the epoch, for people to read."""
        return time.time()

    def now(self) -> Moment:
        """Return the present moment by the clock that nobody sets."""
        return boottime.now()
