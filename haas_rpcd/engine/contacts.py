"""Whether switches answer: what sessions find, and a light check of those that nobody talks to."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from haas_rpcd.clock import Clock
from haas_rpcd.errors import DeviceError, HaasError
from haas_rpcd.events import Events
from haas_rpcd.registered import RegisteredSwitch
from haas_rpcd.store import switches
from haas_rpcd.store.database import Store
from haas_rpcd.tasks import every

log = logging.getLogger(__name__)

SILENT = frozenset({"unreachable", "timeout", "cut"})
"""Reasons of a DeviceError for which a switch counts as silent. A refused login is an answer."""

_EXACT = 60.0
"""Resolution of the stored last contact, in seconds: each update is a write to the disk."""

_LOST = 10_000
"""How many moments at which a switch ceased to answer are remembered."""

_AT_ONCE = 50
"""Switches that are checked at the same time."""

Reach = Callable[[RegisteredSwitch], Awaitable[None]]
"""Connects to a switch, without logging in. Raises DeviceError."""


class Contact(msgspec.Struct, frozen=True):
    """Whether a switch answered, and when, in seconds since the epoch, it was last asked."""

    reachable: bool
    asked: float


class Contacts:
    """Notes whether switches answer."""

    def __init__(self, store: Store, events: Events, clock: Clock, reach: Reach | None) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._reach = reach
        self._known: dict[str, Contact] = {}
        self._stored: dict[str, float] = {}
        self._lost: deque[float] = deque(maxlen=_LOST)

    def lost_since(self, time: float) -> list[float]:
        """When switches ceased to answer since a time, and since the daemon was started."""
        return [moment for moment in self._lost if moment >= time]

    async def load(self) -> None:
        """Take over what the store knows."""
        for switch, reachable in await self._store.read(switches.contacts):
            self._known.setdefault(switch, Contact(reachable, 0.0))
            self._stored[switch] = self._clock.wall()  # not a hundred writes at the first apply

    async def note(self, switch: str, error: HaasError | None) -> None:
        """Note that a switch has answered (no ``error``, or one of its own), or has not."""
        reachable = not (isinstance(error, DeviceError) and error.reason in SILENT)
        before, now = self._known.get(switch), self._clock.wall()
        self._known[switch] = Contact(reachable, now)
        changed = before is None or before.reachable != reachable
        if not changed and abs(now - self._stored.get(switch, 0.0)) < _EXACT:
            return
        self._stored[switch] = now
        try:
            became = await self._store.write(
                switches.set_contact, switch, reachable, now if reachable else None
            )
        except HaasError as failure:  # it is in memory, and is stored the next time
            log.warning("that %s was reached could not be stored: %s", switch, failure.message)
            return
        if became:
            if not reachable:
                self._lost.append(now)
            verb = "reachable" if reachable else "unreachable"
            log.log(logging.INFO if reachable else logging.WARNING, "%s is %s", switch, verb)
            self._events.publish_inventory("switch", verb, switch, admins_only=True)

    async def check_regularly(self, interval: float) -> None:
        """Connect to each switch that nobody has talked to for ``interval`` seconds, for ever."""
        await every(
            interval,
            lambda: self.check(older_than=interval),
            "switches could not be checked for an answer",
        )

    async def check(self, *, older_than: float = 0.0) -> None:
        """Connect to the switches that have not been heard from for so many seconds."""
        if self._reach is None:
            return
        registered = await self._store.read(switches.registered)
        limit = asyncio.Semaphore(_AT_ONCE)
        now = self._clock.wall()
        async with asyncio.TaskGroup() as group:
            for switch in registered:
                known = self._known.get(switch.name)
                if known is None or abs(now - known.asked) >= older_than:
                    group.create_task(self._check_one(switch, self._reach, limit))

    async def _check_one(
        self, switch: RegisteredSwitch, reach: Reach, limit: asyncio.Semaphore
    ) -> None:
        async with limit:
            try:
                await reach(switch)
            except DeviceError as error:
                await self.note(switch.name, error)
            else:
                await self.note(switch.name, None)
