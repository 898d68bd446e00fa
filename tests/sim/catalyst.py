"""A simulated Catalyst, and a client of its telnet port that does not negotiate."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from haas_rpcd.sim.ios import IosSwitch, gigabit

from . import console

PROMPT = re.compile(r"(?:^|\n)[\w-]+(?:\(config[^)]*\))?[>#]$")
GI1, GI2, GI3, GI4 = gigabit(4)
INVALID = "% Invalid input detected at '^' marker."


class Console(console.Console):
    async def configure(self, *lines: str) -> list[str]:
        """Execute lines in global configuration; return everything that they print."""
        await self.run("configure terminal")
        printed = await self.run_all(*lines)
        return printed + await self.run("end")


@asynccontextmanager
async def connected(switch: IosSwitch) -> AsyncIterator[Console]:
    """Open a connection; nothing has been read or sent on it yet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", switch.port)
    try:
        yield Console(reader, writer, PROMPT)
    finally:
        writer.close()


@asynccontextmanager
async def logged_in(switch: IosSwitch, lines: str = "terminal length 0") -> AsyncIterator[Console]:
    """Log in, and turn paging off."""
    async with connected(switch) as console:
        await console.until("Username: $")
        console.send(f"{switch.access.username}\r{switch.access.password}\r")
        await console.until(PROMPT)
        if lines:
            await console.run(lines)
        yield console


def catalyst(**options: object) -> IosSwitch:
    """Make a switch with four ports, whose users land at the ``#`` prompt."""
    settings: dict[str, object] = {"ports": gigabit(4), "username": "haas", "password": "pw"}
    return IosSwitch("sw1", **(settings | options))  # type: ignore[arg-type]
