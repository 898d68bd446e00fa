"""A cancelled job sends nothing more. What was done is saved; the rest stays staged."""

from __future__ import annotations

import pytest

from tests.rpc.listening import listening
from tests.rpc.small_site import NOTHING, SmallSite, access, states, step_of


@pytest.fixture
async def staged(site: SmallSite) -> SmallSite:
    """Red wants node-1 and node-2, both on sw1, on its network, VLAN 100."""
    await site.hold_nodes("red", "node-1", "node-2")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.connect("node-2", "net")
    return site


async def test_a_cancelled_job_sends_nothing_more(staged: SmallSite) -> None:
    """Lines go out one at a time; all lines of node-1's port have been sent."""
    await staged.sql("UPDATE switch SET options = ?", ('{"window": 1, "ranges": false}',))
    opening = staged.wires["sw1"].hold("^no shutdown\r")
    job_id = await staged.begin("red")
    await opening.wait()
    held = staged.wires["sw1"].hold("^interface Gi1/0/4\r")
    opening.release()
    await held.wait()
    assert (await staged.call("job.cancel", job=job_id))["state"] == "running"
    held.release()

    job = await staged.finished(job_id)

    assert job["state"] == "cancelled"
    assert "what was not sent is still staged" in job["error"]
    assert step_of(job, "sw1", "port.set", "Gi1/0/2")["state"] == "done"
    assert step_of(job, "sw1", "port.set", "Gi1/0/4")["state"] == "cancelled"
    assert step_of(job, "sw1", "config.save")["state"] == "done"
    assert not staged.switches["sw1"].modified
    assert (staged.carried("node-1"), staged.carried("node-2")) == (access(100), NOTHING)
    plan = await staged.call("plan.show", project="red")
    assert [step["target"] for step in plan["steps"]] == ["Gi1/0/4", ""]

    await staged.succeeds("red")
    assert staged.carried("node-2") == access(100)


async def test_a_job_cancelled_in_the_middle_of_a_script(staged: SmallSite) -> None:
    """No port has been opened yet: all are still shut, and known to be."""
    held = staged.wires["sw1"].hold("^switchport access vlan 100\r")
    job_id = await staged.begin("red")
    await held.wait()
    await staged.call("job.cancel", job=job_id)
    before = staged.switches["sw1"].counters.lines
    held.release()

    job = await staged.finished(job_id)

    assert job["state"] == "cancelled"
    for port in ("Gi1/0/2", "Gi1/0/4"):
        step = step_of(job, "sw1", "port.set", port)
        assert (step["state"], step["message"]) == ("cancelled", "cancelled before it was finished")
    assert step_of(job, "sw1", "vlan.create")["state"] == "done"
    assert step_of(job, "sw1", "config.save")["state"] == "done"
    sent = [record.text for record in staged.switches["sw1"].lines[before:]]
    assert "no shutdown" not in sent
    assert staged.carried("node-1") == staged.carried("node-2") == NOTHING
    plan = await staged.call("plan.show", project="red")
    assert [step["kind"] for step in plan["steps"]] == ["port.set", "port.set", "config.save"]
    await staged.succeeds("red")
    assert staged.carried("node-1") == staged.carried("node-2") == access(100)


async def test_a_job_cancelled_between_two_phases(staged: SmallSite) -> None:
    held = staged.wires["sw1"].hold("^vlan 100\r")
    job_id = await staged.begin("red")
    await held.wait()
    await staged.call("job.cancel", job=job_id)
    held.release()

    job = await staged.finished(job_id)

    assert states(job, "sw1") == ["done", "cancelled", "cancelled", "done"]
    step = step_of(job, "sw1", "port.set", "Gi1/0/2")
    assert step["message"] == "cancelled before it was sent"
    await staged.succeeds("red")


async def test_a_job_cancelled_while_it_reconnects(staged: SmallSite) -> None:
    """Some lines of the ports were sent before the disconnect, so the ports are read back."""
    staged.switches["sw1"].faults.cut_at = "switchport access vlan 100"
    held = staged.wires["sw1"].hold("^switchport access vlan 100\r")
    job_id = await staged.begin("red")
    await held.wait()
    again = staged.wires["sw1"].hold("^terminal length 0\r")
    held.release()
    await again.wait()
    await staged.call("job.cancel", job=job_id)
    again.release()

    job = await staged.finished(job_id)

    assert job["state"] == "cancelled"
    step = step_of(job, "sw1", "port.set", "Gi1/0/2")
    assert (step["state"], step["message"]) == ("cancelled", "cancelled before it was finished")
    plan = await staged.call("plan.show", project="red")
    assert [step["kind"] for step in plan["steps"]] == ["port.set", "port.set", "config.save"]
    await staged.succeeds("red")


async def test_a_queued_job_ends_at_once(staged: SmallSite) -> None:
    held = staged.wires["sw1"].hold("^vlan 100\r")
    first = await staged.begin("red")
    await held.wait()
    second = await staged.begin("red")
    async with listening(staged) as client:
        await client.call("job.subscribe", job=second)

        job = await staged.call("job.cancel", job=second)

        assert (job["state"], job["steps"]) == ("cancelled", [])
        assert "Cancelled before it began" in job["error"]
        await client.until(lambda _, event: event["state"] == "cancelled")
    held.release()
    assert (await staged.finished(first))["state"] == "succeeded"


async def test_a_queued_job_is_cancelled_while_other_projects_begin_theirs(
    staged: SmallSite,
) -> None:
    held = staged.wires["sw1"].hold("^vlan 100\r")
    first = await staged.begin("red")
    await held.wait()
    second = await staged.begin("red")
    engine, others = staged.daemon.engine, iter(range(1000, 2000))

    def begin_another(*_: object) -> None:
        """Queue a job of yet another project (it has no row, so nothing is run)."""
        number = next(others)
        engine.jobs.enqueue(number, number)

    unsubscribe = staged.daemon.events.subscribe_inventory(begin_another)
    job = await staged.call("job.cancel", job=second)
    unsubscribe()
    assert next(others) > 1000
    assert job["state"] == "cancelled"
    held.release()
    assert (await staged.finished(first))["state"] == "succeeded"


async def test_a_job_that_has_ended_cannot_be_cancelled(staged: SmallSite) -> None:
    job = await staged.succeeds("red")
    error = await staged.refused("job.cancel", job=job["job"])
    assert error.kind == "conflict"
    assert "has ended already: it succeeded" in error.message


async def test_a_job_cancelled_in_its_last_step_has_succeeded(staged: SmallSite) -> None:
    """Nothing was left to stop."""
    held = staged.wires["sw1"].hold("^write memory\r")
    job_id = await staged.begin("red")
    await held.wait()
    await staged.call("job.cancel", job=job_id)
    held.release()
    assert (await staged.finished(job_id))["state"] == "succeeded"
    assert (await staged.call("plan.show", project="red"))["empty"]


async def test_a_tenant_cancels_its_own_jobs_only(staged: SmallSite) -> None:
    held = staged.wires["sw1"].hold("^vlan 100\r")
    job_id = await staged.begin("red")
    await held.wait()
    with pytest.raises(Exception, match=f"There is no job {job_id}."):
        await staged.tenant("bob").call("job.cancel", job=job_id)
    await staged.tenant("rita").call("job.cancel", job=job_id)
    held.release()
    assert (await staged.finished(job_id))["state"] == "cancelled"


async def test_a_cancelled_job_stays_cancelled_after_the_daemon_restarts(
    staged: SmallSite,
) -> None:
    held = staged.wires["sw1"].hold("^switchport access vlan 100\r")
    job_id = await staged.begin("red")
    await held.wait()
    await staged.call("job.cancel", job=job_id)

    await staged.restart()

    job = await staged.finished(job_id)
    assert job["state"] == "cancelled"
    assert staged.carried("node-1") == staged.carried("node-2") == NOTHING
    await staged.succeeds("red")


async def test_a_project_with_unfinished_jobs_cannot_be_deleted(staged: SmallSite) -> None:
    """Otherwise its jobs would have no project, and such a job belongs to the site."""
    await staged.call(
        "port.register", switch="sw1", ports=["Gi1/0/9"]
    )  # something for the site to apply
    held = staged.wires["sw1"].hold("^vlan 100\r")
    first, second = await staged.begin("red"), await staged.begin("red")
    await held.wait()
    for node in ("node-1", "node-2"):
        await staged.call("node.release", node=node)
    await staged.call("network.delete", project="red", network="net")

    error = await staged.refused("project.delete", project="red")

    assert error.kind == "conflict"
    assert f"job {first} of project red is still under way" in error.message.lower()
    held.release()
    await staged.finished(first)
    await staged.finished(second)
    await staged.call("project.delete", project="red")
    assert not staged.switches["sw1"].running.ports["GigabitEthernet1/0/9"].shutdown
