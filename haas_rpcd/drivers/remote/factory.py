"""Makes the drivers of hypervisors other than the master."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from haas_rpcd.config import Credential, Settings
from haas_rpcd.devicenames import MASTER
from haas_rpcd.drivers import Driver, MasterDriver
from haas_rpcd.drivers.hostnet.driver import HostNetworkDriver
from haas_rpcd.drivers.hostnet.parking import KernelParking
from haas_rpcd.drivers.hostnet.taps import KernelTaps
from haas_rpcd.drivers.hypervisor.copying import CopyDriver, Libvirt
from haas_rpcd.drivers.hypervisor.image_copies import ImageCopies, ImageSource
from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver
from haas_rpcd.drivers.remote.host import RemoteHost
from haas_rpcd.drivers.remote.network import RemoteNetwork
from haas_rpcd.drivers.switch.transport.known_hosts import KnownHosts
from haas_rpcd.errors import DeviceError
from haas_rpcd.registered import RegisteredHypervisor
from haas_schemas.hypervisor import HypervisorTrust

MacsOn = Callable[[str, int], Awaitable[Mapping[str, bool]]]
"""Returns the MACs of the headnodes' nics on a hypervisor that are on a VLAN, or may be."""

Find = Callable[[str], Awaitable[RegisteredHypervisor | None]]
"""Returns how the hypervisor of a name is registered; None if it is not."""

TIMEOUT = 10.0
"""Seconds for a read of libvirt. The connection under it notices a dead host sooner."""


class RemoteHypervisors:
    """Has one connection for each hypervisor, as it is registered.

    ``credentials`` is called at each login, so that a changed file takes effect without a restart.
    ``source`` is the master's libvirt, from which base images are copied. ``find`` returns how the
    hypervisor of a name is registered.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Callable[[], Mapping[str, Credential]],
        macs: MacsOn,
        any_source: Callable[[], bool],
        source: ImageSource,
        find: Find,
    ) -> None:
        self._find = find
        self._source = source
        self._images: dict[RegisteredHypervisor, ImageCopies] = {}
        self._settings = settings
        self._credentials = credentials
        self._macs = macs
        self._any_source = any_source
        self._known_hosts = KnownHosts(Path(settings.switches.known_hosts))
        self._hosts: dict[str, RemoteHost] = {}

    def host(self, hypervisor: RegisteredHypervisor) -> RemoteHost:
        """Return the host of a hypervisor."""
        known = self._hosts.get(hypervisor.name)
        if known is None or known.registered != hypervisor:
            known = self._hosts[hypervisor.name] = RemoteHost(
                hypervisor,
                self._known_hosts,
                self._settings.switches,
                self._credentials,
                self._settings.credentials.file,
            )
        return known

    def network(self, hypervisor: RegisteredHypervisor) -> MasterDriver:
        """Create the driver of a hypervisor's network."""
        return HostNetworkDriver(
            RemoteNetwork(self.host(hypervisor)),
            hypervisor.trunk_nic,
            partial(self._macs, hypervisor.name),
            any_source=self._any_source,
        )

    def libvirt(self, hypervisor: RegisteredHypervisor) -> MasterDriver:
        """Create the driver of a hypervisor's libvirt."""
        host = self.host(hypervisor)
        sessions = RemoteNetwork(host).session
        return LibvirtDriver(
            hypervisor.uri,
            reach=host.libvirt_uri,
            timeout=TIMEOUT,
            parking=KernelParking(sessions),
            taps=KernelTaps(self._any_source, sessions),
            images=self._copies(hypervisor, host),
        )

    def _copies(self, hypervisor: RegisteredHypervisor, host: RemoteHost) -> ImageCopies:
        if hypervisor not in self._images:
            self._images[hypervisor] = ImageCopies(
                hypervisor.name, hypervisor.uri, host.libvirt_uri, self._source, host.sync
            )
        return self._images[hypervisor]

    def copies(self, to: str) -> Driver:
        """Create what copies headnodes to a hypervisor, which may be the master."""

        async def images() -> ImageCopies | None:
            if to == MASTER:
                return None
            registered = await self._registered(to)
            return self._copies(registered, self.host(registered))

        return CopyDriver(to, self._libvirt_of, self._source.hashes, images)

    async def _libvirt_of(self, name: str) -> Libvirt:
        if name == MASTER:
            return Libvirt(self._source.uri, self._source.uri)
        registered = await self._registered(name)
        return Libvirt(await self.host(registered).libvirt_uri(), registered.uri)

    async def _registered(self, name: str) -> RegisteredHypervisor:
        registered = await self._find(name)
        if registered is None:
            raise DeviceError(
                f"The hypervisor {name} is not registered any more.", reason="unreachable"
            )
        return registered

    async def trust(
        self, hypervisor: RegisteredHypervisor, fingerprint: str | None
    ) -> HypervisorTrust:
        """Read a hypervisor's SSH host key, and trust it if it has this fingerprint.

        Raises DeviceError, UnavailableError.
        """
        address = self.host(hypervisor).address()
        shown = await address.trust(fingerprint and fingerprint.rstrip("="))
        return HypervisorTrust(
            hypervisor=hypervisor.name,
            host=address.host,
            port=address.port,
            type=shown.key.kind,
            fingerprint=shown.key.fingerprint,
            state=shown.verdict,
            stored=shown.stored,
            trusted=tuple(str(key) for key in shown.known),
            note=shown.advice(hypervisor.name, address.known_hosts.path, "hypervisor"),
        )

    async def leave(self, hypervisor: str) -> None:
        """End the connection to a hypervisor that was retired or deleted."""
        for registered in [one for one in self._images if one.name == hypervisor]:
            await self._images.pop(registered).close()
        if (host := self._hosts.pop(hypervisor, None)) is not None:
            await host.close()

    async def close(self) -> None:
        """End all connections."""
        await asyncio.gather(*(images.close() for images in self._images.values()))
        await asyncio.gather(*(host.close() for host in self._hosts.values()))
