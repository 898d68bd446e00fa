"""How jobs end: whatever the store does, by force, beside a large one, and when they are old."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from haas_rpcd.config import JobSettings
from haas_rpcd.engine import endings, sending, worker
from haas_rpcd.errors import HaasError
from haas_rpcd.sim.ios import IosSwitch, gigabit
from haas_rpcd.store.retention import prune_jobs
from tests.rpc.small_site import (
    CREDENTIALS,
    SmallSite,
    access,
    register_switch,
)
from tests.rpc.wire import Wire

pytestmark = pytest.mark.slow


@contextlib.asynccontextmanager
async def another_switch(site: SmallSite, name: str, ports: int) -> AsyncIterator[Wire]:
    """A further switch, registered without ports."""
    known = CREDENTIALS["lab"]
    switch = IosSwitch(
        name,
        ports=gigabit(ports),
        username=known.username,
        password=known.password,
        enable=known.enable,
    )
    await switch.start()
    wire = Wire(switch)
    await wire.start()
    try:
        await register_switch(site, name, wire.port)
        yield wire
    finally:
        await wire.stop()
        await switch.stop()


async def test_a_job_whose_end_cannot_be_stored_has_ended_all_the_same(
    staged: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for it hears so, the queue goes on, and the store gets it when it answers."""
    monkeypatch.setattr(endings, "_AGAIN", 0.01)
    held = staged.wires["sw1"].hold("^vlan 100\r")
    first = await staged.begin("red")
    await held.wait()
    second = await staged.begin("red")
    await staged.sql(
        "CREATE TRIGGER full BEFORE UPDATE OF finished ON job"
        f" WHEN NEW.id = {first} BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    held.release()

    assert (await staged.finished(first))["state"] == "succeeded"
    assert (await staged.finished(second))["state"] == "succeeded"
    refused = await staged.refused("job.cancel", job=first)
    assert refused.message == f"Job {first} has ended already: it succeeded."
    stored = f"SELECT state FROM job WHERE id = {first}"
    assert await staged.rows(stored) == [("running",)]

    await staged.sql("DROP TRIGGER full")
    async with asyncio.timeout(30):
        while await staged.rows(stored) != [("succeeded",)]:
            await staged.call("system.info")
    await staged.restart()
    assert (await staged.finished(first))["state"] == "succeeded"


async def test_a_store_that_fails_in_the_middle_of_a_job_ends_it_on_all_switches(
    staged: SmallSite,
) -> None:
    """Nothing more is sent once it has failed; what was being sent is not known."""
    held = {name: wire.hold("^configure terminal\r") for name, wire in staged.wires.items()}
    job = await staged.begin("red")
    for hold in held.values():
        await hold.wait()
    await staged.daemon.store.write(lambda tx: tx.number("PRAGMA busy_timeout = 1"))
    with staged.locked_store():
        for hold in held.values():
            hold.release()
        ended = await staged.finished(job)
        refused = await staged.refused("network.create", project="red", network="x")
        lines = {name: switch.counters.lines for name, switch in staged.switches.items()}

    assert ended["state"] == "failed"
    assert "is locked by another process: end whatever has it open" in ended["error"]
    assert "What was being sent is not known: apply again" in ended["error"]
    assert refused.kind == "unavailable"
    for name, switch in staged.switches.items():
        assert switch.counters.lines == lines[name]
    await staged.succeeds("red")


async def test_an_admin_ends_a_job_by_force_whatever_it_waits_for(staged: SmallSite) -> None:
    held = staged.wires["sw1"].hold("^vlan 100\r")
    job = await staged.begin("red")
    await held.wait()
    second = await staged.begin("red")
    refused = pytest.raises(HaasError, match="Only an admin may end a job by force")
    with refused:
        await staged.tenant("rita").call("job.cancel", job=job, force=True)

    ended = await staged.call("job.cancel", job=job, force=True)
    ended = await staged.finished(job)

    assert ended["state"] == "cancelled"
    assert ended["error"].startswith("Ended by force: what was being sent is not known")
    held.release()
    assert (await staged.finished(second))["state"] == "succeeded"
    assert staged.carried("node-1") == access(100)


async def test_a_small_job_does_not_wait_for_all_of_a_large_one(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch of the large one is sent in turns; the small job goes between two of them."""
    monkeypatch.setattr(sending, "SMALL", 4)
    monkeypatch.setattr(sending, "SLICE_TIME", 0.0)
    monkeypatch.setattr(worker, "NEXT_PHASE", 60.0)
    ports = [f"Gi1/0/{number}" for number in range(1, 49)]
    async with another_switch(site, "sw3", len(ports)) as wire:
        await site.call("port.register", switch="sw3", ports=ports[:1])
        nic = {"nic": "eth0", "switch": "sw3", "port": ports[0]}
        await site.call("node.register", node="node-9", nics=[nic])
        await site.succeeds()
        await site.hold_nodes("red", "node-9")
        await site.network("red", "net")
        await site.connect("node-9", "net")
        await site.call("port.register", switch="sw3", ports=ports[1:])

        held = wire.hold("^interface ")
        large = await site.begin()  # the site's: it parks 47 ports
        await held.wait()
        small = await site.begin("red")
        async with asyncio.timeout(30):
            while (await site.call("job.show", job=small))["state"] != "running":
                pass
        held.release()

        assert (await site.finished(small))["state"] == "succeeded"
        assert (await site.finished(large))["state"] == "succeeded"
        sent = [record.text for record in wire.switch.lines]
        last = max(at for at, line in enumerate(sent) if line.startswith("interface "))
        joined = sent.index("switchport access vlan 100")
        assert joined < last
        saved = sent.index("write memory", joined)
        configured = {line for line in sent[joined:saved] if line.startswith("interface ")}
        assert configured <= {"interface Gi1/0/1"}, "all its phases, and its save"
        assert len(sent) < 3 * len(ports), "a turn of the large one has many ports"


async def test_jobs_that_ended_long_ago_are_deleted_with_their_steps(staged: SmallSite) -> None:
    store = staged.daemon.store
    old = (await staged.succeeds("red"))["job"]
    await staged.sql(f"UPDATE job SET finished = 1.0 WHERE id = {old}")
    held = staged.wires["sw1"].hold("^configure terminal\r")
    await staged.connect("node-1", "net", nic="ipmi")
    running = await staged.begin("red")
    await held.wait()

    assert await prune_jobs(store, JobSettings(keep_days=0, keep=100)) == 0
    assert await prune_jobs(store, JobSettings(keep_days=1)) == 1

    assert (await staged.refused("job.show", job=old)).kind == "not_found"
    assert await staged.rows(f"SELECT count(*) FROM step WHERE job_id = {old}") == [(0,)]
    assert (await staged.call("job.show", job=running))["state"] == "running"
    held.release()
    assert (await staged.finished(running))["state"] == "succeeded"
