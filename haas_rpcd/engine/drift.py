"""Checks whether devices are still as they were applied, and says how to restore what is not.

A device is read as a whole in its worker's turn, so that nothing a job is changing counts as drift.
Differences stay in the store until a check no longer finds them. A switch without differences whose
last save failed is saved.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from haas_rpcd.clock import Clock
from haas_rpcd.drivers import SESSION_LOST, Driver
from haas_rpcd.engine.freed import publish
from haas_rpcd.engine.late import LateChanges
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.silent import Silent
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import DeviceError, HaasError, UnavailableError
from haas_rpcd.events import Events
from haas_rpcd.model import (
    BridgeSeen,
    Change,
    HeadnodeSeen,
    PortConfig,
    PortRef,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    Seen,
    SetBridge,
    SetHeadnodePower,
    SetPort,
    SetVlan,
    Step,
    hypervisor_of,
    is_libvirt,
)
from haas_rpcd.planner import drift, lost, repair
from haas_rpcd.registered import Uptime
from haas_rpcd.states import Applied, Difference, Observed
from haas_rpcd.store import applied as store_applied
from haas_rpcd.store import drift as store_drift
from haas_rpcd.store import headnodes, hypervisors, saves, switches, vlans
from haas_rpcd.store import ports as store_ports
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.drift import DriftRow
from haas_rpcd.store.headnodes import HeadnodeRow
from haas_rpcd.store.late import LateRow
from haas_rpcd.tasks import log_failure

log = logging.getLogger(__name__)


@dataclass
class CheckResult:
    """The result of a check. ``unreachable``: why a device could not be read, by device."""

    checked: list[str] = field(default_factory=list)
    unreachable: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)


class DriftWatch:
    """Checks devices for drift: on demand, regularly, and when they may have changed."""

    def __init__(
        self,
        store: Store,
        events: Events,
        planning: Planning,
        worker: Callable[[str], Worker],
        late: LateChanges,
        clock: Clock,
    ) -> None:
        self._store = store
        self._events = events
        self._planning = planning
        self._worker = worker
        self._late = late
        self._clock = clock
        self._has_read: set[str] = set()
        self._forgotten: dict[str, list[int]] = {}
        """The VLANs of bridges that were made, and are not known until a hypervisor is read."""

    # --- checking ---------------------------------------------------------------------------------

    async def check(self, device: str | None = None) -> CheckResult:
        """Read one device, or everything; record and publish what differs."""
        if device is not None:
            devices = [device]
        else:
            devices = await self._store.read(switches.in_service)
            devices += await self._store.read(self._planning.host_devices)
        return await self.check_devices(devices)

    async def check_devices(self, devices: Sequence[str]) -> CheckResult:
        """Read some devices; record and publish what differs."""
        result = CheckResult()
        async with asyncio.TaskGroup() as group:
            for each in devices:
                group.create_task(self._check(each, result))
        result.checked.sort()
        result.differences.sort(key=lambda d: (d.device, d.kind, d.target))
        return result

    async def _check(self, device: str, result: CheckResult) -> None:
        async def read(driver: Driver) -> list[Difference]:
            settled = await self._late.settled(device, driver)
            differences = await self._settle(device, driver, settled, cross_check=True)
            if not differences:
                await self._retry_save(device, driver)
            return differences

        try:
            differences = await self._worker(device).read(read)
        except HaasError as error:
            result.unreachable[device] = error.message
            log.warning("%s could not be checked for drift: %s", device, error.message)
            return
        result.checked.append(device)
        result.differences += differences

    async def compare(
        self, device: str, driver: Driver, *, cross_check: bool = False
    ) -> tuple[Applied, Observed]:
        """Read what a device has, then what it should have.

        ``cross_check``: compare its configuration with what it really does, if it shows that.
        Call this in the worker's turn, when nobody else changes either.
        """
        changes = await self._store.read(self._changes, device)
        seen = await driver.observe(changes) if changes else []
        if forgotten := self._forgotten.pop(device, None):
            await self._store.write(vlans.remember_bridges, device, forgotten)
        if cross_check:
            seen = await _cross_checked(driver, changes, seen)
        applied = await self._store.read(store_drift.applied_on, device, self._planning.traits)
        return applied, _observed(device, changes, seen)

    def _changes(self, tx: Tx, device: str) -> list[Change]:
        """Return changes whose targets are to be read. A switch needs one bulk read for all."""
        pool = self._planning.pool
        if device in hypervisors.in_service(tx):
            known_bridges = {row.vlan for row in vlans.all_bridges(tx, device)}
            return [SetBridge(vlan, present=True) for vlan in sorted({*pool, *known_bridges})]
        if is_libvirt(device):
            goals = store_drift.headnode_goals(tx, hypervisor_of(device))
            return [SetHeadnodePower(name, goal.uuid, True) for name, goal in goals.items()]
        applied = store_drift.applied_on(tx, device, self._planning.traits)
        ports: list[Change] = [*store_ports.parking(tx, device)]
        if all(not traits.declares_vlans for traits in applied.switches.values()):
            return ports
        known = applied.vlans.get(device, {})
        return ports + [SetVlan(vlan, present=True) for vlan in sorted({*pool, *known})]

    async def record(self, device: str, differences: Sequence[Difference]) -> None:
        """Record what differs; publish what is new, and what is right again."""
        found = [in_words(d) for d in differences]
        watched = device in self._has_read
        self._has_read.add(device)

        def write(tx: Tx) -> tuple[list[DriftRow], list[DriftRow], list[HeadnodeRow]]:
            new, gone = store_drift.replace(tx, device, found, self._clock.wall())
            changed = []
            if is_libvirt(device):
                found_headnodes = _headnodes(differences)
                changed = headnodes.observe(
                    tx, hypervisor_of(device), found_headnodes, watched=watched
                )
            return new, gone, changed

        new, gone, changed = await self._store.write(write)
        async for one in self._events.turns.in_pieces(new):
            log.warning(
                "drift: %s %s is %s; %s was applied", device, one.target, one.observed, one.applied
            )
            self._publish_drift("found", one)
        async for one in self._events.turns.in_pieces(gone):
            log.info("drift: %s %s is as it was applied again", device, one.target)
            self._publish_drift("ended", one)
        self._publish_headnodes(changed)

    def _publish_drift(self, verb: str, one: DriftRow) -> None:
        """Publish drift: that of headnodes and their bridges to their owners as well."""
        own = one.project if one.tenants else None
        self._events.publish_inventory(
            "drift", verb, f"{one.device} {one.target}", own, admins_only=own is None
        )

    def _publish_headnodes(self, changed: Sequence[HeadnodeRow]) -> None:
        for row in changed:
            log.info("headnode %s is %s", row.label, row.state)
            self._events.publish_inventory("headnode", row.state, row.name, row.project)

    async def lost(
        self, differences: Sequence[Difference], *, with_headnodes: bool
    ) -> list[Difference]:
        """Return the differences that the daemon undoes by itself.

        A headnode that was seen to stop is not among them: it crashed, or was shut down.
        """
        stopped = await self._store.read(headnodes.seen_to_stop) if with_headnodes else set()
        return [
            each
            for each in lost(differences, with_headnodes=with_headnodes)
            if each.kind != "headnode" or each.target not in stopped
        ]

    def forget_reads(self, devices: Iterable[str]) -> None:
        """Forget that devices were read before: what has stopped since was not seen to stop."""
        self._has_read.difference_update(devices)

    async def lose_sight(self, device: str, *, forget: bool) -> None:
        """Record that one of a hypervisor's devices cannot be read.

        If it is to ``forget``, what was known of it may not be true any more.
        """
        if is_libvirt(device):
            changed = await self._store.write(
                headnodes.lose_sight, hypervisor_of(device), forget=forget
            )
            self._publish_headnodes(changed)
        elif forget:
            forgotten = await self._store.write(vlans.forget_bridges, device)
            self._forgotten.setdefault(device, []).extend(forgotten)

    async def _retry_save(self, device: str, driver: Driver) -> None:
        """Save a switch if an earlier save failed; a refusal is only logged.

        Raises DeviceError if the session is lost.
        """
        if not await self._store.read(saves.outstanding, device):
            return
        [outcome] = await driver.send([SaveConfig()], Silent())
        if outcome.may_come_late:
            save, now = [SaveConfig()], self._clock.now()
            await self._store.write(store_applied.may_come_late, device, save, now)
        seen: Seen | DeviceError | None = outcome.error
        if outcome.state == "sent":
            [seen] = await driver.observe([SaveConfig()])
        if isinstance(seen, DeviceError):
            log.warning("%s could not be saved: %s", device, seen.message)
            if seen.reason in SESSION_LOST:
                raise seen
        elif seen is not None:
            publish(self._events, await self._store.write(store_applied.confirm_save, device, seen))

    async def _settle(
        self, device: str, driver: Driver, settled: Sequence[LateRow], *, cross_check: bool
    ) -> list[Difference]:
        """Record and return what differs; believe what is right and cannot change late any more."""
        differences = drift(*await self.compare(device, driver, cross_check=cross_check))
        if await self._late.close_opened(device, driver, settled, differences):
            differences = drift(*await self.compare(device, driver, cross_check=cross_check))
        await self.record(device, differences)
        publish(self._events, await self._late.confirm(device, settled, differences))
        return differences

    # --- repairing --------------------------------------------------------------------------------

    async def repair_steps(self, switch: str | None, project: str | None = None) -> list[Step]:
        """Check what a repair is about; return the steps that restore what was applied.

        It is about a switch, about a ``project``'s headnodes and their bridges, or everything. A
        hypervisor stands for its bridges that are lost, its libvirt for headnodes as well that
        stopped unseen: what the daemon restores by itself.

        Raises UnavailableError if no device could be read.
        """
        hosts = await self._store.read(self._planning.host_devices)
        restored = hypervisor_of(switch) if switch in hosts and switch is not None else None
        if restored is not None:
            own = [device for device in hosts if hypervisor_of(device) == restored]
            result = await self.check_devices(own)
        elif project is not None:
            result = await self.check_devices(hosts)
        else:
            result = await self.check(switch)
        if result.unreachable and not result.checked:
            raise UnavailableError(next(iter(result.unreachable.values())))
        if restored is not None:
            result.differences = await self.lost(
                result.differences, with_headnodes=is_libvirt(switch or "")
            )
        if project is not None:
            mine = await self._store.read(store_drift.of_project, project)
            result.differences = [d for d in result.differences if (d.kind, d.target) in mine]

        def plan(tx: Tx) -> list[Step]:
            switches = {
                device: traits
                for device in result.checked
                if device not in hosts
                for traits in store_drift.applied_on(
                    tx, device, self._planning.traits
                ).switches.values()
            }
            goals = store_drift.headnode_goals(tx)
            return repair(result.differences, goals, Applied(switches=switches))

        return await self._store.read(plan)

    # --- after a switch fell silent ---------------------------------------------------------------

    async def session_opened(self, device: str, driver: Driver, up: Uptime | None) -> None:
        """End, in a new session, the older ones whose lines may still take effect, if possible.

        ``up``: how long the switch has been up, if it reports that. Raises DeviceError.
        """
        if settled := await self._late.settled(device, driver, up):
            await self._settle(device, driver, settled, cross_check=False)

    # --- regularly --------------------------------------------------------------------------------

    async def check_regularly(self, interval: float) -> None:
        """Check everything every ``interval`` seconds, for ever."""
        while True:
            await asyncio.sleep(interval)
            try:
                await self.check()
            except Exception as error:  # noqa: BLE001 - it must not end the checks
                log_failure("a regular check for drift failed", error)


def _headnodes(differences: Sequence[Difference]) -> dict[str, HeadnodeSeen]:
    """Return what was seen of the headnodes that differ, by label."""
    return {
        each.target: each.observed
        for each in differences
        if isinstance(each.observed, HeadnodeSeen)
    }


async def _cross_checked(
    driver: Driver, changes: Sequence[Change], seen: Sequence[Seen | DeviceError]
) -> list[Seen | DeviceError]:
    """Return what was seen, with what a second witness says of the ports. Raises DeviceError."""
    ports = {
        change.port: found
        for change, found in zip(changes, seen, strict=True)
        if isinstance(change, SetPort) and isinstance(found, PortSeen)
    }
    checked = await driver.cross_check(ports) if ports else ports
    return [
        checked.get(change.port, found) if isinstance(change, SetPort) else found
        for change, found in zip(changes, seen, strict=True)
    ]


def _observed(
    device: str, changes: Sequence[Change], seen: Sequence[Seen | DeviceError]
) -> Observed:
    ports: dict[PortRef, PortSeen] = {}
    present_vlans: set[int] = set()
    bridges: dict[int, BridgeSeen] = {}
    headnodes: dict[str, HeadnodeSeen] = {}
    vlans_read = False
    for change, found in zip(changes, seen, strict=True):
        match change, found:
            case SetPort(port=port), PortSeen():
                ports[PortRef(device, port)] = found
            case SetVlan(vlan=vlan), PresenceSeen(present=present):
                vlans_read = True
                if present:
                    present_vlans.add(vlan)
            case SetBridge(vlan=vlan), BridgeSeen():
                bridges[vlan] = found
            case SetHeadnodePower(headnode=name), HeadnodeSeen():
                headnodes[name] = found
    return Observed(
        devices=frozenset({device}),
        ports=ports,
        vlans={device: frozenset(present_vlans)} if vlans_read else {},
        bridges={device: bridges} if bridges else {},
        headnodes=headnodes,
    )


def in_words(difference: Difference) -> store_drift.DifferenceRow:
    """Put a difference into words."""
    seen = difference.observed
    port = seen if isinstance(seen, PortSeen) else None
    return store_drift.DifferenceRow(
        kind=difference.kind,
        target=difference.target,
        applied="not known" if difference.applied is None else _describe(difference.applied),
        observed=_describe(seen),
        open=port.open if port else None,
        not_understood=port.not_understood if port else None,
    )


def _describe(state: PortConfig | PortSeen | HeadnodeSeen | BridgeSeen | bool | None) -> str:
    match state:
        case None:
            return "not shown"
        case PortConfig() | PortSeen() | BridgeSeen() | HeadnodeSeen():
            return state.describe()
        case True:
            return "present"
        case _:
            return "absent"
