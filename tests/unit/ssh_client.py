"""Connecting to SSH servers in tests, as the driver of a switch does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.transport.known_hosts import HostKey, KnownHosts
from haas_rpcd.drivers.switch.transport.ssh import SshAddress, SshTransport
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError
from tests.unit.ssh_server import Machine, machine

LOGIN = Credential(username="haas", password="s3cret")


def address(path: Path, port: int, *, legacy: bool = False, **settings: Any) -> SshAddress:
    """Return a server on loopback, with a file of known hosts."""
    wanted = {"connect_timeout": 5.0, "login_timeout": 5.0, "keepalive": 0.0, **settings}
    return SshAddress(
        "sw1", "127.0.0.1", port, KnownHosts(path), SwitchSettings(**wanted), legacy=legacy
    )


async def fails(doing: Awaitable[Any]) -> DeviceError:
    """Await a call that must fail with a DeviceError; return the error."""
    with pytest.raises(DeviceError) as caught:
        await doing
    return caught.value


@asynccontextmanager
async def trusted(
    folder: Path, *, legacy: bool = False, keepalive: float = 0.0, **ways: Any
) -> AsyncIterator[tuple[Machine, SshAddress]]:
    """Start a machine whose host key is trusted."""
    async with machine(**ways) as (it, keys):
        at = address(folder / "known_hosts", it.port, legacy=legacy, keepalive=keepalive)
        at.known_hosts.trust("127.0.0.1", it.port, HostKey(next(iter(keys.values())).public_data))
        yield it, at


async def until(transport: SshTransport | TelnetTransport, end: bytes) -> bytes:
    """Read until the output ends with a text, or until the connection closes."""
    text = b""
    async with asyncio.timeout(10):
        while not text.endswith(end):
            data = await transport.read()
            if not data:
                return text
            text += data
    return text
