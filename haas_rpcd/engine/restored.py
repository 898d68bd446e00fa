"""After a backup was restored: reads every device, and takes over what differs from the backup."""

from __future__ import annotations

from collections.abc import Callable

from haas_rpcd.drivers import Driver
from haas_rpcd.engine.device_reads import DeviceReads, read_all
from haas_rpcd.engine.drift import in_words
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.worker import Worker
from haas_rpcd.planner import drift
from haas_rpcd.states import Difference
from haas_rpcd.store import restored, switches
from haas_rpcd.store.database import Store


async def take_over(
    store: Store,
    planning: Planning,
    reads: DeviceReads,
    worker: Callable[[str], Worker],
    now: float,
) -> list[str]:
    """Read every device if a backup was restored; return what differs, in sentences.

    Call it before any job runs. ``now``: in seconds since the epoch.
    """
    if not await store.read(restored.is_marked):
        return []
    await store.write(restored.end_jobs, now)
    devices = await store.read(switches.names) + await store.read(planning.host_devices)

    async def compare(device: str, driver: Driver) -> list[Difference]:
        return drift(*await reads.compare(device, driver))

    answers = await read_all(worker, devices, compare, "compared with the backup")
    found = []
    for device in devices:
        if (why := answers.unreachable.get(device)) is not None:
            await store.write(restored.lose, device, planning.pool)
            found.append(f"{device} counts as in use until it answers: {why}")
            continue
        await store.write(restored.take_over, answers.read[device], planning.pool)
        found += [
            f"{device} {'VLAN ' if row.kind == 'vlan' else ''}{row.target}: {row.observed};"
            f" in the backup: {row.applied}"
            for row in map(in_words, answers.read[device])
        ]
    await store.write(restored.unmark)
    return found
