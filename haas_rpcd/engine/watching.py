"""Watches the two devices of a hypervisor: its bridges, and the headnodes on its libvirt.

They are read when the daemon starts, before any job runs, and whenever the kernel or libvirt report
a change. What a reboot takes away is restored by a job of its own, again and again if that fails.
Other differences are drift, which the next apply of the headnode's owner undoes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial

import msgspec

from haas_rpcd.clock import Clock
from haas_rpcd.devicenames import libvirt_device
from haas_rpcd.drivers import MasterDriver
from haas_rpcd.engine.attempts import Attempts, Failure, Schedule
from haas_rpcd.engine.drift import CheckResult, DriftWatch
from haas_rpcd.errors import HaasError
from haas_rpcd.store import boots
from haas_rpcd.store.database import Store
from haas_rpcd.tasks import log_failure

log = logging.getLogger(__name__)

RESTORE_LIMIT = 120.0
"""Seconds that jobs wait for the master to be restored when the daemon starts."""


class Pace(msgspec.Struct, frozen=True):
    """How a hypervisor is watched; all in seconds.

    ``start_limit``: how long reading one of the devices may delay the daemon's start.
    ``debounce``: how long changes are collected for one check. ``confirm``: when a difference is
    looked at once more, before anything is restored. ``rest_limit``: how long a check waits for the
    changes of headnodes that are under way.

    ``retry``: between attempts to watch a device again; ``slow_retry``: the same, once its state is
    not known any more, which is ``blind_after`` it was lost. A restart of libvirtd takes less.
    ``settle``: how long a job waits for the check of what has just changed.
    """

    start_limit: float = 5.0
    debounce: float = 0.2
    confirm: float = 0.5
    rest_limit: float = 5.0
    retry: float = 0.5
    slow_retry: float = 2.0
    blind_after: float = 3.0
    settle: float = 2.0
    restoring: Schedule = Schedule()


Restore = Callable[[str], Awaitable[str | None]]
"""Runs the job that restores what was lost, given one of a hypervisor's devices, to its end.

Returns why it failed, None if it succeeded.
"""


class HostWatch:
    """Keeps what is known of a hypervisor's devices true.

    ``driver`` makes the driver of one. ``at_rest`` waits while headnodes are being changed.
    ``checked`` is called after each check of a device.
    ``restart_headnodes``: start headnodes that stopped while no daemon watched, as in a reboot of
    the hypervisor. ``pace``: its delays.
    """

    def __init__(
        self,
        hypervisor: str,
        store: Store,
        drift: DriftWatch,
        driver: Callable[[str], Awaitable[MasterDriver]],
        restore: Restore,
        at_rest: Callable[[], Awaitable[None]],
        clock: Clock,
        checked: Callable[[str], Awaitable[None]],
        *,
        restart_headnodes: bool,
        pace: Pace,
    ) -> None:
        self._store = store
        self._drift = drift
        self._network = hypervisor
        self._libvirt = libvirt_device(hypervisor)
        self._devices = (self._network, self._libvirt)
        self._driver = driver
        self._restore = restore
        self._checked = checked
        self._wait_until_at_rest = at_rest
        self._changed = {device: asyncio.Event() for device in self._devices}
        self._unchecked: set[str] = set()
        """The devices that may have changed since they were last checked."""
        self._settled = asyncio.Condition()
        self._restart_headnodes = restart_headnodes
        self._boot: str | None = None
        self._starts = restart_headnodes
        """True until the headnodes that stopped unseen are started again."""
        self._read: list[str] = []
        """The devices that were read at the start."""
        self._losing: dict[str, asyncio.Task[None]] = {}
        """Devices without a connection, until their state counts as not known."""
        self._pace = pace
        self._attempts = Attempts(lambda: clock.now().seconds, pace.restoring)
        self._restoring = asyncio.Lock()
        self._noting = asyncio.Lock()

    # --- at the start -----------------------------------------------------------------------------

    async def read_at_start(self) -> None:
        """Read the devices, for at most ``Pace.start_limit`` seconds.

        Until a later check reads the others, their state is not known.
        """
        checks = {
            device: asyncio.create_task(self._drift.check_devices([device]), name=f"look {device}")
            for device in self._devices
        }
        await asyncio.wait(checks.values(), timeout=self._pace.start_limit)
        for device, check in checks.items():
            if _has_read(device, check):
                self._read.append(device)
            else:
                log.warning("%s can't be read: what it has is not known", device)
                await self._drift.lose_sight(device, forget=True)

    async def restore_at_start(self) -> None:
        """Make bridges that are lost again, and start the headnodes that stopped unseen.

        After a reboot of the hypervisor, these are all that ran. What could not be read yet is
        restored as soon as it is.
        """
        await self._note_boot()
        await self._restore_lost(await self._drift.check_devices(self._read))

    async def _note_boot(self) -> None:
        """Find out whether the hypervisor was rebooted: that of a rehearsal can be at any time.

        Both devices are checked at once; neither is read before the other check has seen to this.
        """
        async with self._noting:
            await self._note_boot_alone()

    async def _note_boot_alone(self) -> None:
        try:
            boot = await (await self._driver(self._network)).boot_id()
        except HaasError:
            return  # it can't be read now
        if boot is None or boot == self._boot:
            return
        began, self._boot = self._boot is None, boot
        if await self._store.write(boots.begin, self._network, boot):
            log.warning("%s was rebooted: restoring its bridges and headnodes", self._network)
        if not began:
            self._drift.forget_reads(self._devices)
            self._starts = self._restart_headnodes
            self._attempts.forget()

    async def _restore_lost(self, found: CheckResult) -> None:
        """Restore what a check found to be lost, unless an attempt failed too short a time ago.

        A headnode that stopped unseen is started, one that stops later is left alone: it crashed,
        or its owner shut it down.
        """
        if self._restoring.locked():
            async with self._restoring:  # what was found may be restored by then
                self._check_again(found.checked)
            return
        async with self._restoring:
            headnodes = self._starts and self._libvirt in found.checked
            lost = await self._drift.lost(found.differences, with_headnodes=headnodes)
            if not lost:
                self._nothing_lost(found)
                return
            device = self._libvirt if headnodes else self._attempts.device or self._network
            if not self._attempts.begin():
                log.info("%s: %d targets are lost, and are left so for now", device, len(lost))
                return
            error = await self._try_to_restore(device)
            self._attempts.ended(device, error)
        if error is None:  # headnodes run, or their nics are on their networks again
            self._check_again([self._libvirt])

    async def _restore_if_read(self, device: str, found: CheckResult) -> None:
        """Restore what is lost. A device that can't be read, and was to be restored, waits on."""
        if device in found.checked:
            await self._restore_lost(found)
        elif self._attempts.device == device and self._attempts.due:
            self._attempts.ended(device, found.unreachable.get(device, "It can't be read."))

    async def _try_to_restore(self, device: str) -> str | None:
        try:
            return await self._restore(device)
        except HaasError as error:
            return error.message

    def _nothing_lost(self, found: CheckResult) -> None:
        if self._libvirt in found.checked:
            self._starts = False
        if self._attempts.device in found.checked:
            self._attempts.forget()

    def job_ended(self) -> None:
        """Check whether a job has restored what could not be restored before."""
        if (device := self._attempts.device) is not None:
            self._check_again([device])

    def _check_again(self, devices: Iterable[str]) -> None:
        for device in devices:
            if device in self._changed:
                self._unchecked.add(device)
                self._changed[device].set()

    async def _try_again(self) -> None:
        """Check again for what could not be restored whenever another attempt is due."""
        attempts = self._attempts
        while True:
            attempts.rescheduled.clear()
            try:
                async with asyncio.timeout(attempts.wait):
                    await attempts.rescheduled.wait()
            except TimeoutError:
                self._check_again([attempts.device or self._network])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RESTORE_LIMIT):
                        await attempts.rescheduled.wait()

    @property
    def failure(self) -> Failure | None:
        """What could not be restored yet on the hypervisor, if anything."""
        return self._attempts.failure

    def sees(self, device: str) -> bool:
        """Return whether a device answers."""
        return device not in self._losing

    # --- from then on -----------------------------------------------------------------------------

    def tasks(self) -> list[tuple[str, Coroutine[None, None, None]]]:
        """Return the coroutines that watch the devices, for ever, with their names."""
        made: list[tuple[str, Coroutine[None, None, None]]] = []
        for device in self._devices:
            made.append((f"watch {device}", self._watch(device)))
            made.append((f"check {device}", self._check_changed(device)))
        made.append((f"restore {self._network} again", self._try_again()))
        return made

    async def _check(self, device: str) -> CheckResult:
        """Check a device while nothing is sent to the hypervisor.

        A headnode that is being started has a tap in a bridge before it is admitted there, which is
        no drift. So what is found is checked once more.
        """
        await self._at_rest()
        await self._note_boot()
        result = await self._drift.check_devices([device])
        if result.differences:
            await asyncio.sleep(self._pace.confirm)
            await self._at_rest()
            result = await self._drift.check_devices([device])
        return result

    async def settle(self) -> None:
        """Wait until what has just changed is checked, for at most ``Pace.settle`` seconds."""
        try:
            async with asyncio.timeout(self._pace.settle), self._settled:
                await self._settled.wait_for(lambda: not self._unchecked)
        except TimeoutError:
            return

    async def _watch(self, device: str) -> None:
        """Watch a device; connect again for as long as it takes."""
        try:
            while True:
                try:
                    driver = await self._driver(device)
                    await driver.watch(partial(self._note, device))
                    return  # it reports no changes
                except HaasError as error:
                    if device not in self._losing:
                        log.warning("%s can't be watched: %s", device, error.message)
                except Exception:  # a bug must not end the watch
                    log.exception("watching %s failed unexpectedly", device)
                if device not in self._losing:
                    self._losing[device] = asyncio.create_task(self._lose_sight(device))
                lost = self._losing[device].done()
                await asyncio.sleep(self._pace.slow_retry if lost else self._pace.retry)
        finally:
            self._connected(device)

    async def _lose_sight(self, device: str) -> None:
        """Wait a while for a connection; without one, the device's state is not known any more."""
        await asyncio.sleep(self._pace.blind_after)
        await self._drift.lose_sight(device, forget=False)

    def _connected(self, device: str) -> None:
        if (losing := self._losing.pop(device, None)) is not None:
            losing.cancel()

    async def _at_rest(self) -> None:
        try:
            async with asyncio.timeout(self._pace.rest_limit):
                await self._wait_until_at_rest()
        except TimeoutError:
            return

    def _note(self, device: str) -> None:
        if device == self._network or device in self._losing:
            self._attempts.hasten()  # a link may be there again, or libvirt
        self._connected(device)
        self._unchecked.add(device)
        self._changed[device].set()

    async def _check_changed(self, device: str) -> None:
        """Check a device each time it may have changed."""
        changed = self._changed[device]
        while True:
            await changed.wait()
            await asyncio.sleep(self._pace.debounce)
            changed.clear()
            try:
                await self._restore_if_read(device, await self._check(device))
                await self._checked(device)
            except Exception as error:  # noqa: BLE001 - it must not end the checks
                log_failure(f"{device} could not be checked", error)
            if not changed.is_set():
                self._unchecked.discard(device)
            async with self._settled:
                self._settled.notify_all()


def _has_read(device: str, check: asyncio.Task[CheckResult]) -> bool:
    """Return whether a check has read its device. One under way goes on."""
    return check.done() and not check.exception() and device in check.result().checked
