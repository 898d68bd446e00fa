"""The interface between the engine and any device.

A driver owns the only session to its device. It previews changes, sends them, and reads the current
state. It knows nothing about jobs, the store or callers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from haas_rpcd.errors import DeviceError
from haas_rpcd.model import Change, PortConfig, Probed, Seen

Report = Callable[[str], None]
"""Called with each line as it is sent (never a password), for the progress display."""


class Progress(Protocol):
    """Follows a batch of changes while it is sent."""

    def line_sent(self, change: int, line: str) -> None:
        """Called when a line is sent for the change with this index."""
        ...

    def cancelled(self) -> bool:
        """True if nothing more may be sent, because somebody cancelled the job."""
        ...


class Outcome(NamedTuple):
    """The result of one change.

    ``sent``: all of its lines were sent and accepted. ``refused``: one of them was refused.
    ``unfinished``: some lines were sent, and the rest held back after another change's error or
    after the session ended. ``unsent``: no line was sent.

    ``may_come_late``: the device fell silent and left lines of the change without an answer. It may
    still execute them.
    """

    state: Literal["sent", "refused", "unfinished", "unsent"]
    error: DeviceError | None = None
    may_come_late: bool = False


class Driver(Protocol):
    """One device. All methods except :meth:`preview` and :meth:`close` raise ``DeviceError``.

    :meth:`open` also raises ``UnavailableError`` if a library that it needs is not installed.
    """

    continue_after_refusal: bool
    """True if steps on other targets are still sent after one was refused. False for switches: a
    refused line means that our picture of the switch is wrong."""

    max_batch: int
    """How many changes :meth:`send` takes in one call. The journal records them all as being sent
    before the first line goes out. Switches take many, because lines are sent ahead of their
    answers; the master's devices take one."""

    registered: object
    """What the device is registered with. A session that was opened under another registration
    is not reused."""

    def preview(
        self,
        changes: Sequence[Any],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return, for each change, the exact lines that :meth:`send` would send. No I/O.

        A line shared by several changes is listed under the last of them, so concatenating the
        lists gives the exact transcript. ``current``: the configuration last confirmed for each
        port. ``existing``: VLANs known to exist because a port carried them.

        The master's devices have no command line. Their lines describe what is done, and
        :meth:`send` skips what is already in place.
        """
        ...

    async def open(self, report: Report) -> None:
        """Connect and log in. This changes nothing on the device.

        ``report`` is called with a sentence while it waits for a busy device.
        """
        ...

    async def usable(self) -> bool:
        """Return whether the open session still works; called before every use but the first."""
        ...

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        """Send changes and return the outcome of each. Sending them twice does no harm.

        An error whose reason is in ``SESSION_LOST`` means that the session has ended.
        """
        ...

    async def observe(self, changes: Sequence[Any]) -> list[Seen | DeviceError]:
        """Read the current state of each change's target, in the order of the changes.

        A target that the device does not know gets an error in its place.
        """
        ...

    async def close(self) -> None:
        """End the session. Never raises."""
        ...


SESSION_LOST = frozenset({"unreachable", "login", "host_key", "enable", "busy", "cut", "timeout"})
"""Reasons of a DeviceError after which the session can no longer be used."""


class SingleDriver(Protocol):
    """A device that takes one change at a time, as the master's two do. See :class:`OneByOne`."""

    continue_after_refusal: bool

    def preview(self, change: Any) -> list[str]:
        """Return lines that describe one change."""
        ...

    async def open(self) -> None:
        """Connect."""
        ...

    async def send(self, change: Any, report: Report) -> None:
        """Carry out one change and report each of its lines. Raises DeviceError."""
        ...

    async def observe(self, changes: Sequence[Any]) -> list[Seen]:
        """Read the current state of each change's target."""
        ...

    async def close(self) -> None:
        """End the session."""
        ...


class OneByOne:
    """Makes a :class:`Driver` of a device that takes one change at a time."""

    max_batch = 1
    registered: object = None

    def __init__(self, device: SingleDriver) -> None:
        self._device = device
        self.continue_after_refusal = device.continue_after_refusal

    def preview(
        self,
        changes: Sequence[Any],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return the lines of each change."""
        return [self._device.preview(change) for change in changes]

    async def open(self, report: Report) -> None:
        """Connect."""
        await self._device.open()

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        """Carry out one change after another; stop at the first that fails."""
        outcomes: list[Outcome] = []
        for index, change in enumerate(changes):
            if progress.cancelled():
                break
            try:
                await self._device.send(change, functools.partial(progress.line_sent, index))
            except DeviceError as error:
                outcomes.append(Outcome("refused", error))
                break
            outcomes.append(Outcome("sent"))
        return outcomes + [Outcome("unsent")] * (len(changes) - len(outcomes))

    async def usable(self) -> bool:
        """Always true: sessions on the master itself do not time out."""
        return True

    async def observe(self, changes: Sequence[Any]) -> list[Seen | DeviceError]:
        """Read the current state of each change's target."""
        return [*await self._device.observe(changes)]

    async def close(self) -> None:
        """End the session."""
        await self._device.close()


@runtime_checkable
class EndsSessions(Protocol):
    """A device that can list its sessions, as some switches can."""

    async def end_other_sessions(self) -> bool:
        """End all other sessions of this login; return whether it is certain that none is left.

        Only errors whose reason is in ``SESSION_LOST`` are raised.
        """
        ...


@runtime_checkable
class Prober(Protocol):
    """A device that can identify itself, as switches can."""

    async def probe(self) -> Probed:
        """Read what the device is and what its ports carry."""
        ...


__all__ = [
    "SESSION_LOST",
    "Change",
    "Driver",
    "EndsSessions",
    "OneByOne",
    "Outcome",
    "Prober",
    "Progress",
    "Say",
    "Seen",
    "SingleDriver",
]
