"""The BMCs of a demo, and the consoles of its machines, in memory: no protocol is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from haas_rpcd.bmc import RegisteredBmc
from haas_rpcd.line import Line
from haas_schemas.bmc import BootDevice, PowerState

DELAY = 0.3
"""Seconds that a node takes to be on or off."""


class SimBmcs:
    """A BMC for each node that is registered with one. All nodes are off at first.

    ``switched`` is called with a node that was switched on or off.
    """

    def __init__(self, switched: Callable[[str, bool], None] = lambda node, on: None) -> None:
        self._power: dict[str, PowerState] = {}
        self._switched = switched

    @asynccontextmanager
    async def open(self, bmc: RegisteredBmc) -> AsyncIterator[SimSession]:
        """Return a session."""
        yield SimSession(self._power, bmc.node, self._switched)

    @asynccontextmanager
    async def console(self, bmc: RegisteredBmc) -> AsyncIterator[Line]:
        """Return the node's serial line."""
        yield SimLine(f"node {bmc.node}")


class SimSession:
    """A session with one BMC."""

    def __init__(
        self, power: dict[str, PowerState], node: str, switched: Callable[[str, bool], None]
    ) -> None:
        self._states = power
        self._node = node
        self._switched = switched

    async def power(self) -> PowerState:
        """Return whether the node is on."""
        return self._states.get(self._node, "off")

    async def switch(self, to: PowerState) -> None:
        """Switch the node on or off, a little later."""
        await asyncio.sleep(DELAY)
        self._states[self._node] = to
        self._switched(self._node, to == "on")

    async def reset(self) -> None:
        """Do nothing: the node is on before and after."""

    async def boot_from(self, device: BootDevice) -> None:
        """Do nothing: the node boots nothing."""


@asynccontextmanager
async def headnode_console(uuid: str, headnode: str) -> AsyncIterator[Line]:
    """Return the serial line of a headnode."""
    yield SimLine(f"headnode {headnode}")


class SimLine:
    """A serial line with nothing behind it but an echo, as it says."""

    def __init__(self, name: str) -> None:
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        banner = f"\r\nThis is the simulated console of {name}: it only echoes.\r\n> "
        self._said.put_nowait(banner.encode())

    async def read(self) -> bytes:
        """Wait for what was typed."""
        return await self._said.get()

    async def write(self, data: bytes) -> None:
        """Echo."""
        await self._said.put(data.replace(b"\r", b"\r\n> "))
