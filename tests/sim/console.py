"""A client that takes bytes as they come, for any simulated switch: telnet without negotiation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from haas_rpcd.sim.cli import Device

PROMPT = re.compile(r"(?:^|\n)[^\s>#]+(?: ?\([^)]*\))?[>#] ?$")
"""Fits most vendors' prompts; give `Console` the vendor's own where it does not."""


class Console:
    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        prompt: re.Pattern[str] = PROMPT,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.prompt = prompt
        self.seen = b""

    def send(self, text: str) -> None:
        self.writer.write(text.encode("latin-1"))

    async def until(self, pattern: str | re.Pattern[str]) -> str:
        """Read until what came since the last call ends in ``pattern``; return it."""
        pattern = re.compile(pattern) if isinstance(pattern, str) else pattern
        text = ""
        async with asyncio.timeout(5):
            while not pattern.search(text):
                data = await self.reader.read(65536)
                assert data, f"the switch hung up after {text!r}"
                self.seen += data
                text += re.sub(rb"\xff[\xfb-\xfe].", b"", data).decode().replace("\r\n", "\n")
        return text

    async def run(self, line: str) -> list[str]:
        """Send a line; return what is printed between its echo and the next prompt."""
        self.send(f"{line}\r")
        echo, *printed, _prompt = (await self.until(self.prompt)).split("\n")
        assert echo == line
        return printed

    async def run_all(self, *lines: str) -> list[str]:
        """Send one line after the other; return all that they print."""
        return [text for line in lines for text in await self.run(line)]

    async def hung_up(self) -> str:
        """Read to the end of the connection; a reset is an end too."""
        data = b""
        async with asyncio.timeout(5):
            try:
                while chunk := await self.reader.read(65536):
                    data += chunk
            except ConnectionResetError:
                pass
        return data.decode("latin-1").replace("\r\n", "\n")


@asynccontextmanager
async def connected(
    switch: Device[Any], prompt: re.Pattern[str] = PROMPT
) -> AsyncIterator[Console]:
    """A connection on which nothing has been said yet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", switch.port)
    try:
        yield Console(reader, writer, prompt)
    finally:
        writer.close()


@asynccontextmanager
async def logged_in(
    switch: Device[Any], *lines: str, prompt: re.Pattern[str] = PROMPT
) -> AsyncIterator[Console]:
    """A session at the prompt, past the login; ``lines`` turn the pager off."""
    async with connected(switch, prompt) as console:
        await console.until(r"(?i)(?:username|login|user name|name|user): ?$")
        console.send(f"{switch.access.username}\r{switch.access.password}\r")
        await console.until(prompt)
        for line in lines:
            await console.run(line)
        yield console
