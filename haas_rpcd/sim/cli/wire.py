"""Between a client's connection and a session: what both wires, telnet and SSH, have in common."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from haas_rpcd.sim.cli.device import Device


class Wire(Protocol):
    """What a session may do with its connection."""

    peer: str

    def write(self, data: bytes) -> None:
        """Send text to the client; nothing happens once the connection is gone."""

    def close(self) -> None:
        """Close once everything is written."""

    def abort(self) -> None:
        """Reset the connection at once, as a power cut does."""

    def pause_reading(self) -> None:
        """Take nothing more from the client for now."""

    def resume_reading(self) -> None:
        """Go on."""


class Conversation(ABC):
    """One client's session, as its wire sees it."""

    number = 0  # in the records
    line = -1  # which VTY

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @abstractmethod
    def begin(self, user: str | None) -> None:
        """Open the dialogue. ``user`` has logged in already (SSH); None is to be asked."""

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Take what the client typed."""

    @abstractmethod
    def hold(self) -> None:
        """The client does not read: carry out nothing more for now."""

    @abstractmethod
    def resume(self) -> None:
        """It reads again."""

    @abstractmethod
    def log(self, text: str) -> None:
        """Write a message of the system."""

    @abstractmethod
    def cut(self) -> None:
        """Reset the connection."""

    def lost(self) -> None:
        """The connection is gone."""
        if not self.closed.done():
            self.closed.set_result(None)


class End:
    """The device's end of a connection, whichever wire it is: it has a session, or none yet."""

    _device: Device[Any]
    _session: Conversation | None = None

    def pause_writing(self) -> None:
        """The client does not read."""
        if self._session is not None:
            self._session.hold()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._session is not None:
            self._session.resume()

    def _gone(self) -> None:
        if self._session is not None:
            self._device.forget(self._session)
            self._session.lost()


class Transit:
    """One direction of a long line: everything arrives in order and late, but not one by one.

    ``seconds`` is asked anew for whatever is sent. Without a delay, and with nothing under way,
    things arrive at once.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._under_way: deque[tuple[float, Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, arrive: Callable[[], None]) -> None:
        """Call ``arrive`` when it has come over."""
        seconds = self._seconds()
        if seconds <= 0 and not self._under_way:
            arrive()
            return
        due = asyncio.get_running_loop().time() + max(0.0, seconds)
        self._under_way.append((due, arrive))
        self._wait()

    def cancel(self) -> None:
        """Lose what is under way."""
        self._under_way.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        if self._timer is None and self._under_way:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._under_way[0][0], self._arrived)

    def _arrived(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        # A clock that ticks coarsely may wake a little early: at least the first has come.
        first = True
        while self._under_way and (first or self._under_way[0][0] <= now):
            first = False
            self._under_way.popleft()[1]()
        self._wait()
