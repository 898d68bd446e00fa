"""Plans are made on a snapshot, and are written only where they still hold."""

from __future__ import annotations

import asyncio

import pytest

from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.engine.planning import Planning
from haas_rpcd.store.scope import Scope
from tests.rpc.small_site import SmallSite, access


@pytest.fixture
async def red(site: SmallSite) -> SmallSite:
    """Red holds node-1 and has a network; nothing is staged."""
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    return site


async def test_an_apply_is_planned_while_somebody_writes_all_the_time(red: SmallSite) -> None:
    """Its plan never holds when it is to be written, so it is compared in that transaction."""
    await red.connect("node-1", "net")
    writes = 0

    async def write() -> None:
        nonlocal writes
        while True:
            await red.sql("UPDATE port_applied SET saved = saved")
            writes += 1

    writing = asyncio.create_task(write())
    job = await red.apply("red")
    writing.cancel()
    assert job["state"] == "succeeded", job["error"]
    assert red.carried("node-1") == access(100)
    assert writes


async def test_what_was_prepared_is_used_while_it_holds(red: SmallSite) -> None:
    store = red.daemon.store
    switches = SwitchFactory(red.settings, lambda: red.credentials)
    planning = Planning(red.settings.pool, switches.traits, switches.driver, None, None)
    [project] = (await red.rows("SELECT id FROM project WHERE name = 'red'"))[0]
    scope = Scope(project_id=project)
    first = await store.read(planning.prepare, scope)
    await red.hold_nodes("blue", "node-3")  # none of red's business
    assert await store.read(planning.prepare, scope, first) is first
    await red.connect("node-1", "net")
    second = await store.read(planning.prepare, scope, first)
    assert second.plan.digest != first.plan.digest
    await red.sql("UPDATE switch SET credential = 'other' WHERE name = 'sw1'")
    third = await store.read(planning.prepare, scope, second)
    assert third is not second
    assert third.plan == second.plan


async def test_only_what_changes_the_store_counts_as_written(red: SmallSite) -> None:
    store = red.daemon.store
    before = store.generation
    await red.sql("UPDATE port_applied SET saved = 0 WHERE port_id = -1")
    assert store.generation == before
    await red.sql("UPDATE port_applied SET saved = saved")
    assert store.generation > before
