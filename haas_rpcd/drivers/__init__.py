"""What the engine asks of a device, whatever the device is.

A driver owns the one session to its device. It knows nothing of jobs, of the store or of callers:
it previews a change, sends it, and says what the device has now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from haas_rpcd.model import Change, Seen

Say = Callable[[str], None]
"""Receives each line as it is sent (never a password), for the progress display."""


class Driver(Protocol):
    """One device. All methods but :meth:`preview` raise ``DeviceError`` with a sentence.

    (:meth:`open` also raises ``UnavailableError``, where a library that it needs is not installed.)
    """

    goes_on: bool
    """Whether steps on other targets are still sent after one was refused. A switch's are not: a
    line that it refuses means that somebody's picture of the switch is wrong."""

    def preview(self, change: Any) -> list[str]:
        """Give the very lines that :meth:`send` would send. Pure: no I/O.

        (The master's drivers, whose lines are only a way to say what is done, leave out what is
        there already when they send.)
        """
        ...

    async def open(self) -> None:
        """Connect and log in. Nothing is changed on the device by this."""
        ...

    async def send(self, change: Any, say: Say) -> None:
        """Carry out one change; sending it twice does no harm."""
        ...

    async def observe(self, changes: Sequence[Any]) -> list[Seen]:
        """Read back what the device now has for the target of each change, in their order."""
        ...

    async def close(self) -> None:
        """End the session. Never raises."""
        ...


@runtime_checkable
class Prober(Protocol):
    """A device that can say what it is, as switches can."""

    async def probe(self) -> tuple[str, list[str]]:
        """Give how the device calls itself, and what it says of its model and version."""
        ...


__all__ = ["Change", "Driver", "Prober", "Say", "Seen"]
