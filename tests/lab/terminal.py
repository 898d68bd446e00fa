"""A user at the switch's telnet prompt, who logs in and types commands."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from telnetlib3 import open_connection
from telnetlib3.client import TelnetClient

from .credentials import PASSWORD, USER

PROMPT = "lab:$? # "
"""The prompt that the session sets; the shell fills in the last exit status."""

SECONDS = 20.0
"""Time-out for each answer."""


class Refused(Exception):
    """The switch refused the login, or a command on it failed."""


class Terminal:
    """One telnet session."""

    def __init__(self, reader: Any, writer: Any) -> None:
        self._reader = reader
        self._writer = writer
        self.transcript = b""
        """All bytes from the switch."""

    async def type(self, line: str) -> str:
        """Type a line; return its output. Raises Refused if its exit status is not 0."""
        self._writer.write(line.encode() + b"\n")
        answer, status = await self.expect(rb"lab:(\d+) # $")
        printed = answer.replace("\r", "").partition("\n")[2]
        if status != "0":
            raise Refused(f"{line}: exit status {status}: {printed}")
        return printed

    async def expect(self, pattern: bytes) -> tuple[str, str]:
        """Read until the pattern matches; return the text before the match, and its group 1."""
        read = b""
        async with asyncio.timeout(SECONDS):
            while not (found := re.search(pattern, read)):
                piece = await self._reader.read(4096)
                if not piece:
                    raise Refused(f"the switch hung up after {read!r}")
                read += piece
                self.transcript += piece
        group = found[1] if found.re.groups else b""
        return read[: found.start()].decode(), group.decode()

    def send(self, line: str) -> None:
        """Send a line without waiting for an answer."""
        self._writer.write(line.encode() + b"\n")


@asynccontextmanager
async def connect(host: str) -> AsyncIterator[Terminal]:
    """Connect without logging in; disconnect at the end."""
    reader, writer = await open_connection(
        host, 23, encoding=False, client_factory=TelnetClient, connect_timeout=SECONDS
    )
    try:
        yield Terminal(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def log_in(host: str, user: str = USER, password: str = PASSWORD) -> AsyncIterator[Terminal]:
    """Connect to a Linux switch, log in, and set the prompt that `Terminal.type` waits for.

    Raises Refused if the switch does not accept the password.
    """
    async with connect(host) as terminal:
        await terminal.expect(rb"login: $")
        terminal.send(user)
        await terminal.expect(rb"Password: $")
        terminal.send(password)
        if (await terminal.expect(rb"([#$]|login:) $"))[1] == "login:":
            raise Refused(terminal.transcript.decode().strip())
        terminal.send(f"PS1='{PROMPT}'")
        await terminal.expect(rb"\nlab:0 # $")
        yield terminal
