"""Work on a libvirt that may take minutes, such as sending a disk, beside its driver's calls."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from haas_rpcd.drivers.hypervisor import events
from haas_rpcd.drivers.hypervisor.connecting import is_lost, load_libvirt, unreachable
from haas_rpcd.drivers.hypervisor.worker import Abandoned, Task, TooManyHanging, Worker
from haas_rpcd.errors import DeviceError
from haas_rpcd.tasks import cancel_and_wait

Result = TypeVar("Result")

TICK = 0.5
"""Seconds between two reports of progress."""

STALLED = 60.0
"""Seconds without a byte after which a copy is given up."""

_KEEP_ALIVE = events.KeepAlive(10, 3)
"""Of interval (seconds) and probes: on a slow line, answers wait behind the data being sent."""

_FOR_EVER = 7 * 86400.0
"""A copy may take long; a stalled one is detected separately (STALLED)."""


class Counted:
    """The progress of long work: ``done`` of ``total`` bytes, and ``what`` it does, for people.

    It is written in one thread and read in another.
    """

    def __init__(self) -> None:
        self.what = ""
        self.done = self.total = 0

    def begin(self, what: str, total: int) -> None:
        """Begin a part of the work, of so many bytes."""
        self.what, self.done, self.total = what, 0, total


@contextmanager
def connected(libvirt: Any, uri: str, shown: str | None = None) -> Iterator[Any]:
    """Connect to a libvirt; errors name it as ``shown``. Blocks. Raises DeviceError."""
    shown = shown or uri
    try:
        connection = libvirt.open(uri)
    except libvirt.libvirtError as error:
        raise unreachable(shown, error) from error
    events.probe(libvirt, connection, _KEEP_ALIVE)
    try:
        yield connection
    except libvirt.libvirtError as error:
        if is_lost(libvirt, connection, error):
            raise unreachable(shown, error) from error
        raise DeviceError(
            f"libvirt on {shown} failed on an image or a disk: {error}. Mend that, then apply"
            " again.",
            reason="refused",
        ) from error
    finally:
        with contextlib.suppress(libvirt.libvirtError):
            connection.close()


async def work(
    name: str, uri: str, function: Callable[[Task[Any]], Result], counted: Counted
) -> Result:
    """Call a function that blocks, in a thread of its own, for as long as it gets on.

    Raises DeviceError.
    """
    events.start_loop(load_libvirt())
    worker = Worker(name, uri)
    call = asyncio.create_task(worker.call(function, _FOR_EVER), name=name)
    try:
        await _while_it_gets_on(call, counted, name, uri)
        return call.result()
    except TooManyHanging as error:
        raise DeviceError(
            f"libvirt on {uri} has not answered several earlier calls and is not asked again before"
            " it does: restart it (systemctl restart libvirtd).",
            reason="unreachable",
        ) from error
    except Abandoned as error:
        raise DeviceError("The copy was given up: apply again.", reason="timeout") from error
    finally:
        if not call.done():
            await cancel_and_wait(call)
        worker.end()


async def _while_it_gets_on(
    call: asyncio.Future[Any], counted: Counted, name: str, uri: str
) -> None:
    at, still = (counted.what, counted.done), 0.0
    while not call.done():
        await asyncio.wait({call}, timeout=TICK)
        now = (counted.what, counted.done)
        still = 0.0 if now != at else still + TICK
        at = now
        if still >= STALLED:
            raise DeviceError(
                f"libvirt on {uri} took no byte for {STALLED:.0f} s ({name}): see what holds it up,"
                " then apply again.",
                reason="timeout",
            )
