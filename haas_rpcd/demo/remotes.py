"""Simulated hypervisors other than the master."""

from __future__ import annotations

from haas_rpcd.devicenames import MASTER
from haas_rpcd.drivers import Driver, MasterDriver
from haas_rpcd.errors import UnavailableError
from haas_rpcd.registered import RegisteredHypervisor
from haas_rpcd.sim.copies import SimCopyDriver
from haas_rpcd.sim.host import SimHost
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver
from haas_schemas.hypervisor import HypervisorTrust


class SimRemotes:
    """Stands in for every hypervisor that is registered.

    ``images`` and ``memory``, in bytes: what each has. ``source`` is the master, from which base
    images are copied, in ``copy_seconds`` each.
    """

    def __init__(
        self,
        images: set[str] | None = None,
        memory: int = 64 * 2**30,
        source: SimHost | None = None,
        copy_seconds: float = 0.0,
    ) -> None:
        self._copy_seconds = copy_seconds
        self.source = source
        self._images = {"base-headnode"} if images is None else images
        self._memory = memory
        self._hosts: dict[str, SimHost] = {}

    def host(self, name: str, trunk_nic: str = "eth0") -> SimHost:
        """Return the host of a hypervisor, made when it is first asked for."""
        if name == MASTER and self.source is not None:
            return self.source
        if name not in self._hosts:
            self._hosts[name] = SimHost(
                images=set(self._images),
                trunk_nic=trunk_nic,
                memory=self._memory,
                copy_seconds=self._copy_seconds,
            )
        return self._hosts[name]

    def network(self, hypervisor: RegisteredHypervisor) -> MasterDriver:
        """Create the driver of a hypervisor's network."""
        return SimNetworkDriver(self.host(hypervisor.name, hypervisor.trunk_nic))

    def libvirt(self, hypervisor: RegisteredHypervisor) -> MasterDriver:
        """Create the driver of a hypervisor's libvirt."""
        host = self.host(hypervisor.name, hypervisor.trunk_nic)
        return SimHypervisorDriver(host, self.source)

    def copies(self, to: str) -> Driver:
        """Create what copies headnodes to a hypervisor."""
        return SimCopyDriver(to, self.host)

    async def trust(
        self, hypervisor: RegisteredHypervisor, fingerprint: str | None
    ) -> HypervisorTrust:
        """Raise UnavailableError: nothing is connected."""
        raise UnavailableError(f"{hypervisor.name} is simulated: it has no SSH.")

    async def leave(self, hypervisor: str) -> None:
        """Nothing to end."""

    async def close(self) -> None:
        """Nothing to close."""
