"""libvirt's events about domains, and the end of its connection.

libvirt delivers events from an event loop of its own, which is registered once in a process, before
any connection is opened that uses it: https://libvirt.org/html/libvirt-libvirt-event.html. It runs
in a thread, because callbacks may come at any time and must not depend on one asyncio loop.

libvirt reports no event when somebody moves the nic of a running domain. So the nics are compared
every :data:`POLL` seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from haas_rpcd.drivers.hypervisor import domain_xml

log = logging.getLogger(__name__)

POLL = 4.0
"""Seconds between two reads of the nics of running domains."""


class KeepAlive(NamedTuple):
    """When a connection is lost: so many ``probes``, ``interval`` seconds apart, were not answered.

    A call that waits for its answer ends with its connection.
    """

    interval: int
    probes: int


FOR_EVENTS = KeepAlive(3, 1)
"""The state shown must be true within 10 s, so give up early: reconnecting only costs a check."""

FOR_CALLS = KeepAlive(5, 5)
"""A busy host is slow, and a step must not fail because of that."""

_lock = threading.Lock()
_running = False


def start_loop(libvirt: Any) -> None:
    """Run libvirt's event loop in a thread of its own, from the first call on."""
    global _running
    with _lock:
        if _running:
            return
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_run, args=(libvirt,), name="libvirt events", daemon=True).start()
        _running = True


def _run(libvirt: Any) -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError:
            log.exception("libvirt's event loop failed")


def probe(libvirt: Any, connection: Any, keep_alive: KeepAlive = FOR_CALLS) -> None:
    """Let a connection end when its libvirtd is silent, as when its host lost power. Blocks.

    The loop must have been started before the connection was opened. Only a connection's first
    probes count.
    """
    with contextlib.suppress(libvirt.libvirtError):  # in this process, as test:/// is
        connection.setKeepAlive(*keep_alive)


class Subscription:
    """Subscribes one connection to events. ``changed`` is called in the loop's thread.

    ``ended`` is set once the connection is lost. Its methods block, in a worker's thread.
    """

    def __init__(self, libvirt: Any, connection: Any, changed: Callable[[], None]) -> None:
        self._libvirt = libvirt
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._changed = changed
        self._callbacks: list[int] = []
        self._plugged: dict[str, object] = {}
        self.ended = asyncio.Event()

    def begin(self) -> None:
        """Subscribe. Raises libvirtError."""
        libvirt, connection = self._libvirt, self._connection
        with contextlib.suppress(libvirt.libvirtError):  # in this process, as test:/// is
            connection.registerCloseCallback(self._closed, None)
        for event in (
            libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
            libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
            libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
        ):
            callback = connection.domainEventRegisterAny(None, event, self._happened, None)
            self._callbacks.append(callback)
        self._plugged = self._nics()

    def moved(self) -> bool:
        """Return whether a nic of a running domain was moved since the last call."""
        before, self._plugged = self._plugged, self._nics()
        return before != self._plugged

    def end(self) -> None:
        """Unsubscribe. Raises libvirtError."""
        for callback in self._callbacks:
            self._connection.domainEventDeregisterAny(callback)
        with contextlib.suppress(self._libvirt.libvirtError):
            self._connection.unregisterCloseCallback()

    def _nics(self) -> dict[str, object]:
        found: dict[str, object] = {}
        for domain in self._connection.listAllDomains(
            self._libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
        ):
            try:
                found[domain.UUIDString()] = domain_xml.read_interfaces(domain.XMLDesc(0))
            except self._libvirt.libvirtError:
                continue  # it ended at this moment
        return found

    # --- in the thread of libvirt's event loop ----------------------------------------------------

    def _happened(self, *_: object) -> None:
        self._call(self._changed)

    def _closed(self, *_: object) -> None:
        self._call(self.ended.set)

    def _call(self, function: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            return  # the daemon has ended
