"""system.health: how the daemon is, and what it manages."""

from __future__ import annotations

import shutil
from pathlib import Path

from haas_rpcd.backups import Schedule
from haas_rpcd.devicenames import LIBVIRT, MASTER, hypervisor_of, is_libvirt
from haas_rpcd.engine.attempts import Failure
from haas_rpcd.errors import StoreError
from haas_rpcd.methods.call import Call, Context
from haas_rpcd.methods.hosthealth import host_problem, hosts_health
from haas_rpcd.methods.registry import method
from haas_rpcd.store import bmcs, cabling, drift, jobs, switches, trunks
from haas_rpcd.store.cabling import AlarmRow
from haas_rpcd.store.database import MEMORY, Tx
from haas_rpcd.store.trunks import TrunkEndRow
from haas_schemas.common import timestamp
from haas_schemas.system import (
    CablingHealth,
    HaHealth,
    HypervisorHealth,
    NotRestored,
    PowerHealth,
    QueueHealth,
    StoreHealth,
    SwitchHealth,
    SystemHealth,
)

LOW = 200 * 2**20
"""Bytes of free disk space below which there is a problem."""

SLOW_COPY = 5.0
"""Seconds after which a commit that is not copied is a problem."""

OLD_COPY = 30.0
"""Seconds after which copies that can't be renewed are a problem."""

OLD_JOB = 3600.0
"""Seconds after which a job that has not ended is a problem."""


@method("system.health")
async def health(call: Call) -> SystemHealth:
    """Show how the daemon is: its database, the switches, the master, jobs and backups."""
    return await examine(call.context)


async def examine(context: Context) -> SystemHealth:
    """Return how the daemon is. The store is read and written for it; nothing is changed."""
    problems: list[str] = []
    store = await store_health(context, problems)
    rows: tuple[SwitchHealth, ...] = ()
    hosts: tuple[HypervisorHealth, ...] = ()
    queue, drifted = QueueHealth(0, 0, None), 0
    swapped: list[AlarmRow] = []
    wrong: list[TrunkEndRow] = []
    cables: CablingHealth | None = None
    power: PowerHealth | None = None
    if store.ok:
        rows = await context.store.read(_switches)
        hosts = await context.store.read(hosts_health, context)
        queue = await context.store.read(_jobs, context.clock.wall(), problems)
        drifted = await context.store.read(drift.count)
        swapped = await context.store.read(cabling.alarms)
        wrong = await context.store.read(trunks.wrong)
        cables = await context.store.read(_cabling, rows)
        power = await context.store.read(_power, context, problems)
    silent = [row.switch for row in rows if row.reachable is False and not row.retired]
    if silent:
        problems.append(f"{_some(silent)} can't be reached: check power and cabling.")
    libvirt, trunk = context.engine.sees(LIBVIRT), context.engine.sees(MASTER)
    if libvirt is False:
        problems.append("libvirt does not answer: see  systemctl status libvirtd")
    if trunk is False:
        problems.append("The master's network can't be watched: the daemon's log has the reason.")
    two = context.settings.ha.on
    problems += [text for host in hosts if (text := host_problem(host, two_masters=two))]
    if drifted:
        targets = f"{drifted} targets have" if drifted > 1 else "1 target has"
        problems.append(f"{targets} drifted:  drift list  shows what.")
    if swapped:
        problems.append(
            f"{_some([f'{row.node}:{row.nic}' for row in swapped])}: not cabled as registered:"
            f"  cabling show {swapped[0].node}  shows what was seen."
        )
    if wrong:
        problems.append(
            f"{_some([f'{row.switch} {row.port}' for row in wrong])}: not cabled as declared:"
            f"  cabling check  says what LLDP tells."
        )
    ha = context.ha()
    if ha is not None and (problem := _copies_problem(ha)) is not None:
        problems.append(problem)
    backup, not_restored = _backup(context, problems), _not_restored(context, problems)
    return SystemHealth(
        ok=not problems,
        problems=tuple(problems),
        store=store,
        switches=rows,
        libvirt=libvirt,
        trunk=trunk,
        hypervisors=hosts,
        ha=ha,
        jobs=queue,
        drift=drifted,
        last_backup=backup,
        not_restored=not_restored,
        swapped=len(swapped),
        wrong_links=len(wrong),
        cabling=cables,
        power=power,
    )


async def store_health(context: Context, problems: list[str]) -> StoreHealth:
    """Return whether the database works; add what is wrong to ``problems``."""
    ok = True
    try:
        await context.store.check()
    except StoreError as error:
        ok = False
        problems.append(error.message)
    return _file(Path(context.store.path), ok, problems)


def _file(path: Path, ok: bool, problems: list[str]) -> StoreHealth:
    if str(path) == MEMORY or not path.exists():
        return StoreHealth(ok, None, None)
    free = shutil.disk_usage(path.parent).free
    if free < LOW:
        problems.append(f"The disk with {path} has only {free >> 20} MiB left: free some space.")
    parts = (path, Path(f"{path}-wal"))  # what is new is in the second one at first
    return StoreHealth(ok, sum(part.stat().st_size for part in parts if part.exists()), free)


def _switches(tx: Tx) -> tuple[SwitchHealth, ...]:
    return tuple(
        SwitchHealth(
            row.name,
            row.reachable,
            timestamp(row.last_contact),
            retired=row.retired is not None,
            cabling_checked=timestamp(row.cabling_checked),
        )
        for row in switches.everyone(tx)
    )


def _cabling(tx: Tx, rows: tuple[SwitchHealth, ...]) -> CablingHealth:
    checked = max((row.cabling_checked for row in rows if row.cabling_checked), default=None)
    return CablingHealth(**cabling.counts(tx), last_check=checked)


def _power(tx: Tx, context: Context, problems: list[str]) -> PowerHealth:
    """Return whether nodes are on; a BMC that failed when it was asked last is a problem."""
    known = {row.power: row.nodes for row in bmcs.powers(tx)}
    silent = [node for node in bmcs.nodes(tx) if node in context.power.silent]
    if silent:
        problems.append(
            f"The BMC of {_some(silent)} can't be asked:  node power {silent[0]} status  says why."
        )
    return PowerHealth(
        known.get("on", 0), known.get("off", 0), known.get(None, 0), silent=tuple(silent)
    )


def _copies_problem(ha: HaHealth) -> str | None:
    """Return what is wrong with the copies of the database."""
    why = f" ({ha.problem})" if ha.problem is not None else ""
    if ha.waiting > SLOW_COPY:
        return (
            f"Commits wait since {ha.waiting:.0f} s to be copied for the other master, and so does"
            f" who made them: see whether [ha] replica can be reached{why}."
        )
    if ha.role != "master" and ha.age is None:
        return f"The database is not copied yet: see whether [ha] replica can be reached{why}."
    if ha.role != "master" and ha.problem is not None and (ha.age or 0.0) > OLD_COPY:
        whose = "What this standby serves is" if ha.role == "standby" else "The copies are"
        return f"{whose} {ha.age:.0f} s old: see whether [ha] replica can be reached{why}."
    return None


def _jobs(tx: Tx, now: float, problems: list[str]) -> QueueHealth:
    rows = jobs.unfinished(tx)
    oldest = min((row.created for row in rows), default=None)
    if oldest is not None and now - oldest > OLD_JOB:
        first = min(rows, key=lambda row: row.created)
        problems.append(
            f"Job {first.id} has not ended for {(now - oldest) / 3600:.0f} h: look at it with"
            f"  job show {first.id}"
        )
    running = sum(row.state == "running" for row in rows)
    return QueueHealth(len(rows) - running, running, timestamp(oldest))


def _not_restored(context: Context, problems: list[str]) -> NotRestored | None:
    found = [
        _one_not_restored(context, failure, problems) for failure in context.engine.not_restored
    ]
    return found[0] if found else None


def _one_not_restored(context: Context, failure: Failure, problems: list[str]) -> NotRestored:
    what = "Headnodes" if is_libvirt(failure.device) else "Bridges"
    if (name := hypervisor_of(failure.device)) != MASTER:
        what = f"{what} of {name}"
    times = "once" if failure.attempts == 1 else f"{failure.attempts} times"
    again, then = None, f"once {'the master' if name == MASTER else name} has changed"
    if failure.again_in is not None:
        again, then = context.clock.wall() + failure.again_in, f"in {failure.again_in:.0f} s"
    why = failure.error.removesuffix(".")
    problems.append(
        f"{what} that a reboot took away could not be restored, tried {times}: {why}. This is tried"
        f" again {then}, and by  drift repair"
    )
    return NotRestored(failure.device, failure.attempts, failure.error, timestamp(again))


def _backup(context: Context, problems: list[str]) -> str | None:
    settings = context.settings.backup
    if settings.folder is None:
        return None
    schedule = Schedule(settings, Path(settings.folder), Path(context.store.path))
    last = schedule.last()
    if last is None or context.clock.wall() - last.time > 2 * settings.interval:
        problems.append(
            f"There is no recent backup in {settings.folder}: the daemon's log has the reason."
        )
    return timestamp(last.time) if last else None


def _some(names: list[str]) -> str:
    """``sw1``; ``sw1, sw2 and 8 more``."""
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
