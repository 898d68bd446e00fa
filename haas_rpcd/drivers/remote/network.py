"""The network of a hypervisor other than the master, as the driver of a host's network sees it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncssh

from haas_rpcd.drivers.hostnet.driver import Host
from haas_rpcd.drivers.hostnet.iplines import BRIDGE_PREFIX
from haas_rpcd.drivers.hostnet.linkevents import POLL
from haas_rpcd.drivers.hostnet.network import HostName, HostNetwork
from haas_rpcd.drivers.remote.host import RemoteHost
from haas_rpcd.drivers.remote.iproute2 import PREPARE, Iproute2
from haas_rpcd.drivers.remote.shell import lost
from haas_rpcd.tasks import cancel_and_wait

MONITOR = (
    "PATH=/usr/sbin:/sbin:/usr/bin:/bin:$PATH; LC_ALL=C; export PATH LC_ALL;"
    " ip -o monitor link address & ip=$!; tc monitor & tc=$!;"
    " echo haas-begins; cat >/dev/null; kill $ip $tc"
)
"""Prints the kernel's events until its input is closed, and leaves nothing behind."""

_NAMES = re.compile(r"\d+: ([^ :@]+)[:@ ]|\bdev (\S+)")


class RemoteNetwork(Host):
    """The network of a hypervisor, by iproute2 over its SSH connection."""

    def __init__(self, host: RemoteHost) -> None:
        self.machine = host
        self._name = HostName(
            f"hypervisor {host.name}", f"as trunk_nic of  hypervisor register {host.name}"
        )

    @asynccontextmanager
    async def session(self) -> AsyncIterator[HostNetwork]:
        """Open a session with its network. Raises DeviceError."""
        async with self.machine.shell() as shell:
            await shell.run(PREPARE)
            yield Iproute2(shell, self._name)

    async def prepare(self, session: HostNetwork, trunk_nic: str) -> None:
        """Read all that HaaS has a part in by a few commands, whatever the number of networks."""
        if isinstance(session, Iproute2):
            session.refresh()
            await session.read_all(await self._concerned(session, trunk_nic))

    def refresh(self, session: HostNetwork) -> None:
        """Read again what was read before."""
        if isinstance(session, Iproute2):
            session.refresh()

    async def _concerned(self, session: Iproute2, trunk_nic: str) -> list[str]:
        links = await session.links()
        ports = {
            name
            for name, link in links.items()
            if link.master is not None or _is_ours(name, trunk_nic)
        }
        return sorted(ports)

    async def boot_id(self) -> str | None:
        """Return what identifies its present boot. Raises DeviceError."""
        async with self.session() as session:
            return await session.boot_id() if isinstance(session, Iproute2) else None

    async def events(
        self, trunk_nic: str, changed: Callable[[], None]
    ) -> AsyncGenerator[str, None]:
        """Yield the name of each interface that changes, and once ``""`` to begin with."""
        async with self.machine.process(MONITOR) as monitor:
            poll = asyncio.create_task(self._poll(trunk_nic, changed), name="settings of links")
            try:
                while True:
                    line = await self._line(monitor)
                    if line.startswith("haas-begins"):
                        yield ""
                    elif name := _concerned_by(line, trunk_nic):
                        yield name
                    if poll.done():
                        poll.result()  # raises why it ended
            finally:
                await cancel_and_wait(poll)

    async def _line(self, monitor: asyncssh.SSHClientProcess[str]) -> str:
        try:
            line = await monitor.stdout.readline()
        except (asyncssh.Error, OSError) as error:
            raise lost(self.machine.name, str(error)) from None
        if not line:
            raise lost(self.machine.name, "it ended the session")
        return line

    async def _poll(self, trunk_nic: str, changed: Callable[[], None]) -> None:
        """Call ``changed`` when settings of HaaS's interfaces have changed: they have no events."""
        before: dict[str, object] | None = None
        async with self.session() as session:
            while isinstance(session, Iproute2):
                session.refresh()
                names = await self._concerned(session, trunk_nic)
                await session.read_settings(names)
                now: dict[str, object] = {name: await session.wrong_sysctls(name) for name in names}
                if before is not None and any(
                    before[name] != now[name] for name in before.keys() & now.keys()
                ):
                    changed()
                before = now
                await asyncio.sleep(POLL)


def _is_ours(name: str, trunk_nic: str) -> bool:
    return name == trunk_nic or name.startswith((f"{trunk_nic}.", "haas.", BRIDGE_PREFIX))


def _concerned_by(line: str, trunk_nic: str) -> str | None:
    """Return the interface that a line of ``ip monitor`` or ``tc monitor`` is about, if it is
    HaaS's, or a port of a bridge. Lines of ``tc`` do not say what is a port: taps of libvirt are.
    """
    found = _NAMES.search(line)
    name = None if found is None else found[1] or found[2]
    if name is None:
        return None
    port = f"master {BRIDGE_PREFIX}" in line or name.startswith(("vnet", "tap"))
    return name if port or _is_ours(name, trunk_nic) else None
