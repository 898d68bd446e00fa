"""Turns: actions that begin only when the results of earlier commands are known.

A turn keeps the keys that are typed meanwhile. It gives them back when it asks something, because
they are the answer, when it has queued its own commands, and when it ends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from textual.worker import Worker

from haas_console.core.session import Session
from haas_console.tui.typeahead import Hold

_current: ContextVar[Turn | None] = ContextVar("turn", default=None)


class Turn:
    """One turn of a screen; it runs in a worker."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self.worker: Worker[None] | None = None
        self.sending = False
        """Whether its commands are being sent, so that it must not be cancelled."""
        hold.given_up = self._cancel

    async def run(self, session: Session, ready: Callable[[], None], work: Work) -> None:
        """Wait for what was sent before; then call ``ready``, and do the work."""
        _current.set(self)
        try:
            await session.settled()
            ready()
            await work()
        finally:
            self._hold.close()

    def asks(self) -> None:
        """Give the keys back: they answer a question."""
        self._hold.release()

    def is_answered(self) -> None:
        """Keep the keys again: the answer is about to be acted on."""
        self._hold.take()

    def is_queued(self) -> None:
        """Give the keys back: whatever they do comes after what was just sent."""
        self._hold.release()

    def abandon(self) -> None:
        """End the turn in favour of another, unless its commands are being sent."""
        self._hold.close()
        self._cancel()

    def _cancel(self) -> None:
        if self.worker is not None and not self.sending:
            self.worker.cancel()


Work = Callable[[], Awaitable[None]]


def current_turn() -> Turn | None:
    """The turn in which this runs, if it is one."""
    return _current.get()
