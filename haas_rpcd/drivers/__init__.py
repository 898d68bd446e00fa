"""What the engine asks of a device, whatever the device is.

A driver owns the one session to its device. It knows nothing of jobs, of the store or of callers:
it previews changes, sends them, and says what the device has now.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from haas_rpcd.errors import DeviceError
from haas_rpcd.model import Change, PortConfig, Probed, Seen

Say = Callable[[str], None]
"""Receives each line as it is sent (never a password), for the progress display."""


class News(Protocol):
    """Who wants to know how the sending goes on."""

    def line(self, change: int, line: str) -> None:
        """Take a line that is being sent for the change with this index."""
        ...

    def stop(self) -> bool:
        """Say whether nothing more is to be sent: somebody cancelled."""
        ...


class Outcome(NamedTuple):
    """What became of one change: all of it was ``sent`` and accepted, or it was ``refused``.

    ``unfinished``: some of its lines were sent, and those after them held back because of another's
    error (or of its own session's end). ``unsent``: nothing of it was sent.
    """

    state: Literal["sent", "refused", "unfinished", "unsent"]
    error: DeviceError | None = None


class Driver(Protocol):
    """One device. All methods but :meth:`preview` raise ``DeviceError`` with a sentence.

    (:meth:`open` also raises ``UnavailableError``, where a library that it needs is not installed.)
    """

    goes_on: bool
    """Whether steps on other targets are still sent after one was refused. A switch's are not: a
    line that it refuses means that somebody's picture of the switch is wrong."""

    at_once: int
    """How many changes :meth:`send` is given at once. They are noted as being sent together, so
    a switch, which gets its lines ahead of its answers, takes many; a hypervisor one."""

    registered: object
    """What the device is registered as: a session that was opened to another is not used."""

    def preview(
        self,
        changes: Sequence[Any],
        now: Mapping[str, PortConfig] | None = None,
        there: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Give the very lines that :meth:`send` would send, for each change. Pure: no I/O.

        Where several changes are sent together, their lines stand at the last of them: read one
        after the other, the lists are what is sent. ``now``: what ports were last confirmed to
        carry. ``there``: VLANs that exist, as ports carried them. (The master's drivers, whose
        lines are only a way to say what is done, leave out what is there already when they send.)
        """
        ...

    async def open(self, say: Say) -> None:
        """Connect and log in. Nothing is changed on the device by this.

        ``say`` gets a sentence when that takes its time, because the device is busy.
        """
        ...

    async def usable(self) -> bool:
        """Whether the open session can still be used; asked before each use after the first."""
        ...

    async def send(self, changes: Sequence[Any], news: News) -> list[Outcome]:
        """Carry out changes; sending them twice does no harm. Give what became of each.

        An error whose reason is in ``SESSION_LOST`` means that the session has ended.
        """
        ...

    async def observe(self, changes: Sequence[Any]) -> list[Seen | DeviceError]:
        """Read back what the device now has for the target of each change, in their order.

        A target that the device does not know has an error in its place.
        """
        ...

    async def close(self) -> None:
        """End the session. Never raises."""
        ...


SESSION_LOST = frozenset({"unreachable", "login", "host_key", "enable", "busy", "cut", "timeout"})
"""Reasons of a DeviceError after which the session can't be used any more."""


class SingleDriver(Protocol):
    """A device that takes one change at a time, as the master's two do: see :class:`OneByOne`."""

    goes_on: bool

    def preview(self, change: Any) -> list[str]:
        """Give the lines of one change."""
        ...

    async def open(self) -> None:
        """Connect."""
        ...

    async def send(self, change: Any, say: Say) -> None:
        """Carry out one change. Raises DeviceError."""
        ...

    async def observe(self, changes: Sequence[Any]) -> list[Seen]:
        """Read back."""
        ...

    async def close(self) -> None:
        """End the session."""
        ...


class OneByOne:
    """A :class:`Driver` over a device that takes one change at a time."""

    at_once = 1
    registered: object = None

    def __init__(self, device: SingleDriver) -> None:
        self._device = device
        self.goes_on = device.goes_on

    def preview(
        self,
        changes: Sequence[Any],
        now: Mapping[str, PortConfig] | None = None,
        there: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Give each change's own lines."""
        return [self._device.preview(change) for change in changes]

    async def open(self, say: Say) -> None:
        """Connect."""
        await self._device.open()

    async def send(self, changes: Sequence[Any], news: News) -> list[Outcome]:
        """Carry out one change after the other, up to the first that fails."""
        outcomes: list[Outcome] = []
        for index, change in enumerate(changes):
            if news.stop():
                break
            try:
                await self._device.send(change, functools.partial(news.line, index))
            except DeviceError as error:
                outcomes.append(Outcome("refused", error))
                break
            outcomes.append(Outcome("sent"))
        return outcomes + [Outcome("unsent")] * (len(changes) - len(outcomes))

    async def usable(self) -> bool:
        """Say that it is: nothing on the master itself times out."""
        return True

    async def observe(self, changes: Sequence[Any]) -> list[Seen | DeviceError]:
        """Read back."""
        return [*await self._device.observe(changes)]

    async def close(self) -> None:
        """End the session."""
        await self._device.close()


@runtime_checkable
class Prober(Protocol):
    """A device that can say what it is, as switches can."""

    async def probe(self) -> Probed:
        """Say what the device is, and what its ports carry."""
        ...


__all__ = [
    "SESSION_LOST",
    "Change",
    "Driver",
    "News",
    "OneByOne",
    "Outcome",
    "Prober",
    "Say",
    "Seen",
    "SingleDriver",
]
