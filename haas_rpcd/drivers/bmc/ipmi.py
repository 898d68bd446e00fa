"""IPMI 2.0 over LAN, by pyghmi in a process of its own for each session.

pyghmi blocks, keeps its sessions in globals, and hangs when it opens a second one to the same BMC.
A process can be killed, whatever pyghmi waits for. See :mod:`.ipmi_process` for the other end.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from haas_rpcd import patience
from haas_rpcd.bmc import RegisteredBmc
from haas_rpcd.config import Credential
from haas_rpcd.drivers.bmc import words
from haas_rpcd.errors import DeviceError, UnavailableError
from haas_rpcd.tasks import ends_within
from haas_schemas.bmc import BootDevice, PowerState

_STARTING = 10.0
"""Seconds for the process to start, at least; more if the site gives a BMC more to answer."""

_LOGOUT = 2.0
"""Seconds for the logout."""

_MODULE = "haas_rpcd.drivers.bmc.ipmi_process"


def check_installed() -> None:
    """Raise UnavailableError if pyghmi is not installed."""
    if importlib.util.find_spec("pyghmi") is None:
        raise UnavailableError(
            "This haas-rpcd speaks no IPMI, as pyghmi is not installed: an admin installs it with"
            "  pip install 'haas[ipmi]'  , or registers the BMC with redfish."
        )


async def start(
    bmc: RegisteredBmc, credential: Credential, mode: str, starting: asyncio.Lock
) -> asyncio.subprocess.Process:
    """Start the process of a session; ``mode``: ``power`` or ``console``. Raises UnavailableError.

    The credentials go through its standard input: arguments and environment can be seen by others.
    ``starting``: a start takes the event loop some milliseconds, so there is one at a time.
    """
    check_installed()
    async with starting:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            _MODULE,
            mode,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    assert process.stdin is not None  # noqa: S101
    address = {
        "host": bmc.host,
        "port": bmc.port,
        "username": credential.username,
        "password": credential.password,
    }
    process.stdin.write(json.dumps(address).encode() + b"\n")
    return process


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill the process of a session."""
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


@asynccontextmanager
async def session(
    bmc: RegisteredBmc, credential: Credential, timeout: float, starting: asyncio.Lock
) -> AsyncIterator[IpmiSession]:
    """Log in; ``timeout``: seconds for that, and for each answer. Raises DeviceError."""
    process = await start(bmc, credential, "power", starting)
    try:
        opened = IpmiSession(bmc, process, timeout)
        await opened.started()
        await opened.answer("to log in", timeout)
        try:
            yield opened
        finally:
            await opened.log_out()
    finally:
        await end(process)


@asynccontextmanager
async def console(
    bmc: RegisteredBmc, credential: Credential, timeout: float, starting: asyncio.Lock
) -> AsyncIterator[IpmiLine]:
    """Attach to the node's serial line (serial over LAN). Raises DeviceError."""
    process = await start(bmc, credential, "console", starting)
    try:
        opening = IpmiSession(bmc, process, timeout)
        await opening.started()
        await opening.answer("to attach to the serial line", timeout)
        try:
            yield IpmiLine(process)
        finally:
            await _detach(process)
    finally:
        await end(process)


async def _detach(process: asyncio.subprocess.Process) -> None:
    """Let the process deactivate the line, or others would find it taken."""
    assert process.stdin is not None  # noqa: S101
    process.stdin.close()
    await ends_within(_LOGOUT, process.wait())


class IpmiLine:
    """The serial line of a node."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def read(self) -> bytes:
        """Wait for bytes; return b"" once the session has ended."""
        assert self._process.stdout is not None  # noqa: S101
        return await self._process.stdout.read(2**16)

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        assert self._process.stdin is not None  # noqa: S101
        with suppress(ConnectionError):  # then the line is closed, too
            self._process.stdin.write(data)
            await self._process.stdin.drain()


class IpmiSession:
    """A session with a BMC."""

    def __init__(
        self, bmc: RegisteredBmc, process: asyncio.subprocess.Process, timeout: float
    ) -> None:
        self._bmc = bmc
        self._process = process
        self._timeout = timeout
        self._lost = False

    async def power(self) -> PowerState:
        """Ask whether the node is on. Raises DeviceError."""
        answer = await self._ask("to say whether the node is on", do="power")
        if answer.get("power") not in ("on", "off"):
            raise words.unreadable(self._bmc, str(answer))
        state: PowerState = answer["power"]
        return state

    async def switch(self, to: PowerState) -> None:
        """Request that the node is switched on or off. Raises DeviceError."""
        await self._ask(f"to switch the node {to}", do=to)

    async def reset(self) -> None:
        """Request a reset. Raises DeviceError."""
        await self._ask("to reset the node", do="reset")

    async def boot_from(self, device: BootDevice) -> None:
        """Set from what the node boots once. Raises DeviceError."""
        await self._ask(f"to boot the node from {device}", do="boot", device=device)

    async def log_out(self) -> None:
        """End the session, so that the BMC does not keep it."""
        if not self._lost:
            self._timeout = min(self._timeout, _LOGOUT)
            with suppress(DeviceError):
                await self._ask("to log out", do="logout")

    async def _ask(self, what: str, **request: str) -> dict[str, Any]:
        assert self._process.stdin is not None  # noqa: S101
        with suppress(ConnectionError):  # then there is no answer either
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            await self._process.stdin.drain()
        return await self.answer(what, self._timeout)

    async def started(self) -> None:
        """Wait until the process runs. Raises DeviceError."""
        limit = max(_STARTING, self._timeout)
        try:
            await self.answer("to start", limit)
        except DeviceError as error:
            if error.reason != "timeout":
                raise
            raise DeviceError(
                f"The master did not start to speak IPMI with {self._bmc.node}'s BMC within"
                f" {limit:g} s: see what keeps the master busy.",
                reason="timeout",
            ) from None

    async def answer(self, what: str, timeout: float) -> dict[str, Any]:
        """Wait for an answer. Raises DeviceError."""
        assert self._process.stdout is not None  # noqa: S101
        try:
            async with patience.timeout(timeout):
                line = await self._process.stdout.readline()
        except TimeoutError:
            self._lost = True
            raise words.silent(self._bmc, timeout) from None
        if not line:
            self._lost = True
            raise words.unreachable(self._bmc, "the session ended")
        answer: dict[str, Any] = json.loads(line)
        match answer.get("failed"):
            case None:
                return answer
            case "login":
                raise words.login_refused(self._bmc, answer["words"])
            case "unreachable":
                raise words.unreachable(self._bmc, words.quoted(answer["words"]))
            case _:
                raise words.refused(self._bmc, what, answer["words"])
