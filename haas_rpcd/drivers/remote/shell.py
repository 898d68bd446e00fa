"""A shell on another host, kept open: a command takes about a millisecond over an open connection,
and a hundred if each begins a session of its own.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import NamedTuple

import asyncssh

from haas_rpcd.errors import DeviceError

TIMEOUT = 30.0
"""Seconds for a command, however much it prints."""

LIMIT = 16 * 2**20
"""Characters that a command may print."""


class Ran(NamedTuple):
    """What a command printed, and its exit status."""

    status: int
    output: str
    errors: str


class RemoteShell:
    """Runs commands of a POSIX shell one after the other. ``device`` names the host in errors."""

    def __init__(self, device: str, process: asyncssh.SSHClientProcess[str]) -> None:
        self._device = device
        self._process = process
        self._mark = f"haas-{secrets.token_hex(8)}"
        self._turn = asyncio.Lock()
        self._closed = False

    @classmethod
    async def open(cls, device: str, connection: asyncssh.SSHClientConnection) -> RemoteShell:
        """Start a shell. Raises DeviceError (``unreachable``, ``refused``)."""
        try:
            process = await connection.create_process("exec sh", encoding="utf-8", errors="replace")
        except asyncssh.ChannelOpenError as error:
            raise DeviceError(
                f"{device} opens no more sessions ({error.reason}): see MaxSessions of its sshd.",
                reason="busy",
            ) from None
        except (asyncssh.Error, OSError) as error:
            raise lost(device, str(error)) from None
        return cls(device, process)

    async def run(self, script: str, given: str | None = None) -> Ran:
        """Run lines of shell, with ``given`` as the input of the last one.

        Raises DeviceError (``unreachable``, ``timeout``); the shell is of no use after that.
        """
        if given is not None:
            script = f"{script} <<'{self._mark}-end'\n{given}\n{self._mark}-end"
        async with self._turn:
            try:
                async with asyncio.timeout(TIMEOUT):
                    return await self._run(script)
            except TimeoutError:
                self.close()
                raise DeviceError(
                    f"{self._device} did not answer a command within {TIMEOUT:g} s: see what holds"
                    " it up.",
                    reason="timeout",
                ) from None
            except asyncio.CancelledError:
                self.close()  # the answer would be taken for the next command's
                raise
            except (asyncssh.Error, OSError, UnicodeError) as error:
                raise lost(self._device, str(error)) from None

    async def _run(self, script: str) -> Ran:
        mark = self._mark
        self._process.stdin.write(
            f"{{ {script}\n}} </dev/null\nhaas=$?;"
            f" printf '\\n%s %d\\n' {mark} $haas; printf '\\n%s\\n' {mark} >&2\n"
        )
        output, errors = await asyncio.gather(
            self._until_mark(self._process.stdout), self._until_mark(self._process.stderr)
        )
        text, status = output
        return Ran(int(status or 0), text, errors[0])

    async def _until_mark(self, stream: asyncssh.SSHReader[str]) -> tuple[str, str]:
        """Return what is printed before the mark, and what is behind it on its line."""
        lines: list[str] = []
        size = 0
        while True:
            line = await stream.readline()
            if not line:
                raise ConnectionResetError("the session has ended")
            if line.startswith(self._mark):
                return "".join(lines).removesuffix("\n"), line[len(self._mark) :].strip()
            size += len(line)
            if size > LIMIT:
                raise ConnectionResetError("a command prints without end")
            lines.append(line)

    @property
    def open_still(self) -> bool:
        """True if the shell can be used."""
        return not (self._closed or self._process.is_closing())

    def close(self) -> None:
        """End the shell."""
        self._closed = True
        self._process.close()


def lost(device: str, why: str) -> DeviceError:
    """Return the error for a connection that ended."""
    return DeviceError(
        f"The connection to {device} was lost ({why}): it is opened again by itself.",
        reason="unreachable",
    )
