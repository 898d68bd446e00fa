"""Checks whether devices are still as they were applied, and says how to restore what is not.

A device is read as a whole in its worker's turn, so that nothing a job is changing counts as drift.
Differences stay in the store until a check no longer finds them. A switch without differences whose
last save failed is saved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from haas_rpcd.clock import Clock
from haas_rpcd.devicenames import hypervisor_of, is_libvirt
from haas_rpcd.drivers import SESSION_LOST, Driver
from haas_rpcd.engine.device_reads import DeviceReads, read_all
from haas_rpcd.engine.freed import publish
from haas_rpcd.engine.late import LateChanges
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.silent import Silent
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import DeviceError, UnavailableError
from haas_rpcd.events import Events
from haas_rpcd.model import BridgeSeen, HeadnodeSeen, PortConfig, PortSeen, SaveConfig, Seen, Step
from haas_rpcd.planner import drift, lost, repair
from haas_rpcd.registered import Uptime
from haas_rpcd.states import Applied, Difference
from haas_rpcd.store import applied as store_applied
from haas_rpcd.store import drift as store_drift
from haas_rpcd.store import headnode_states, saves, switches
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.drift import DriftRow
from haas_rpcd.store.headnodes import HeadnodeRow
from haas_rpcd.store.late import LateRow
from haas_rpcd.tasks import every

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
        reads: DeviceReads,
    ) -> None:
        self._reads = reads
        self._store = store
        self._events = events
        self._planning = planning
        self._worker = worker
        self._late = late
        self._clock = clock
        self._has_read: set[str] = set()

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
        answers = await read_all(self._worker, devices, self._check, "checked for drift")
        return CheckResult(
            checked=sorted(answers.read),
            unreachable=answers.unreachable,
            differences=sorted(
                chain.from_iterable(answers.read.values()),
                key=lambda each: (each.device, each.kind, each.target),
            ),
        )

    async def _check(self, device: str, driver: Driver) -> list[Difference]:
        settled = await self._late.settled(device, driver)
        differences = await self._settle(device, driver, settled, cross_check=True)
        if not differences:
            await self._retry_save(device, driver)
        return differences

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
                changed = headnode_states.observe(
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
        stopped = await self._store.read(headnode_states.seen_to_stop) if with_headnodes else set()
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

        ``forget``: what was known of it may no longer be true.
        """
        if is_libvirt(device):
            changed = await self._store.write(
                headnode_states.lose_sight, hypervisor_of(device), forget=forget
            )
            self._publish_headnodes(changed)
        elif forget:
            await self._reads.forget_bridges(device)

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
        differences = drift(*await self._reads.compare(device, driver, cross_check=cross_check))
        if await self._late.close_opened(device, driver, settled, differences):
            differences = drift(*await self._reads.compare(device, driver, cross_check=cross_check))
        await self.record(device, differences)
        publish(self._events, await self._late.confirm(device, settled, differences))
        return differences

    # --- repairing --------------------------------------------------------------------------------

    async def repair_steps(self, switch: str | None, project: str | None = None) -> list[Step]:
        """Check what a repair covers; return the steps that restore what was applied.

        It covers a switch, a ``project``'s headnodes and their bridges, or everything. A
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
        await every(interval, self.check, "a regular check for drift failed")


def _headnodes(differences: Sequence[Difference]) -> dict[str, HeadnodeSeen]:
    """Return what was seen of the headnodes that differ, by label."""
    return {
        each.target: each.observed
        for each in differences
        if isinstance(each.observed, HeadnodeSeen)
    }


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
