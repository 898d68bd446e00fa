"""A host with SSH on loopback: a real SSH server in front of this machine's real shell."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.remote.host import RemoteHost
from haas_rpcd.drivers.switch.transport.known_hosts import KnownHosts
from haas_rpcd.registered import RegisteredHypervisor

USER, PASSWORD = "haas", "s3cret"


class _Server(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)

    def unix_connection_requested(self, dest_path: str) -> bool:
        return True


class _Children:
    """The commands that run; none outlives the server."""

    def __init__(self) -> None:
        self._running: set[asyncio.subprocess.Process] = set()
        self._ended = asyncio.Event()

    async def run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        child = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            process.command or "exec sh",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._running.add(child)
        try:
            fed = asyncio.create_task(_pump(process.stdin, child.stdin))
            await asyncio.gather(
                _pump(child.stdout, process.stdout), _pump(child.stderr, process.stderr)
            )
            status = await child.wait()
            fed.cancel()
            process.exit(status)
        finally:
            self._running.discard(child)
            self._ended.set()

    async def end(self) -> None:
        for child in list(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        while self._running:
            self._ended.clear()
            await self._ended.wait()


async def _pump(source: Any, sink: Any) -> None:
    """Copy what there is until the end of one of both."""
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await source.read(2**16):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError, asyncssh.Error, AttributeError):
        sink.close() if isinstance(sink, asyncio.StreamWriter) else sink.write_eof()


@dataclass
class Server:
    """A running SSH server; its key is ``fingerprint``."""

    acceptor: asyncssh.SSHAcceptor
    port: int
    fingerprint: str
    public_key: str

    def cut(self) -> None:
        """Listen no more. Connections go on."""
        self.acceptor.close()


@asynccontextmanager
async def ssh_server() -> AsyncIterator[Server]:
    """Serve a shell on a free port of loopback."""
    children = _Children()
    key = asyncssh.generate_private_key("ssh-ed25519")
    acceptor = await asyncssh.create_server(
        _Server,
        "127.0.0.1",
        0,
        server_host_keys=[key],
        process_factory=children.run,
        encoding=None,
    )
    try:
        public = key.export_public_key("openssh").decode().strip()
        yield Server(acceptor, acceptor.get_port(), key.get_fingerprint(), public)
    finally:
        acceptor.close()
        await acceptor.wait_closed()
        await children.end()


def remote_host(
    server: Server, folder: Path, *, trusted: bool = True, password: str = PASSWORD
) -> RemoteHost:
    """Return the driver's end, with the server's key among the known ones."""
    known_hosts = folder / "known_hosts"
    if trusted:
        known_hosts.write_text(f"[127.0.0.1]:{server.port} {server.public_key}\n")
    hypervisor = RegisteredHypervisor(
        "hv2", f"qemu+ssh://{USER}@127.0.0.1:{server.port}/system", "trunk0"
    )
    settings = SwitchSettings(connect_timeout=5.0, login_timeout=10.0)
    login = {"hv2": Credential(password=password)}
    return RemoteHost(hypervisor, KnownHosts(known_hosts), settings, lambda: login, "credentials")
