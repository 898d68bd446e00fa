"""Reads for screens, and messages if reading fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from textual.timer import Timer

from haas_console.core.errors import ConsoleError
from haas_console.tui.console import ScreenHost

T = TypeVar("T")

FIRST_WAIT, LAST_WAIT = 2.0, 60.0  # seconds until something is read again


class Host(ScreenHost, Protocol):
    """A screen, as its reader sees it."""

    def drop_message(self) -> None:
        """Take the message away if its cause has gone."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call something later, unless the screen has gone by then."""


class Reader:
    """Reads for a screen, and says why something could not be read, until it has been.

    Without a connection it says so only if the user asked: the top line says it already,
    and all is read again after the next one.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._failed: dict[str, float] = {}
        """What could not be read, with the seconds to wait before the next attempt."""

    async def read(
        self, answer: Awaitable[T], again: Callable[[], object] | None = None, *, what: str = ""
    ) -> T | None:
        """Return what is read; None if that failed. ``again`` reads the same once more, later;
        without it the user has asked. ``what`` tells readings of one screen apart."""
        try:
            found = await answer
        except ConsoleError as error:
            self._say(str(error), what, again)
            return None
        if self._failed.pop(what, None) is not None:
            self._host.drop_message()
        return found

    def forget(self) -> None:
        """Forget what could not be read: the screen shows something else now."""
        self._failed.clear()
        self._host.drop_message()

    def _say(self, error: str, what: str, again: Callable[[], object] | None) -> None:
        sync = self._host.session.sync
        if sync.status.state != "live":
            if again is None:
                self._host.fail(error, lambda: sync.status.state != "live")
            return
        wait = self._failed.get(what, FIRST_WAIT)
        self._failed[what] = min(2 * wait, LAST_WAIT)
        self._host.fail(error, lambda: what in self._failed and sync.status.state == "live")
        if again is not None:
            self._host.set_timer(wait, lambda: self._try(what, again))

    def _try(self, what: str, again: Callable[[], object]) -> None:
        """Read again, unless it was read meanwhile or nobody looks: coming back reads it, too."""
        if what in self._failed and self._host.console.front is self._host:
            again()
