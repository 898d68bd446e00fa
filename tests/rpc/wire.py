"""The cable between the daemon and a switch, on which tests can hold back lines."""

from __future__ import annotations

import asyncio
import re
from typing import cast

from haas_rpcd.sim.ios import IosSwitch


class Hold:
    """One line, or the answer to one, held back until it is released.

    Data before it passes; data after it waits as well. If its sender disconnects meanwhile, it is
    lost.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = re.compile(pattern.encode(), re.M)
        self.reached = asyncio.Event()
        self._end: _End | None = None

    async def wait(self) -> None:
        """Wait until it has arrived and is held."""
        async with asyncio.timeout(20):
            await self.reached.wait()

    def catch(self, end: _End) -> None:
        """Hold it; it has arrived."""
        self._end = end
        self.reached.set()

    def release(self) -> None:
        """Let it pass."""
        if self._end is not None:
            self._end.hold = None
            self._end.forward()


class Wire:
    """A TCP relay in front of a switch that can hold back a line, like a slow switch.

    The daemon talks to the simulated switch through it. While a line is held, the daemon's job is
    in the middle of exactly that line, so a test can act there without sleeping.
    """

    def __init__(self, switch: IosSwitch) -> None:
        self.switch = switch
        self.port = 0
        self.holds: dict[str, Hold] = {}
        self._server: asyncio.Server | None = None
        self._ends: set[_End] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _End(self, "line", self._ends), "127.0.0.1", 0
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in list(self._ends):
            end.abort()

    def hold(self, line: str) -> Hold:
        """Hold back the next line that matches a regular expression: the switch does not get it."""
        hold = self.holds["line"] = Hold(line)
        return hold

    def hold_answer(self, line: str) -> Hold:
        """Let the next such line be executed, but hold back the switch's answer."""
        hold = self.holds["answer"] = Hold(line)
        return hold


class _End(asyncio.Protocol):
    """One end of a relayed connection; what it receives is sent by its peer."""

    def __init__(self, wire: Wire, kind: str, ends: set[_End], peer: _End | None = None) -> None:
        self.hold: Hold | None = None
        self._wire = wire
        self._kind = kind
        self._ends = ends
        self._peer = peer
        self._transport: asyncio.Transport | None = None
        self._waiting = b""
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ends.add(self)
        if self._peer is None:
            self._connecting = asyncio.create_task(self._connect())
        else:
            self._peer._peer = self
            self._peer.forward()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: _End(self._wire, "answer", self._ends, self),
                "127.0.0.1",
                self._wire.switch.port,
            )
        except OSError:
            self.abort()

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        hold = self._wire.holds.get(self._kind)
        if self.hold is None and hold is not None and (found := hold.pattern.search(self._waiting)):
            del self._wire.holds[self._kind]
            self._forward(found.start())
            self.hold = hold
            hold.catch(self)
        self.forward()

    def forward(self) -> None:
        if self.hold is None:
            self._forward(len(self._waiting))

    def _forward(self, size: int) -> None:
        there = self._peer._transport if self._peer else None
        if there is not None and not there.is_closing():
            there.write(self._waiting[:size])
            self._waiting = self._waiting[size:]

    def connection_lost(self, exc: Exception | None) -> None:
        self._ends.discard(self)
        self._transport = None
        peer = self._peer._transport if self._peer else None
        if peer is not None:
            peer.abort() if exc else peer.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
