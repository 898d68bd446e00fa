"""What joins a connection to a session: the part that telnet and SSH have in common."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import ClassVar, Protocol

from haas_rpcd.sim.cli.records import Counters, Faults


class Wire(Protocol):
    """What a session may do with its connection."""

    peer: str

    def write(self, data: bytes) -> None:
        """Send text to the client. Does nothing once the connection is gone."""

    def close(self) -> None:
        """Close once everything is written."""

    def abort(self) -> None:
        """Reset the connection at once, as a power cut does."""

    def pause_reading(self) -> None:
        """Stop reading from the client for now."""

    def resume_reading(self) -> None:
        """Read from the client again."""


class Conversation(ABC):
    """One client's session, as its wire sees it."""

    number = 0  # identifies the session in the records
    line = -1  # the VTY that it has
    hung = False  # it keeps its VTY without a connection, until it finishes or is cleared

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @abstractmethod
    def begin(self, user: str | None) -> None:
        """Open the dialogue. ``user`` has already logged in (SSH); with None, ask for a login."""

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Take what the client typed."""

    @abstractmethod
    def hold(self) -> None:
        """The client does not read: execute nothing more for now."""

    @abstractmethod
    def resume(self) -> None:
        """The client reads again: continue."""

    @abstractmethod
    def log(self, text: str) -> None:
        """Write a message of the system."""

    @abstractmethod
    def cut(self) -> None:
        """Reset the connection."""

    def finish(self) -> None:
        """Go on, if it hangs: execute what it kept."""
        self.hung = False

    def clear(self) -> None:
        """End the session at once, even if it hangs; what it kept is not executed."""
        self.hung = False
        self.cut()

    def lost(self) -> None:
        """The connection is gone."""
        if not self.closed.done():
            self.closed.set_result(None)


class Host(Protocol):
    """A device, as its connections see it: see `Device`, which implements it."""

    telnet_greeting: ClassVar[bytes]
    full_text: ClassVar[str]
    faults: Faults
    counters: Counters

    @property
    def is_up(self) -> bool:
        """Whether it answers at all."""

    def has_room(self) -> bool:
        """Whether it would accept a new connection."""

    def make_session(self, wire: Wire) -> Conversation:
        """Make the session of a new connection."""

    def admit(self, session: Conversation) -> bool:
        """Give a session a VTY; False if it must be refused."""

    def forget(self, session: Conversation) -> None:
        """Take a session's VTY back."""

    def allows(self, user: str, password: str) -> bool:
        """Check a login."""


class End:
    """The device's end of a connection over either wire. It has no session at first."""

    _device: Host
    _session: Conversation | None = None

    def pause_writing(self) -> None:
        """Called when the client does not read."""
        if self._session is not None:
            self._session.hold()

    def resume_writing(self) -> None:
        """Called when the client reads again."""
        if self._session is not None:
            self._session.resume()

    def _gone(self) -> None:
        if self._session is not None:
            self._device.forget(self._session)
            self._session.lost()


class Transit:
    """One direction of a line with a delay. Data arrives late but in order.

    ``seconds`` is called for each piece of data. Pieces sent together are delayed together, not one
    after the other. Without a delay, and with nothing in transit, data arrives at once.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._in_transit: deque[tuple[float, Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, arrive: Callable[[], None]) -> None:
        """Call ``arrive`` after the delay."""
        seconds = self._seconds()
        if seconds <= 0 and not self._in_transit:
            arrive()
            return
        due = asyncio.get_running_loop().time() + max(0.0, seconds)
        self._in_transit.append((due, arrive))
        self._wait()

    def cancel(self) -> None:
        """Drop what is in transit."""
        self._in_transit.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        if self._timer is None and self._in_transit:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._in_transit[0][0], self._arrived)

    def _arrived(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        # A coarse clock may wake us a little early, so deliver the first piece in any case.
        first = True
        while self._in_transit and (first or self._in_transit[0][0] <= now):
            first = False
            self._in_transit.popleft()[1]()
        self._wait()
