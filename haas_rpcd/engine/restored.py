"""After a backup was restored: reads every device, and takes over what differs from the backup."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from haas_rpcd.drivers import Driver
from haas_rpcd.engine.drift import DriftWatch, in_words
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import HaasError
from haas_rpcd.planner import drift
from haas_rpcd.states import Difference
from haas_rpcd.store import restored, switches
from haas_rpcd.store.database import Store


async def take_over(
    store: Store,
    planning: Planning,
    watch: DriftWatch,
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
    found = await asyncio.gather(
        *(_device(device, store, planning, watch, worker) for device in devices)
    )
    await store.write(restored.unmark)
    return [sentence for each in found for sentence in each]


async def _device(
    device: str,
    store: Store,
    planning: Planning,
    watch: DriftWatch,
    worker: Callable[[str], Worker],
) -> list[str]:
    async def read(driver: Driver) -> list[Difference]:
        return drift(*await watch.compare(device, driver))

    try:
        differences = await worker(device).read(read)
    except HaasError as error:
        await store.write(restored.lose, device, planning.pool)
        return [f"{device} counts as in use until it answers: {error.message}"]
    await store.write(restored.take_over, differences, planning.pool)
    rows = map(in_words, differences)
    return [
        f"{device} {'VLAN ' if row.kind == 'vlan' else ''}{row.target}: {row.observed};"
        f" in the backup: {row.applied}"
        for row in rows
    ]
