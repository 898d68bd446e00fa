"""Watches the master's own devices: its bridges, and the headnodes on its hypervisor.

They are read when the daemon starts, before any job runs, and whenever the kernel or libvirt report
a change. What a reboot of the master takes away is restored by a job of its own. Other differences
are drift, which the next apply of the headnode's owner undoes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial

from haas_rpcd.drivers import MasterDriver
from haas_rpcd.engine.drift import CheckResult, DriftWatch
from haas_rpcd.errors import HaasError
from haas_rpcd.model import LIBVIRT, MASTER
from haas_rpcd.store import boots
from haas_rpcd.store.database import Store

log = logging.getLogger(__name__)

START_LIMIT = 5.0
"""Seconds that reading one of the devices may delay the daemon's start."""

RESTORE_LIMIT = 120.0
"""Seconds that jobs wait for the master to be restored when the daemon starts."""

DEBOUNCE = 0.2
"""Seconds that changes are collected for one check."""

CONFIRM = 0.5
"""Seconds after which a difference is looked at once more, before anything is restored."""

REST_LIMIT = 5.0
"""Seconds that a check waits for the changes of headnodes that are under way."""

RETRY = 0.5
"""Seconds between attempts to watch a device again."""

SLOW_RETRY = 2.0
"""The same, once the device's state is not known any more."""

BLIND_AFTER = 3.0
"""Seconds without a connection after which a device's state is not known any more. A restart of
libvirtd takes less."""

SETTLE = 2.0
"""Seconds that a job waits for the check of what has just changed."""

MAX_RESTORES, RESTORES_WITHIN = 3, 300.0
"""How often, in so many seconds, lost bridges are made again. If somebody keeps on removing them,
they are shown as drift."""

Restore = Callable[[str], Awaitable[None]]
"""Runs the job that restores what was lost, of :data:`MASTER` or :data:`LIBVIRT`, to its end."""


class MasterWatch:
    """Keeps what is known of the master's devices true.

    ``devices`` makes the driver of each. ``at_rest`` waits while headnodes are being changed.
    ``restart_headnodes``: start headnodes that stopped while no daemon watched, as in a reboot of
    the master.
    """

    def __init__(
        self,
        store: Store,
        drift: DriftWatch,
        devices: dict[str, Callable[[], MasterDriver]],
        restore: Restore,
        at_rest: Callable[[], Awaitable[None]],
        *,
        restart_headnodes: bool,
    ) -> None:
        self._store = store
        self._drift = drift
        self._devices = devices
        self._restore = restore
        self._wait_until_at_rest = at_rest
        self._changed = {device: asyncio.Event() for device in devices}
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
        self._restored: deque[float] = deque(maxlen=MAX_RESTORES)

    # --- at the start -----------------------------------------------------------------------------

    async def look(self) -> None:
        """Read the devices, for at most ``START_LIMIT`` seconds.

        Until a later check reads the others, their state is not known.
        """
        checks = {
            device: asyncio.create_task(self._drift.check_devices([device]), name=f"look {device}")
            for device in self._devices
        }
        if checks:
            await asyncio.wait(checks.values(), timeout=START_LIMIT)
        for device, check in checks.items():
            if _has_read(device, check):
                self._read.append(device)
            else:
                log.warning("%s can't be read: what it has is not known", device)
                await self._drift.lose_sight(device, forget=True)

    async def restore_at_start(self) -> None:
        """Make bridges that are lost again, and start the headnodes that stopped unseen.

        After a reboot of the master, these are all that ran. What could not be read yet is restored
        as soon as it is.
        """
        await self._note_boot()
        await self._restore_lost(await self._drift.check_devices(self._read))

    async def _note_boot(self) -> None:
        """Find out whether the master was rebooted, as that of a rehearsal can be at any time."""
        make = self._devices.get(MASTER)
        boot = await make().boot_id() if make is not None else None
        if boot is None or boot == self._boot:
            return
        began, self._boot = self._boot is None, boot
        if await self._store.write(boots.begin, boot):
            log.warning("the master was rebooted: restoring its bridges and headnodes")
        if not began:
            self._drift.forget_reads()
            self._starts = self._restart_headnodes

    async def _restore_lost(self, found: CheckResult) -> None:
        """Restore what a check found to be lost; headnodes when they are read for the first time.

        A headnode that stops later has crashed, or its owner shut it down: it is left alone.
        """
        starts = self._starts and LIBVIRT in found.checked
        if starts:
            self._starts = False
        if starts and await self._drift.lost(found.differences, with_headnodes=True):
            await self._restore(LIBVIRT)
        elif (
            await self._drift.lost(found.differences, with_headnodes=False) and self._may_restore()
        ):
            await self._restore(MASTER)
            if LIBVIRT in self._changed:  # nics of headnodes may be on their networks again
                self._unchecked.add(LIBVIRT)
                self._changed[LIBVIRT].set()

    def _may_restore(self) -> bool:
        now = asyncio.get_running_loop().time()
        if len(self._restored) == MAX_RESTORES and now - self._restored[0] < RESTORES_WITHIN:
            log.warning("bridges are lost again and again: they are left as they are")
            return False
        self._restored.append(now)
        return True

    def sees(self, device: str) -> bool | None:
        """Return whether a device answers; None if there is none of this name."""
        return device not in self._losing if device in self._devices else None

    # --- from then on -----------------------------------------------------------------------------

    def tasks(self) -> list[tuple[str, Coroutine[None, None, None]]]:
        """Return the coroutines that watch the devices, for ever, with their names."""
        made: list[tuple[str, Coroutine[None, None, None]]] = []
        for device in self._devices:
            made.append((f"watch {device}", self._watch(device)))
            made.append((f"check {device}", self._check_changed(device)))
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
            await asyncio.sleep(CONFIRM)
            await self._at_rest()
            result = await self._drift.check_devices([device])
        return result

    async def settle(self) -> None:
        """Wait until what has just changed is checked, for at most ``SETTLE`` seconds."""
        try:
            async with asyncio.timeout(SETTLE), self._settled:
                await self._settled.wait_for(lambda: not self._unchecked)
        except TimeoutError:
            return

    async def _watch(self, device: str) -> None:
        """Watch a device; connect again for as long as it takes."""
        try:
            while True:
                try:
                    await self._devices[device]().watch(partial(self._note, device))
                    return  # it reports no changes
                except HaasError as error:
                    if device not in self._losing:
                        log.warning("%s can't be watched: %s", device, error.message)
                except Exception:  # a bug must not end the watch
                    log.exception("watching %s failed unexpectedly", device)
                if device not in self._losing:
                    self._losing[device] = asyncio.create_task(self._lose_sight(device))
                await asyncio.sleep(SLOW_RETRY if self._losing[device].done() else RETRY)
        finally:
            self._connected(device)

    async def _lose_sight(self, device: str) -> None:
        """Wait a while for a connection; without one, the device's state is not known any more."""
        await asyncio.sleep(BLIND_AFTER)
        await self._drift.lose_sight(device, forget=False)

    def _connected(self, device: str) -> None:
        if (losing := self._losing.pop(device, None)) is not None:
            losing.cancel()

    async def _at_rest(self) -> None:
        try:
            async with asyncio.timeout(REST_LIMIT):
                await self._wait_until_at_rest()
        except TimeoutError:
            return

    def _note(self, device: str) -> None:
        self._connected(device)
        self._unchecked.add(device)
        self._changed[device].set()

    async def _check_changed(self, device: str) -> None:
        """Check a device each time it may have changed."""
        changed = self._changed[device]
        while True:
            await changed.wait()
            await asyncio.sleep(DEBOUNCE)
            changed.clear()
            try:
                await self._restore_lost(await self._check(device))
            except Exception:  # a bug must not end the checks
                log.exception("checking %s failed unexpectedly", device)
            if not changed.is_set():
                self._unchecked.discard(device)
            async with self._settled:
                self._settled.notify_all()


def _has_read(device: str, check: asyncio.Task[CheckResult]) -> bool:
    """Return whether a check has read its device. One under way goes on."""
    return check.done() and not check.exception() and device in check.result().checked
