"""Makes plans: reads a scope, calls the planner, and renders the lines of each step."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from haas_rpcd.devicenames import (
    BMC,
    COPY,
    LIBVIRT,
    MASTER,
    hypervisor_of,
    is_libvirt,
    libvirt_device,
)
from haas_rpcd.drivers import Driver, MasterDriver
from haas_rpcd.errors import RetiredError, StalePlanError, UnavailableError
from haas_rpcd.model import Phase, Plan, PortConfig, SetPort, Step
from haas_rpcd.planner import plan
from haas_rpcd.registered import RegisteredHypervisor, RegisteredSwitch
from haas_rpcd.states import Applied, Desired
from haas_rpcd.store import hypervisors, jobs, ports, scope, switches
from haas_rpcd.store.database import Tx
from haas_rpcd.store.jobs import JournalRows
from haas_rpcd.store.scope import Scope, TraitsLookup
from haas_schemas.hypervisor import HypervisorTrust

SwitchDriver = Callable[[RegisteredSwitch], Driver]
"""Creates the driver of a switch. No I/O."""

MakeHostDriver = Callable[[], MasterDriver]
"""Creates the driver of the master's network, or of its libvirt. No I/O."""


class RemoteDrivers(Protocol):
    """Creates the drivers of the other hypervisors. No I/O."""

    def network(self, hypervisor: RegisteredHypervisor) -> MasterDriver:
        """Create the driver of a hypervisor's network."""
        ...

    def libvirt(self, hypervisor: RegisteredHypervisor) -> MasterDriver:
        """Create the driver of a hypervisor's libvirt."""
        ...

    def copies(self, to: str) -> Driver:
        """Create what copies headnodes to a hypervisor, which may be the master."""
        ...

    async def trust(
        self, hypervisor: RegisteredHypervisor, fingerprint: str | None
    ) -> HypervisorTrust:
        """Read a hypervisor's SSH host key, and trust it if it has this fingerprint."""
        ...

    async def leave(self, hypervisor: str) -> None:
        """End the connection to a hypervisor that was retired or deleted."""
        ...

    async def close(self) -> None:
        """End all connections."""
        ...


_REMEMBERED = 256
"""How many shown plans are kept, so that an error about a stale one can name what changed."""


class Prepared(msgspec.Struct, frozen=True):
    """A plan with the lines of its steps, as the journal writes them.

    ``inputs`` is what the plan was made of, ``basis`` what its lines depend on, by device.
    """

    inputs: tuple[Desired, Applied]
    basis: dict[str, tuple[object, dict[str, PortConfig]]]
    plan: Plan
    rows: JournalRows


class Planning:
    """Makes plans, and remembers those that were shown.

    ``master_driver`` and ``libvirt_driver`` create the drivers of the master's two devices. They
    are None without a ``[master]`` table. ``remote`` creates those of the other hypervisors, and
    what copies headnodes to any, ``bmc_driver`` that of a node's BMC.
    """

    def __init__(
        self,
        pool: Sequence[int],
        traits: TraitsLookup,
        switch_driver: SwitchDriver,
        master_driver: MakeHostDriver | None,
        libvirt_driver: MakeHostDriver | None,
        bmc_driver: Callable[[str], Driver] | None = None,
        remote: RemoteDrivers | None = None,
    ) -> None:
        self.pool = tuple(pool)
        self.traits = traits
        self.switch_driver = switch_driver
        self._master = {MASTER: master_driver, LIBVIRT: libvirt_driver}
        self._bmc_driver = bmc_driver
        self._remote = remote
        self._shown: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def plan(self, tx: Tx, wanted: Scope) -> Plan:
        """Plan a scope as it is in this transaction."""
        return plan(*scope.load(tx, wanted, self.pool, self.traits))

    def prepare(self, tx: Tx, wanted: Scope, before: Prepared | None = None) -> Prepared:
        """Plan a scope and render its steps, or return what was prepared before, if it still holds.

        Raises UnavailableError if a step's device cannot be used at all.
        """
        inputs = scope.load(tx, wanted, self.pool, self.traits)
        if before is not None and before.inputs == inputs:
            planned = before.plan
        else:
            planned, before = plan(*inputs), None
        drivers = {device: self.driver(tx, device) for device in _devices(planned.steps)}
        basis = {
            device: (driver.registered, ports.confirmed(tx, device))
            for device, driver in drivers.items()
        }
        if before is not None and before.basis == basis:
            return before
        return Prepared(inputs, basis, planned, jobs.rows_of(self.render(tx, planned.steps)))

    def check_devices(self, tx: Tx, steps: Sequence[Step]) -> None:
        """Raise UnavailableError if a step's device cannot be used at all."""
        for device in _devices(steps):
            self.driver(tx, device)

    def hypervisors(self, tx: Tx) -> list[str]:
        """Name the hypervisors that are in service; none without a ``[master]`` table."""
        if self._master[MASTER] is None:
            return []
        return hypervisors.in_service(tx)

    async def leave(self, hypervisor: str) -> None:
        """End the connection to a hypervisor that was retired or deleted."""
        if self._remote is not None:
            await self._remote.leave(hypervisor)

    def drivers_of(self, hypervisor: RegisteredHypervisor) -> tuple[MasterDriver, MasterDriver]:
        """Create the drivers of a hypervisor's network and libvirt, also of one out of service.

        Raises UnavailableError without a ``[master]`` table.
        """
        if self._remote is None:
            raise UnavailableError("haas.toml has no [master] table, so there are no hypervisors.")
        return self._remote.network(hypervisor), self._remote.libvirt(hypervisor)

    def host_devices(self, tx: Tx) -> list[str]:
        """Name the devices of all hypervisors that are in service."""
        return [device for name in self.hypervisors(tx) for device in (name, libvirt_device(name))]

    def host_driver(self, tx: Tx, device: str) -> MasterDriver:
        """Create the driver of one of a hypervisor's devices. No I/O. Raises as :meth:`driver`."""
        if device in self._master:
            make = self._master[device]
            if make is None:
                raise UnavailableError(
                    "haas.toml has no [master] table, so this daemon makes no bridges and no"
                    " headnodes: an admin adds it and restarts haas-rpcd."
                )
            return make()
        name = hypervisor_of(device)
        row = hypervisors.find(tx, name)
        if row is None or self._remote is None:
            raise UnavailableError(f"The hypervisor {name} is not registered any more.")
        if row.retired is not None:
            raise UnavailableError(
                f"The hypervisor {name} is retired: nothing is sent to it any more."
            )
        make_driver = self._remote.libvirt if is_libvirt(device) else self._remote.network
        return make_driver(row.registered)

    def driver(self, tx: Tx, device: str) -> Driver:
        """Create the driver of a device. No I/O.

        Raises UnavailableError if the device is not registered or is retired, or without a
        ``[master]`` table.
        """
        if device in self._master or is_libvirt(device) or hypervisors.find(tx, device) is not None:
            return self.host_driver(tx, device)
        if device.startswith(COPY):
            self.host_driver(tx, libvirt_device(hypervisor_of(device)))  # it must be in service
            if self._remote is None:
                raise UnavailableError("This daemon has no hypervisor to copy headnodes from.")
            return self._remote.copies(hypervisor_of(device))
        if device.startswith(BMC) and self._bmc_driver is not None:
            return self._bmc_driver(device.removeprefix(BMC))
        row = switches.find(tx, device)
        if row is None:
            raise UnavailableError(f"The switch {device} is not registered any more.")
        if row.retired is not None:
            raise RetiredError(device)
        return self.switch_driver(row.registered)

    def render(self, tx: Tx, steps: Sequence[Step]) -> list[tuple[Step, list[str]]]:
        """Return each step with the lines that will be sent for it.

        All steps of one phase go to a device as one batch. A line shared by several steps is listed
        under the last of them, so concatenating the lists gives the exact transcript.
        """
        batches: dict[tuple[str, Phase], list[int]] = {}
        for number, step in enumerate(steps):
            batches.setdefault((step.device, step.phase), []).append(number)
        drivers: dict[str, Driver] = {}
        # As of each phase, when all earlier steps are done:
        carried: dict[str, dict[str, PortConfig]] = {}
        existing: dict[str, set[int]] = {}
        lines: list[list[str]] = [[] for _ in steps]
        for (device, _), numbers in batches.items():
            if device not in drivers:
                drivers[device] = self.driver(tx, device)
                carried[device] = ports.confirmed(tx, device)
                existing[device] = _vlans(carried[device])
            changes = [steps[number].change for number in numbers]
            previews = drivers[device].preview(
                changes, carried[device], frozenset(existing[device])
            )
            set_here = {each.port: each.config for each in changes if isinstance(each, SetPort)}
            carried[device] |= set_here
            existing[device] |= _vlans(set_here)
            for number, shown in zip(numbers, previews, strict=True):
                lines[number] = shown
        return list(zip(steps, lines, strict=True))

    # --- digests ----------------------------------------------------------------------------------

    def remember(self, planned: Plan) -> None:
        """Keep the sentences of a plan that is shown."""
        self._shown[planned.digest] = _sentences(planned)
        self._shown.move_to_end(planned.digest)
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)

    def check(self, digest: str | None, planned: Plan) -> None:
        """Check that a plan has this digest, if one is given.

        Raises StalePlanError, which names what changed.
        """
        if digest is None or digest == planned.digest:
            return
        now = _sentences(planned)
        then = self._shown.get(digest)
        if then is None:
            raise StalePlanError(
                f"The plan {digest} is not the plan any more; look at the new one with  plan  and"
                f" apply that ({planned.digest}).",
                digest=planned.digest,
                added=list(now),
                removed=[],
            )
        added = [sentence for sentence in now if sentence not in then]
        removed = [sentence for sentence in then if sentence not in now]
        changes = "; ".join([f"new: {s}" for s in added] + [f"gone: {s}" for s in removed])
        raise StalePlanError(
            f"The plan has changed since it was shown ({changes or 'only its order'}); look at the"
            f" new one with  plan  and apply that ({planned.digest}).",
            digest=planned.digest,
            added=added,
            removed=removed,
        )


def _devices(steps: Sequence[Step]) -> dict[str, None]:
    """Return the devices of steps, each once."""
    return dict.fromkeys(step.device for step in steps)


def _vlans(ports: Mapping[str, PortConfig]) -> set[int]:
    return {vlan for config in ports.values() for vlan in config.vlans}


def _sentences(planned: Plan) -> tuple[str, ...]:
    return tuple(f"{step.device}: {step.summary}" for step in planned.steps)
