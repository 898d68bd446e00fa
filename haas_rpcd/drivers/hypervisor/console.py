"""The serial line of a headnode: a stream of libvirt's, over a connection of its own.

https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainOpenConsole. libvirt's event loop says
when there is something to read; its calls run in a thread, because they block while libvirtd hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from haas_rpcd.drivers.hypervisor import events
from haas_rpcd.drivers.hypervisor.connecting import load_libvirt
from haas_rpcd.drivers.hypervisor.libvirt import CLOSE_SECONDS
from haas_rpcd.drivers.hypervisor.worker import TooManyHanging, Worker
from haas_rpcd.errors import DeviceError

Result = TypeVar("Result")

_TIMEOUT = 15.0
"""Seconds for each of libvirt's calls."""

_CHUNK = 2**16
"""Bytes that are received at a time."""

_NOTHING = -2
"""What recv() and send() return if they would block."""


class Console:
    """Opens the serial lines of headnodes. ``reach`` returns the URI of one's libvirt, by uuid."""

    def __init__(self, reach: Callable[[str], Awaitable[str]]) -> None:
        self._reach = reach

    @asynccontextmanager
    async def open(self, uuid: str, headnode: str) -> AsyncIterator[HeadnodeLine]:
        """Open the line of a headnode, which must be running. Raises DeviceError.

        Only one can be open: whoever else has opened it, as by ``virsh console``, loses it.
        """
        libvirt = load_libvirt()
        events.start_loop(libvirt)
        uri = await self._reach(uuid)
        line = HeadnodeLine(libvirt, uri, headnode)
        try:
            await line.call(lambda: line.connect(uuid))
            yield line
        finally:
            await line.close()


class HeadnodeLine:
    """The open serial line of a headnode."""

    def __init__(self, libvirt: Any, uri: str, headnode: str) -> None:
        self._libvirt = libvirt
        self._uri = uri
        self._headnode = headnode
        self._worker = Worker(f"console of {headnode}", uri)
        self._loop = asyncio.get_running_loop()
        self._connection: Any = None
        self._stream: Any = None
        self._readable = asyncio.Event()

    def connect(self, uuid: str) -> None:
        """Connect to libvirt, and open the line. Raises libvirtError."""
        libvirt = self._libvirt
        self._connection = libvirt.open(self._uri)
        events.probe(libvirt, self._connection)
        domain = self._connection.lookupByUUIDString(uuid)
        self._stream = self._connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        domain.openConsole(None, self._stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        wanted = (
            libvirt.VIR_STREAM_EVENT_READABLE
            | libvirt.VIR_STREAM_EVENT_ERROR
            | libvirt.VIR_STREAM_EVENT_HANGUP
        )
        self._stream.eventAddCallback(wanted, self._happened, None)

    def _happened(self, *_: object) -> None:
        """Wake the reader; called in the thread of libvirt's event loop."""
        self._stream.eventUpdateCallback(0)  # until it was read
        with contextlib.suppress(RuntimeError):  # the daemon has ended
            self._loop.call_soon_threadsafe(self._readable.set)

    async def read(self) -> bytes:
        """Wait for bytes; return b"" once the line is closed, as when the headnode stops."""
        while True:
            await self._readable.wait()
            self._readable.clear()
            data = await self.call(self._receive)
            if data is not None:
                self._readable.set()  # there may be more
                return data

    def _receive(self) -> bytes | None:
        """Return what is there; None if that is nothing, and b"" at the end."""
        try:
            data = self._stream.recv(_CHUNK)
        except self._libvirt.libvirtError:
            return b""  # the headnode has stopped, or somebody else has opened the line
        if data != _NOTHING:
            found: bytes = data
            return found
        self._stream.eventUpdateCallback(
            self._libvirt.VIR_STREAM_EVENT_READABLE
            | self._libvirt.VIR_STREAM_EVENT_ERROR
            | self._libvirt.VIR_STREAM_EVENT_HANGUP
        )
        return None

    async def write(self, data: bytes) -> None:
        """Send bytes, and wait while the headnode takes none. Raises DeviceError."""
        while data:
            sent = await self.call(functools.partial(self._stream.send, data))
            if sent == _NOTHING:
                await asyncio.sleep(0.02)
            else:
                data = data[sent:]

    async def close(self) -> None:
        """Close the line and the connection. Never raises."""
        with contextlib.suppress(DeviceError):
            await self.call(self._close, CLOSE_SECONDS)
        self._worker.end()

    def _close(self) -> None:
        if self._stream is not None:
            for end in (self._stream.eventRemoveCallback, self._stream.abort):
                with contextlib.suppress(self._libvirt.libvirtError):
                    end()
        if self._connection is not None:
            self._connection.close()

    async def call(self, function: Callable[[], Result], timeout: float = _TIMEOUT) -> Result:
        """Run one of libvirt's calls. Raises DeviceError."""
        try:
            return await self._worker.call(lambda task: function(), timeout)
        except self._libvirt.libvirtError as error:
            raise DeviceError(
                f"libvirt can't open the console of headnode {self._headnode}: {error}. See that it"
                " is running and has a serial console.",
                reason="refused",
            ) from error
        except TimeoutError:
            raise DeviceError(
                f"libvirt did not answer for the console of headnode {self._headnode} within"
                f" {timeout:g} s: see what holds it up (systemctl status libvirtd).",
                reason="timeout",
            ) from None
        except TooManyHanging:
            raise DeviceError(
                "libvirt does not answer: too many calls hang. Restart libvirtd.", reason="timeout"
            ) from None
