"""Times as the user's clock shows them."""

from __future__ import annotations

import time

from haas_console.core.times import seconds


def moment(stamp: str) -> str:
    """An RFC 3339 time in the local time zone, with the day if it is not today."""
    when = time.localtime(seconds(stamp) or 0)
    today = time.localtime()[:3] == when[:3]
    return time.strftime("%H:%M:%S" if today else "%m-%d %H:%M:%S", when)
