"""One SSH connection to a hypervisor, shared by all that is done there."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncssh
import msgspec

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.credentials import look_up
from haas_rpcd.drivers.remote.shell import RemoteShell, lost
from haas_rpcd.drivers.switch.transport.known_hosts import KnownHosts
from haas_rpcd.drivers.switch.transport.ssh import SshAddress
from haas_rpcd.errors import DeviceError
from haas_rpcd.hypervisor import check_uri, ssh_at
from haas_rpcd.registered import RegisteredHypervisor
from haas_rpcd.tasks import cancel_and_wait, ends_within, start_apart

KEEPALIVE = 2.0
"""Seconds of silence after which a hypervisor is asked whether it is there. The state of one that
died must be known to be unknown within 10 s."""


SYNC_LIMIT = 600.0
"""Seconds that a host has to write what it has in memory to its disks."""

LIBVIRT_SOCKET = "/run/libvirt/libvirt-sock"
"""Where libvirtd, or virtproxyd in its place, listens; ``socket=`` in the URI names another."""


class RemoteHost:
    """A hypervisor. ``credentials`` is called at each login, and read from ``file``."""

    def __init__(
        self,
        hypervisor: RegisteredHypervisor,
        known_hosts: KnownHosts,
        settings: SwitchSettings,
        credentials: Callable[[], Mapping[str, Credential]],
        file: str,
    ) -> None:
        self.registered = hypervisor
        self.name = hypervisor.name
        self._known_hosts = known_hosts
        self._settings = msgspec.structs.replace(settings, keepalive=KEEPALIVE)
        self._credentials = credentials
        self._file = file
        self._connection: asyncssh.SSHClientConnection | None = None
        self._login: asyncio.Task[asyncssh.SSHClientConnection] | None = None
        self._forwarding = asyncio.Lock()
        self._shells: list[RemoteShell] = []
        self._socket: str | None = None
        """The Unix socket of this machine that leads to the host's libvirt."""
        self._forwarded_by: asyncssh.SSHClientConnection | None = None

    def address(self) -> SshAddress:
        """Return where its SSH is. Raises DeviceError if it is registered without."""
        at = ssh_at(self.registered)
        if at is None:
            raise DeviceError(
                f"{self.name} is registered without SSH, so its network can't be reached.",
                reason="unreachable",
            )
        return SshAddress(
            self.name,
            at.host,
            at.port,
            known_hosts=self._known_hosts,
            settings=self._settings,
            noun="hypervisor",
        )

    async def connection(self) -> asyncssh.SSHClientConnection:
        """Return the open connection; log in if there is none. Raises DeviceError.

        Whoever asks while a login is under way shares how it ends: a host that is dead costs all of
        them one time-out together.
        """
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        if self._login is None or self._login.done():
            self._login = start_apart(self._log_in(), f"log in to {self.name}")
            self._login.add_done_callback(_retrieve)
        return await asyncio.shield(self._login)

    async def _log_in(self) -> asyncssh.SSHClientConnection:
        entry = self.registered.credential or self.name
        credential = look_up(self._credentials, entry, self.name, self._file)
        at = ssh_at(self.registered)
        if at is not None and at.user is not None:
            credential = msgspec.structs.replace(credential, username=at.user)
        self._connection = await self.address().log_in(credential)
        return self._connection

    @asynccontextmanager
    async def shell(self) -> AsyncIterator[RemoteShell]:
        """Lend a shell; one that is not in use is kept for the next. Raises DeviceError."""
        connection = await self.connection()
        self._shells = [shell for shell in self._shells if shell.open_still]
        shell = self._shells.pop() if self._shells else None
        if shell is None:
            shell = await RemoteShell.open(self.name, connection)
        try:
            yield shell
        finally:
            if shell.open_still and connection is self._connection:
                self._shells.append(shell)
            else:
                shell.close()

    @asynccontextmanager
    async def process(self, command: str) -> AsyncIterator[asyncssh.SSHClientProcess[str]]:
        """Run a command that goes on printing, until the block ends. Raises DeviceError."""
        connection = await self.connection()
        try:
            process: Any = await connection.create_process(
                command, encoding="utf-8", errors="replace", stderr=asyncssh.STDOUT
            )
        except (asyncssh.Error, OSError) as error:
            raise lost(self.name, str(error)) from None
        try:
            yield process
        finally:
            process.close()

    async def sync(self) -> None:
        """Have all that was written there put on its disks. Raises DeviceError."""
        try:
            async with self.process("sync") as process, asyncio.timeout(SYNC_LIMIT):
                await process.wait()
        except (asyncssh.Error, OSError) as error:  # a time-out is an OSError as well
            raise lost(self.name, str(error) or "it takes too long to write to its disks") from None

    async def libvirt_uri(self) -> str:
        """Return the URI by which this process reaches the host's libvirt. Raises DeviceError.

        With ``qemu+ssh`` it leads through the SSH connection, whose host key is checked: libvirt's
        own ssh would read the known hosts of a user, and wait for ever for a silent host.
        """
        if check_uri(self.registered.uri) != "ssh":
            return self.registered.uri
        connection = await self.connection()
        async with self._forwarding:
            if self._forwarded_by is not connection:
                self._remove_socket()
                folder = tempfile.mkdtemp(prefix="haas-libvirt-")  # for this user only
                self._socket = f"{folder}/sock"
                try:
                    await connection.forward_local_path(
                        self._socket, _libvirt_socket(self.registered)
                    )
                except (asyncssh.Error, OSError) as error:
                    raise lost(self.name, str(error)) from None
                self._forwarded_by = connection
        driver = urlsplit(self.registered.uri).scheme.partition("+")[0]
        return f"{driver}+unix:///system?socket={self._socket}"

    def _remove_socket(self) -> None:
        if self._socket is not None:
            shutil.rmtree(self._socket.rpartition("/")[0], ignore_errors=True)
        self._socket = self._forwarded_by = None

    async def close(self) -> None:
        """End the connection. Never raises."""
        if self._login is not None:
            await cancel_and_wait(self._login)
        connection, self._connection = self._connection, None
        self._remove_socket()
        if connection is None:
            return
        connection.close()
        with contextlib.suppress(asyncssh.Error, OSError):
            await ends_within(1.0, connection.wait_closed())


def _retrieve(login: asyncio.Task[asyncssh.SSHClientConnection]) -> None:
    """Take note of how a login ended, in case nobody waits for it any more."""
    if not login.cancelled():
        login.exception()


def _libvirt_socket(hypervisor: RegisteredHypervisor) -> str:
    return parse_qs(urlsplit(hypervisor.uri).query).get("socket", [LIBVIRT_SOCKET])[0]
