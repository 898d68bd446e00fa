"""The hypervisors that are watched: the master, and those that are registered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from haas_rpcd.devicenames import MASTER, copy_device, hypervisor_of, libvirt_device
from haas_rpcd.engine.attempts import Failure
from haas_rpcd.engine.watching import RESTORE_LIMIT, HostWatch
from haas_rpcd.errors import HaasError, UnavailableError
from haas_rpcd.tasks import cancel_and_wait, log_failure, start_apart

log = logging.getLogger(__name__)


class Hosts:
    """Has a watch for each hypervisor in service. ``make`` creates it.

    None waits for another: a dead one delays only its own headnodes. ``interrupt`` stops
    what one of its devices is doing, ``leave`` ends the connection to it.
    """

    def __init__(
        self,
        make: Callable[[str], HostWatch],
        interrupt: Callable[[str, HaasError], Awaitable[None]],
        leave: Callable[[str], Awaitable[None]],
    ) -> None:
        self._make = make
        self._leave = leave
        self._interrupt = interrupt
        self._watches: dict[str, HostWatch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._stopped = False

    def __contains__(self, device: str) -> bool:
        return hypervisor_of(device) in self._watches

    def load(self, names: Iterable[str]) -> None:
        """Take over the names of the hypervisors in service when the daemon starts."""
        for name in names:
            self._watches[name] = self._make(name)

    async def read_at_start(self) -> None:
        """Read all hypervisors at the same time when the daemon starts, for a limited time."""
        async with asyncio.TaskGroup() as group:
            for watch in self._watches.values():
                group.create_task(watch.read_at_start())

    async def begin(self) -> None:
        """Restore what reboots took away, and watch all from then on.

        Waits until the master is restored, for at most :data:`RESTORE_LIMIT` seconds.
        """
        master = self._watches.get(MASTER)
        for name in self._watches:
            if name != MASTER:
                self._start(name, restore=True)
        if master is None:
            return
        try:
            async with asyncio.timeout(RESTORE_LIMIT):
                await master.restore_at_start()
        except TimeoutError:
            log.warning("the master is not restored after %.0f s: other jobs run", RESTORE_LIMIT)
        except Exception as error:  # noqa: BLE001 - it must not keep the jobs from running
            log_failure("the master could not be restored", error)
        self._start(MASTER)

    def add(self, name: str) -> None:
        """Watch a hypervisor that was just registered."""
        if self._stopped:
            return
        self._watches[name] = self._make(name)
        self._start(name)

    def remove(self, name: str, why: str) -> None:
        """Stop waiting for a hypervisor that was just retired or deleted.

        Whoever waits for one of its devices gets UnavailableError with ``why``.
        """
        self._watches.pop(name, None)
        if (task := self._tasks.pop(name, None)) is not None:
            task.cancel()
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
        ending = start_apart(self._end(name, why), f"remove {name}")
        self._leaving.add(ending)
        ending.add_done_callback(self._leaving.discard)

    async def _end(self, name: str, why: str) -> None:
        for device in (copy_device(name), name, libvirt_device(name)):
            await self._interrupt(device, UnavailableError(why))
        await self._leave(name)

    def _start(self, name: str, *, restore: bool = False) -> None:
        watch = self._watches[name]
        self._tasks[name] = start_apart(_watch(watch, restore), f"watch {name}")

    async def stop(self) -> None:
        """Stop watching."""
        self._stopped = True
        await cancel_and_wait(*self._tasks.values(), *self._leaving)

    async def settle(self) -> None:
        """Wait a while until recent changes are checked; a silent hypervisor is not waited for."""
        answering = [
            watch
            for name, watch in self._watches.items()
            if name == MASTER or (watch.sees(name) and watch.sees(libvirt_device(name)))
        ]
        await asyncio.gather(*(watch.settle() for watch in answering))

    def job_ended(self) -> None:
        """Check whether a job has restored what could not be restored before."""
        for watch in self._watches.values():
            watch.job_ended()

    def sees(self, device: str) -> bool | None:
        """Return whether a device answers; None if it belongs to no hypervisor in service."""
        watch = self._watches.get(hypervisor_of(device))
        return None if watch is None else watch.sees(device)

    @property
    def failures(self) -> list[Failure]:
        """What could not be restored yet; that of the master is the first."""
        names = sorted(self._watches, key=lambda name: (name != MASTER, name))
        found = [self._watches[name].failure for name in names]
        return [failure for failure in found if failure is not None]


async def _watch(watch: HostWatch, restore: bool) -> None:
    if restore:
        try:
            await watch.restore_at_start()
        except Exception as error:  # noqa: BLE001 - it is restored once the watch sees it
            log_failure("a hypervisor could not be restored", error)
    async with asyncio.TaskGroup() as group:
        for name, work in watch.tasks():
            group.create_task(work, name=name)
