"""How long a session may be without input."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class IdleTimer:
    """Calls ``expired`` once a session had no input for too long."""

    def __init__(self, expired: Callable[[], None]) -> None:
        self._expired = expired
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float | None) -> None:
        """Expire in so many seconds; never, if there are none."""
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._expired)

    def stop(self) -> None:
        """Expire no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
