"""Jobs that wait: for the others of their project, for their plan to hold, for a save to share."""

from __future__ import annotations

import pytest

from haas_rpcd.engine import gate, worker
from tests.rpc.small_site import (
    NOTHING,
    SmallSite,
    access,
    step_of,
)

pytestmark = pytest.mark.slow


async def stage_two(site: SmallSite) -> None:
    """Red wants node-1 (on sw1) on VLAN 100; blue node-2 (on sw1) and node-3 (on sw2) on 101."""
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-2", "node-3")
    for project, nodes in (("red", ["node-1"]), ("blue", ["node-2", "node-3"])):
        await site.network(project, "net")
        for node in nodes:
            await site.connect(node, "net")


async def two_jobs(site: SmallSite) -> tuple[int, int]:
    """Begin red's and blue's job; return them when both use sw1, and neither has saved it.

    Blue's job uses sw2 as well: once that gets its first line, sw1 has work of blue's too.
    """
    await stage_two(site)
    at_first = site.wires["sw1"].hold("^vlan 100\r")
    red = await site.begin("red")
    await at_first.wait()
    at_second = site.wires["sw2"].hold("^vlan 101\r")
    blue = await site.begin("blue")
    await at_second.wait()
    at_first.release()
    at_second.release()
    return red, blue


async def test_jobs_of_two_projects_share_one_session_and_one_save(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first to finish waits for the other's save."""
    monkeypatch.setattr(worker, "MERGE", 600.0)
    counters = site.switches["sw1"].counters
    logins, saves = counters.logins, counters.saves
    jobs = [await site.finished(job) for job in await two_jobs(site)]
    assert [job["state"] for job in jobs] == ["succeeded", "succeeded"]
    assert site.carried("node-1") == access(100)
    assert site.carried("node-2") == access(101)
    assert (counters.logins, counters.saves) == (logins + 1, saves + 1)
    assert [step_of(job, "sw1", "config.save")["state"] for job in jobs] == ["done", "done"]
    assert not site.switches["sw1"].modified


async def test_a_shared_save_is_sent_again_for_all_when_the_session_is_lost(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MERGE", 600.0)
    site.switches["sw1"].faults.cut_at = "^write memory"
    jobs = [await site.finished(job) for job in await two_jobs(site)]
    assert [(job["state"], job.get("error")) for job in jobs] == [("succeeded", None)] * 2
    assert not site.switches["sw1"].modified


async def test_a_save_does_not_wait_long_for_another_job(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blue's job is stuck on another switch; red's is not."""
    monkeypatch.setattr(worker, "MERGE", 0.01)
    monkeypatch.setattr(gate, "PATIENCE", 600.0)
    await stage_two(site)
    held = site.wires["sw2"].hold("^vlan 101\r")
    blue = await site.begin("blue")
    await held.wait()

    await site.succeeds("red")

    assert (await site.call("job.show", job=blue))["state"] == "running"
    held.release()
    assert (await site.finished(blue))["state"] == "succeeded"


async def test_a_queued_job_waits_for_the_first_and_plans_when_it_starts(
    staged: SmallSite,
) -> None:
    held = staged.wires["sw1"].hold("^vlan 100\r")
    first = await staged.begin("red")
    await held.wait()
    second = await staged.begin("red")
    assert (await staged.call("job.show", job=second))["state"] == "queued"
    assert (await staged.call("job.show", job=second))["steps"] == []
    await staged.call(
        "nic.disconnect", node="node-3", nic="eth0"
    )  # staged after the second apply was requested
    held.release()

    assert (await staged.finished(first))["state"] == "succeeded"
    job = await staged.finished(second)

    assert job["state"] == "succeeded"
    assert [step["kind"] for step in job["steps"]][:1] == ["port.park"]
    assert staged.carried("node-1") == access(100)
    assert staged.carried("node-3") == NOTHING


async def test_applies_that_wait_in_a_project_s_queue_become_one(staged: SmallSite) -> None:
    """The first does all that is staged by then, and saves once; the others find nothing to do."""
    switch = staged.switches["sw1"]
    held = staged.wires["sw1"].hold("^vlan 100\r")
    first = await staged.begin("red")
    await held.wait()
    await staged.hold_nodes("red", "node-2")
    waiting = []
    for node, nic in (("node-2", "eth0"), ("node-1", "ipmi")):
        await staged.connect(node, "net", nic=nic)
        waiting.append(await staged.begin("red"))
    waiting.append(await staged.begin("red"))
    held.release()
    assert (await staged.finished(first))["state"] == "succeeded"
    saves = switch.counters.saves
    jobs = [await staged.finished(job) for job in waiting]
    assert [job["state"] for job in jobs] == ["succeeded"] * 3
    assert [bool(job["steps"]) for job in jobs] == [True, False, False]
    assert switch.counters.saves == saves + 1
    assert staged.carried("node-1", "ipmi") == staged.carried("node-2") == access(100)


async def test_a_stale_plan_is_refused_with_the_changes(staged: SmallSite) -> None:
    plan = await staged.call("plan.show", project="red")
    await staged.call("nic.disconnect", node="node-3", nic="eth0")
    await staged.connect("node-1", "net", nic="ipmi")

    error = await staged.refused("apply.start", project="red", digest=plan["digest"])

    assert error.kind == "stale_plan"
    assert "new: sw1: set Gi1/0/1 (node-1:ipmi) to access 100" in error.message
    assert "gone: sw2: set Gi1/0/2 (node-3:eth0) to access 100" in error.message
    assert error.data["added"] == ["sw1: set Gi1/0/1 (node-1:ipmi) to access 100"]
    now = await staged.call("plan.show", project="red")
    assert error.data["digest"] == now["digest"] != plan["digest"]
    assert (await staged.call("job.list", project="red"))["items"] == []
    job = await staged.apply("red", digest=now["digest"])
    assert job["state"] == "succeeded"


async def test_a_plan_that_becomes_stale_in_the_queue_is_not_applied(
    staged: SmallSite,
) -> None:
    await staged.call("nic.disconnect", node="node-3", nic="eth0")  # the plan is about sw1 only
    held = staged.wires["sw1"].hold("^configure terminal\r")
    first = await staged.begin("red")
    await held.wait()
    plan = await staged.call("plan.show", project="red")
    second = await staged.begin("red", digest=plan["digest"])
    held.release()
    await staged.finished(first)

    job = await staged.finished(second)

    assert job["state"] == "failed"
    assert "The plan has changed since it was shown" in job["error"]
    assert job["steps"] == []


async def test_an_empty_plan_touches_no_device(
    staged: SmallSite,
) -> None:
    await staged.succeeds("red")
    before = {name: switch.counters.connections for name, switch in staged.switches.items()}
    job = await staged.succeeds("red")
    assert (job["done"], job["total"], job["steps"]) == (0, 0, [])
    assert before == {name: switch.counters.connections for name, switch in staged.switches.items()}
