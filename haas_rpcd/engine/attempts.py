"""When what a hypervisor lost is restored: at once, and after a failure less and less often."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

EARLY = 0.01
"""Seconds by which an event loop's timer may end too early by another clock."""


class Failure(msgspec.Struct, frozen=True):
    """What could not be restored yet.

    ``device``: the hypervisor if only bridges are lost, its libvirt if headnodes are. ``again_in``:
    seconds until the next attempt, null if only a change of the hypervisor leads to one.
    """

    device: str
    attempts: int
    error: str
    again_in: float | None


class Schedule(msgspec.Struct, frozen=True):
    """When a failed attempt is repeated; all in seconds.

    ``delays`` follow the attempts that fail, one after the other. After the last one, only a change
    of the master leads to another attempt. A change that may have mended the cause leads to one
    after ``hastened`` times the present delay, but not sooner than ``gap`` after the last attempt.
    Changes within ``own`` after an attempt are its own.

    At most ``restores`` attempts begin within ``within`` seconds, if the earlier ones succeed: then
    somebody takes away again what is restored.
    """

    delays: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, *(600.0,) * 5)
    hastened: float = 0.1
    gap: float = 2.0
    own: float = 1.0
    restores: int = 10
    within: float = 300.0


class Attempts:
    """The attempts to restore what a hypervisor lost. ``now``: seconds by a clock nobody sets."""

    def __init__(self, now: Callable[[], float], schedule: Schedule) -> None:
        self._now = now
        self._schedule = schedule
        self._device = ""
        self._error = ""
        self._failures = 0
        self._ended = float("-inf")
        self._next: float | None = None
        """When to try again; None if nothing failed, or only a change leads to an attempt."""
        self._begun: deque[float] = deque(maxlen=schedule.restores)
        self.rescheduled = asyncio.Event()
        """Set whenever the time of the next attempt changes."""

    @property
    def failure(self) -> Failure | None:
        """What could not be restored yet, if anything."""
        if not self._failures:
            return None
        return Failure(self._device, self._failures, self._error, self.wait)

    @property
    def device(self) -> str | None:
        """The device whose loss could not be restored, if any."""
        return self._device if self._failures else None

    @property
    def wait(self) -> float | None:
        """Seconds until the next attempt; None if there is none to wait for."""
        return None if self._next is None else max(0.0, self._next - self._now())

    @property
    def due(self) -> bool:
        """True if what failed is to be tried again now."""
        return self._next is not None and self._next <= self._now() + EARLY

    def begin(self) -> bool:
        """Return whether an attempt may begin now; :meth:`ended` follows it."""
        if self._failures:
            return self.due
        now, known = self._now(), self._begun
        if len(known) == self._schedule.restores and now - known[0] < self._schedule.within:
            self._next = known[0] + self._schedule.within
            self.rescheduled.set()
            return False
        known.append(now)
        return True

    def ended(self, device: str, error: str | None) -> None:
        """Note how an attempt ended: ``error`` is None if it succeeded."""
        self._ended = self._now()
        if error is None:
            self.forget()
            return
        self._device, self._error = device, error
        self._failures += 1
        self._next = None
        if self._failures <= len(self._schedule.delays):
            self._next = self._ended + self._schedule.delays[self._failures - 1]
        self.rescheduled.set()

    def hasten(self) -> None:
        """Note that the master changed in a way that may have mended the cause of a failure."""
        schedule, now = self._schedule, self._now()
        if not self._failures or now - self._ended < schedule.own:
            return
        delays = schedule.delays
        delay = delays[min(self._failures, len(delays)) - 1]
        soon = self._ended + max(schedule.gap, schedule.hastened * delay)
        if self._next is None or soon < self._next:
            self._next = soon
            self.rescheduled.set()

    def forget(self) -> None:
        """Note that nothing is lost any more."""
        self._failures = 0
        self._next = None
        self.rescheduled.set()
