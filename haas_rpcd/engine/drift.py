"""Checks whether devices are still as they were applied, and restores what is not.

A device is read as a whole in its worker's turn, so that nothing a job is changing counts as drift.
Differences stay in the store until a check no longer finds them. A switch without differences whose
last save failed is saved.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from haas_rpcd import boottime
from haas_rpcd.drivers import SESSION_LOST, Driver
from haas_rpcd.engine.freed import publish
from haas_rpcd.engine.identities import Identities
from haas_rpcd.engine.late import LateChanges
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import DeviceError, HaasError, UnavailableError
from haas_rpcd.events import Events
from haas_rpcd.model import (
    LIBVIRT,
    MASTER,
    PARKED,
    RESERVED_DEVICES,
    Applied,
    BridgeSeen,
    Change,
    Difference,
    HeadnodeSeen,
    Observed,
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
    Uptime,
)
from haas_rpcd.planner import drift, repair
from haas_rpcd.store import applied as store_applied
from haas_rpcd.store import drift as store_drift
from haas_rpcd.store import ports as store_ports
from haas_rpcd.store import saves, switches
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.late import LateRow

log = logging.getLogger(__name__)

TOLERANCE = 150.0
"""Seconds by which a computed boot time may vary: many switches report their uptime in minutes."""


@dataclass
class CheckResult:
    """The result of a check. ``unreachable``: why a device could not be read, by device."""

    checked: list[str] = field(default_factory=list)
    unreachable: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)


class DriftWatch:
    """Checks devices for drift: on demand, regularly, and after a switch restarted.

    ``restarted`` is called with a switch that restarted, once its open ports are shut.
    """

    def __init__(
        self,
        store: Store,
        events: Events,
        planning: Planning,
        worker: Callable[[str], Worker],
        late: LateChanges,
        restarted: Callable[[str], None],
    ) -> None:
        self._store = store
        self._events = events
        self._planning = planning
        self._worker = worker
        self._late = late
        self._identities = Identities(store, events)
        self._restarted = restarted

    # --- checking ---------------------------------------------------------------------------------

    async def check(self, switch: str | None = None) -> CheckResult:
        """Read one switch, or everything; record and publish what differs."""
        if switch is not None:
            devices = [switch]
        else:
            devices = [*await self._store.read(switches.names), *self._planning.master_devices()]
        result = CheckResult()
        async with asyncio.TaskGroup() as group:
            for device in devices:
                group.create_task(self._check(device, result))
        result.checked.sort()
        result.differences.sort(key=lambda d: (d.device, d.kind, d.target))
        return result

    async def _check(self, device: str, result: CheckResult) -> None:
        async def read(driver: Driver) -> list[Difference]:
            settled = await self._late.settled(device, driver)
            differences = drift(*await self._compare(device, driver))
            await self._record(device, differences)
            await self._settle(device, settled, differences)
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

    async def _compare(self, device: str, driver: Driver) -> tuple[Applied, Observed]:
        """Read what a device has, then what it should have.

        Call this in the worker's turn, when nobody else changes either.
        """
        changes = await self._store.read(self._changes, device)
        seen = await driver.observe(changes) if changes else []
        applied = await self._store.read(store_drift.applied_on, device, self._planning.traits)
        return applied, _observed(device, changes, seen)

    def _changes(self, tx: Tx, device: str) -> list[Change]:
        """Return changes whose targets are to be read. A switch needs one bulk read for all."""
        pool = self._planning.pool
        if device == MASTER:
            known = store_drift.applied_on(tx, device, self._planning.traits).bridges
            return [SetBridge(vlan, present=True) for vlan in sorted({*pool, *known})]
        if device == LIBVIRT:
            goals = store_drift.headnode_goals(tx)
            return [SetHeadnodePower(name, goal.uuid, True) for name, goal in goals.items()]
        applied = store_drift.applied_on(tx, device, self._planning.traits)
        ports: list[Change] = [SetPort(port, PARKED) for port in store_ports.touched(tx, device)]
        if all(not traits.declares_vlans for traits in applied.switches.values()):
            return ports
        known = applied.vlans.get(device, {})
        return ports + [SetVlan(vlan, present=True) for vlan in sorted({*pool, *known})]

    async def _record(self, device: str, differences: Sequence[Difference]) -> None:
        """Record what differs; publish what is new, and what is right again."""
        found = [_difference(d) for d in differences]
        new, gone = await self._store.write(store_drift.replace, device, found, time.time())
        for one in new:
            log.warning(
                "drift: %s %s is %s; %s was applied", device, one.target, one.observed, one.applied
            )
            self._events.publish_inventory(
                "drift", "found", f"{device} {one.target}", admins_only=True
            )
        for target in gone:
            log.info("drift: %s %s is as it was applied again", device, target)
            self._events.publish_inventory("drift", "ended", f"{device} {target}", admins_only=True)

    async def _retry_save(self, device: str, driver: Driver) -> None:
        """Save a switch if an earlier save failed; a refusal is only logged.

        Raises DeviceError if the session is lost.
        """
        if not await self._store.read(saves.outstanding, device):
            return
        [outcome] = await driver.send([SaveConfig()], _Silent())
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
        self, device: str, settled: Sequence[LateRow], differences: Sequence[Difference]
    ) -> None:
        """Believe what cannot change late any more and was read as it was applied."""
        publish(self._events, await self._late.confirm(device, settled, differences))

    # --- repairing --------------------------------------------------------------------------------

    async def repair_steps(self, switch: str | None) -> list[Step]:
        """Check a switch, or everything; return the steps that restore what was applied.

        Raises UnavailableError if none of the requested devices could be read.
        """
        result = await self.check(switch)
        if result.unreachable and not result.checked:
            raise UnavailableError(next(iter(result.unreachable.values())))

        def plan(tx: Tx) -> list[Step]:
            switches = {
                device: traits
                for device in result.checked
                if device not in RESERVED_DEVICES
                for traits in store_drift.applied_on(
                    tx, device, self._planning.traits
                ).switches.values()
            }
            goals = store_drift.headnode_goals(tx)
            return repair(result.differences, goals, Applied(switches=switches))

        return await self._store.read(plan)

    # --- restarts ---------------------------------------------------------------------------------

    async def session_opened(self, device: str, driver: Driver) -> None:
        """Find out, in a new session, whether a switch is another one, or restarted.

        Nothing is sent to another one. If the switch restarted, ports that came back open, but not
        as applied, are shut before anything else is sent. If lines of an older session may still
        take effect, that session is ended if possible. Raises DeviceError.
        """
        up = await driver.uptime()
        before = await self._store.read(switches.booted, device)
        await self._identities.check(device, driver, rebooted=_other_boot(up, before))
        if up is not None:
            await self._after_boot(device, driver, up)
        if settled := await self._late.settled(device, driver, up):
            differences = drift(*await self._compare(device, driver))
            await self._record(device, differences)
            await self._settle(device, settled, differences)

    async def _after_boot(self, device: str, driver: Driver, up: Uptime) -> None:
        now = time.time()
        before = await self._store.read(switches.booted, device)
        if before is not None and now - up.seconds - up.resolution <= before + TOLERANCE:
            return
        if before is not None:
            log.warning("%s was restarted %.0f s ago: checking it", device, up.seconds)
            self._events.publish_inventory("switch", "restarted", device, admins_only=True)
            await self._shut_wrong_ports(device, driver)
        await self._store.write(switches.set_booted, device, now - up.seconds)
        if before is not None:
            self._restarted(device)

    async def _shut_wrong_ports(self, device: str, driver: Driver) -> None:
        applied, observed = await self._compare(device, driver)
        differences = drift(applied, observed)
        unknown = {ref for ref, port in applied.ports.items() if port.config is None}
        wrong = {PortRef(device, d.target) for d in differences if d.kind == "port"} | unknown
        to_shut = [
            SetPort(ref.port, PARKED)
            for ref in sorted(wrong)
            if ref in observed.ports and observed.ports[ref].believed != PARKED
        ]
        if to_shut:
            log.warning("%s: closing %s", device, ", ".join(change.port for change in to_shut))
            outcomes = await driver.send(to_shut, _Silent())
            late = [
                change
                for change, outcome in zip(to_shut, outcomes, strict=True)
                if outcome.may_come_late
            ]
            await self._store.write(store_applied.may_come_late, device, late, boottime.now())
            for outcome in outcomes:
                if outcome.error is not None:
                    raise outcome.error
            await self._store.write(saves.forget, device, [change.port for change in to_shut])
            applied, observed = await self._compare(device, driver)
            differences = drift(applied, observed)
            self._events.publish_inventory("switch", "ports-closed", device, admins_only=True)
        await self._record(device, differences)

    # --- regularly --------------------------------------------------------------------------------

    async def check_regularly(self, interval: float) -> None:
        """Check everything every ``interval`` seconds, for ever."""
        while True:
            await asyncio.sleep(interval)
            try:
                await self.check()
            except Exception:  # a bug must not end the checks
                log.exception("a regular check for drift failed unexpectedly")


def _other_boot(up: Uptime | None, before: float | None) -> bool:
    """Return whether a switch booted at another time than it was known to have, or is another."""
    if up is None or before is None:
        return False
    return abs(time.time() - up.seconds - before) > TOLERANCE + up.resolution


class _Silent:
    """The progress of lines that belong to no job: nobody follows it."""

    def line_sent(self, change: int, line: str) -> None:
        """Log the line."""
        log.info("outside a job: %s", line)

    def cancelled(self) -> bool:
        """Return False: nobody can cancel this."""
        return False


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
        bridges=bridges,
        headnodes=headnodes,
    )


def _difference(difference: Difference) -> store_drift.DifferenceRow:
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
        case PortConfig() | PortSeen() | BridgeSeen():
            return state.describe()
        case HeadnodeSeen(defined=False):
            return "absent"
        case HeadnodeSeen(running=running, nics=nics):
            vlans = ", ".join(f"{nic.nic} on {nic.vlan or 'something else'}" for nic in nics)
            return f"{'running' if running else 'stopped'}{f' with {vlans}' if vlans else ''}"
        case True:
            return "present"
        case _:
            return "absent"
