"""The interface between the engine and any device.

A driver owns the only session to its device. It previews changes, sends them, and reads the current
state. It knows nothing about jobs, the store or callers.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from haas_rpcd.cabling import Cabling
from haas_rpcd.errors import DeviceError, UnavailableError
from haas_rpcd.model import Change, PortConfig, PortSeen, Seen
from haas_rpcd.registered import Capacity, FoundHeadnode, Probed, SwitchMarks, Uptime

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


class Transferred(NamedTuple):
    """How far a long transfer is: ``done`` of ``total`` bytes. ``what``: a phrase, as "copy X"."""

    what: str
    done: int
    total: int

    def describe(self) -> str:
        """Return it as a line for people."""
        mib = 2**20
        return f"{self.what}: {self.done // mib} of {-(-self.total // mib)} MiB"


CarryOut = Callable[[Any, Report], Awaitable[None]]
"""Carries out one change and reports each of its lines. Raises DeviceError."""


def ignore(line: str) -> None:
    """A :data:`Report` that nobody reads."""


class Driver(Protocol):
    """One device. All methods except :meth:`preview` and :meth:`close` raise ``DeviceError``.

    :meth:`open` also raises ``UnavailableError`` if a library that it needs is not installed.

    The defaults are those of the master's own devices, which take one change at a time (see
    :func:`one_by_one`), have no login, and are no switches.
    """

    max_batch: int = 1
    """How many changes :meth:`send` takes in one call. The journal records them all as being sent
    before the first line goes out. Switches take many, because lines are sent ahead of their
    answers; the master's devices take one."""

    takes_slices: bool = True
    """Whether a large batch is sent in several calls, so that others get turns between them. False
    for switches that commit: each commit takes long, however little changes."""

    registered: object = None
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
        return True

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        """Send changes and return the outcome of each. Sending them twice does no harm.

        A refused change holds up no other. Where the driver held some back all the same, because
        the device refuses too much or the session ended, they have that error as well, and no
        other change may be sent.

        An error whose reason is in ``SESSION_LOST`` means that the session has ended.
        """
        ...

    async def observe(self, changes: Sequence[Any]) -> list[Seen | DeviceError]:
        """Read the current state of each change's target, in the order of the changes.

        A target that the device does not know gets an error in its place.
        """
        ...

    async def cross_check(self, ports: Mapping[str, PortSeen]) -> Mapping[str, PortSeen]:
        """Compare what was seen of ports with a second witness, if the device has one.

        Returns the ports by the same names. Raises DeviceError if the session is lost.
        """
        return ports

    async def probe(self) -> Probed:
        """Read what the device is and what its ports carry.

        Raises UnavailableError if it is no switch.
        """
        raise UnavailableError("Only a switch can be probed.")

    async def read_cabling(self) -> Cabling:
        """Read the device's LLDP neighbours and its MAC table.

        Raises UnavailableError if it is no switch.
        """
        raise UnavailableError("Only a switch shows its cabling.")

    async def uptime(self) -> Uptime | None:
        """Read how long the device has been up; None if it does not report that."""
        return None

    def marks_at_hand(self) -> SwitchMarks:
        """Return what this session has shown already of what no other device says of itself."""
        return SwitchMarks()

    def said_of_ports(self, ports: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the lines about some ports in what :meth:`observe` read last, to be quoted."""
        return {}

    async def marks(self) -> SwitchMarks:
        """Ask the device for that. Only errors whose reason is in ``SESSION_LOST`` are raised."""
        return SwitchMarks()

    async def end_other_sessions(self) -> bool:
        """End all other sessions of this login; return whether it is certain that none is left.

        Only errors whose reason is in ``SESSION_LOST`` are raised.
        """
        return False

    def transcript(self) -> str:
        """Return what was sent and received since the last call; "" if there are no lines."""
        return ""

    async def close(self) -> None:
        """End the session. Never raises."""
        ...


class MasterDriver(Driver, Protocol):
    """One of the master's own devices. They report when they change."""

    async def watch(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` once the watch is in place, and whenever the device may have changed.

        Needs no :meth:`open`, and uses a connection of its own. Raises HaasError if the device
        can't be watched any more. Returns at once if it reports no changes.
        """
        return

    async def capacity(self, images: Sequence[str]) -> Capacity | None:
        """Read what a hypervisor has, and which of some base images; None for another device."""
        return None

    async def found_headnodes(self) -> list[FoundHeadnode]:
        """Read which machines on a hypervisor HaaS has made; none for another device."""
        return []

    async def provide_image(
        self,
        image: str,
        report: Callable[[Transferred], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Have a base image there as the master has it; copy it if it is not.

        Needs no :meth:`open`, and uses connections of its own. ``report`` is called while it is
        read and copied. Returns early once ``stopped`` returns true. Raises DeviceError. Does
        nothing on the master, and for another device.
        """
        return

    async def boot_id(self) -> str | None:
        """Return what identifies the device's present boot; None if it does not matter."""
        return None


SESSION_LOST = frozenset({"unreachable", "login", "host_key", "enable", "busy", "cut", "timeout"})
"""Reasons of a DeviceError after which the session can no longer be used."""


async def one_by_one(
    changes: Sequence[Any], progress: Progress, carry_out: CarryOut
) -> list[Outcome]:
    """Carry out one change after another and stop at the first that fails, as a driver's send."""
    outcomes: list[Outcome] = []
    for index, change in enumerate(changes):
        if progress.cancelled():
            break
        try:
            await carry_out(change, functools.partial(progress.line_sent, index))
        except DeviceError as error:
            outcomes.append(Outcome("refused", error))
            break
        outcomes.append(Outcome("sent"))
    return outcomes + [Outcome("unsent")] * (len(changes) - len(outcomes))


__all__ = [
    "SESSION_LOST",
    "Change",
    "Driver",
    "MasterDriver",
    "Outcome",
    "Progress",
    "Report",
    "Seen",
    "Transferred",
    "ignore",
    "one_by_one",
]
