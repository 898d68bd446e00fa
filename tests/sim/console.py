"""A client for simulated switches: a raw TCP connection without telnet negotiation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from haas_rpcd.sim.cli import Device

PROMPT = re.compile(r"(?:^|\n)[^\s>#]+(?: ?\([^)]*\))?[>#] ?$")
"""Matches most vendors' prompts; pass `Console` another pattern for the others."""


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
        """Read until the new output matches ``pattern``; return that output."""
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
        """Send a line; return the lines printed between its echo and the next prompt."""
        self.send(f"{line}\r")
        echo, *printed, _prompt = (await self.until(self.prompt)).split("\n")
        assert echo == line
        return printed

    async def run_all(self, *lines: str) -> list[str]:
        """Send lines one after the other; return everything they print."""
        return [text for line in lines for text in await self.run(line)]

    async def hung_up(self) -> str:
        """Read until the connection is closed or reset; return the output."""
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
    """Open a connection; nothing has been read or sent on it yet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", switch.port)
    try:
        yield Console(reader, writer, prompt)
    finally:
        writer.close()


@asynccontextmanager
async def logged_in(
    switch: Device[Any], *lines: str, prompt: re.Pattern[str] = PROMPT
) -> AsyncIterator[Console]:
    """Log in, then send ``lines``, such as one that turns the pager off."""
    async with connected(switch, prompt) as console:
        await console.until(r"(?i)(?:username|login|user name|name|user): ?$")
        console.send(f"{switch.access.username}\r{switch.access.password}\r")
        await console.until(prompt)
        for line in lines:
            await console.run(line)
        yield console


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; TimeoutError after 5 seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  (nothing signals the change)
            await asyncio.sleep(0.01)
