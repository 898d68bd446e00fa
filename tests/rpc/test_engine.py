"""Jobs: devices in parallel, one session each, one job at a time per project, valid plans."""

from __future__ import annotations

import asyncio

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.engine import gate, worker
from haas_rpcd.sim.ios import IosSwitch
from tests.rpc.listening import listening
from tests.rpc.small_site import (
    CREDENTIALS,
    NOTHING,
    SmallSite,
    access,
    states,
    step_of,
)


async def test_devices_are_configured_in_parallel(staged: SmallSite) -> None:
    """sw2 gets its first line while sw1 has not answered its own."""
    held = {name: wire.hold("^configure terminal\r") for name, wire in staged.wires.items()}
    job = await staged.begin("red")
    await held["sw1"].wait()
    await held["sw2"].wait()
    for hold in held.values():
        hold.release()
    assert (await staged.finished(job))["state"] == "succeeded"


async def test_a_dead_device_does_not_block_the_other_devices(
    staged: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.01)
    held = staged.wires["sw1"].hold("^terminal length 0\r")
    async with listening(staged) as client:
        job_id = await staged.begin("red")
        await client.call("job.subscribe", job=job_id)

        await client.step("sw2", "config.save", "done")

        assert held.reached.is_set()
        job = await client.call("job.show", job=job_id)
        assert job["state"] == "running"
        assert set(states(job, "sw2")) == {"done"}
        assert "done" not in states(job, "sw1")
    assert staged.carried("node-3") == access(100)
    held.release()
    assert (await staged.finished(job_id))["state"] == "succeeded"


async def test_a_dead_device_does_not_block_other_projects(staged: SmallSite) -> None:
    await staged.hold_nodes("blue", "node-4")
    await staged.network("blue", "own")
    await staged.connect("node-4", "own")
    held = staged.wires["sw1"].hold("^terminal length 0\r")
    red = await staged.begin("red")
    await held.wait()

    await staged.succeeds("blue")

    assert staged.carried("node-4") == access(101)
    held.release()
    assert (await staged.finished(red))["state"] == "succeeded"


def counted(switch: IosSwitch) -> tuple[int, int]:
    return switch.counters.logins, switch.counters.saves


async def test_a_job_logs_in_and_saves_once_per_switch(staged: SmallSite) -> None:
    await staged.call("headnode.create", project="red", headnode="head")
    await staged.call("headnode.connect", project="red", headnode="head", network="net")
    before = {name: counted(switch) for name, switch in staged.switches.items()}
    await staged.succeeds("red")
    for name, switch in staged.switches.items():
        logins, saves = before[name]
        assert counted(switch) == (logins + 1, saves + 1)
        assert not switch.modified
        assert [record.text for record in switch.lines].count("configure terminal") <= 4


async def test_a_job_touches_only_switches_and_ports_that_change(staged: SmallSite) -> None:
    await staged.succeeds("red")
    before = staged.switches["sw1"].counters.lines
    counters = staged.switches["sw2"].counters
    connections, lines = counters.connections, counters.lines
    await staged.call("headnode.create", project="red", headnode="head")
    await staged.connect("node-1", "net", nic="ipmi")
    await staged.succeeds("red")
    assert (counters.connections, counters.lines) == (connections, lines)
    sent = [record.text for record in staged.switches["sw1"].lines[before:]]
    assert [line for line in sent if line.startswith("interface")] == ["interface Gi1/0/1"]


async def test_a_plan_and_its_job_show_the_lines_that_are_sent(staged: SmallSite) -> None:
    plan = await staged.call("plan.show", project="red")
    job = await staged.succeeds("red")
    lines = [
        ["vlan 100", "name haas-100", "exit"],
        [
            "interface Gi1/0/2",
            "switchport access vlan 100",
            "switchport trunk allowed vlan none",
            "no switchport voice vlan",
            "switchport mode access",
            "no shutdown",
            "exit",
        ],
        ["write memory"],
    ]
    for steps in (plan["steps"], job["steps"]):
        assert [step["lines"] for step in steps if step["device"] == "sw1"] == lines
    sent = [record.text for record in staged.switches["sw1"].lines]
    shown = [line for step in lines for line in step]
    assert [line for line in sent if line in shown][-len(shown) :] == shown


async def test_jobs_of_two_projects_share_one_session_and_one_save(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first to finish waits for the other's save."""
    monkeypatch.setattr(worker, "MERGE", 600.0)
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-2")
    for project, node in (("red", "node-1"), ("blue", "node-2")):
        await site.network(project, "net")
        await site.connect(node, "net")
    logins, saves = counted(site.switches["sw1"])
    held = site.wires["sw1"].hold("^vlan 100\r")
    red = await site.begin("red")
    await held.wait()
    async with listening(site) as client:
        blue = await site.begin("blue")
        await client.call("job.subscribe", job=blue)
        held.release()
        jobs = [await site.finished(red), await site.finished(blue)]
    assert [job["state"] for job in jobs] == ["succeeded", "succeeded"]
    assert site.carried("node-1") == access(100)
    assert site.carried("node-2") == access(101)
    now_logins, now_saves = counted(site.switches["sw1"])
    assert now_logins == logins + 1
    assert now_saves == saves + 1
    assert [step_of(job, "sw1", "config.save")["state"] for job in jobs] == ["done", "done"]
    assert not site.switches["sw1"].modified


async def test_a_shared_save_is_sent_again_for_all_when_the_session_is_lost(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MERGE", 600.0)
    for project, node in (("red", "node-1"), ("blue", "node-2")):
        await site.hold_nodes(project, node)
        await site.network(project, "net")
        await site.connect(node, "net")
    held = site.wires["sw1"].hold("^vlan 100\r")
    red = await site.begin("red")
    await held.wait()
    blue = await site.begin("blue")
    site.switches["sw1"].faults.cut_at = "^write memory"
    held.release()
    jobs = [await site.finished(red), await site.finished(blue)]
    assert [(job["state"], job.get("error")) for job in jobs] == [("succeeded", None)] * 2
    assert not site.switches["sw1"].modified


async def test_a_save_does_not_wait_long_for_another_job(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blue's job is stuck on another switch; red's is not."""
    monkeypatch.setattr(worker, "MERGE", 0.01)
    monkeypatch.setattr(gate, "PATIENCE", 600.0)
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-2", "node-3")
    for project, nodes in (("red", ["node-1"]), ("blue", ["node-2", "node-3"])):
        await site.network(project, "net")
        for node in nodes:
            await site.connect(node, "net")
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


async def test_a_port_changed_by_hand_during_the_job_fails_its_step(staged: SmallSite) -> None:
    """Somebody configures the port after the last line and before it is read back."""
    held = staged.wires["sw1"].hold("^show running-config interface Gi1/0/2\r")
    job_id = await staged.begin("red")
    await held.wait()
    staged.watch.on = False  # the change below is not made by HaaS
    port = staged.switches["sw1"].running.ports["GigabitEthernet1/0/2"]
    port.access_vlan = 7
    held.release()

    job = await staged.finished(job_id)

    assert job["state"] == "failed"
    step = step_of(job, "sw1", "port.set")
    assert step["state"] == "failed"
    assert "Gi1/0/2 reads back as access 7 instead of access 100" in step["message"]
    assert "look for somebody else who configures the device" in step["message"]
    nics = (await staged.call("node.show", node="node-1"))["nics"]
    assert [nic["applied"] for nic in nics if nic["nic"] == "eth0"] == [
        [{"network": None, "vlan": 7, "tagged": False}]
    ]
    assert step_of(job, "sw2", "port.set")["state"] == "done"
    await staged.succeeds("red")
    assert staged.carried("node-1") == access(100)


async def test_a_port_that_negotiates_its_mode_is_not_an_access_port(
    staged: SmallSite,
) -> None:
    """A dynamic port becomes a trunk of all VLANs as soon as its node asks for one (DTP)."""
    held = staged.wires["sw1"].hold("^show running-config interface Gi1/0/2\r")
    job_id = await staged.begin("red")
    await held.wait()
    staged.watch.on = False
    port = staged.switches["sw1"].running.ports["GigabitEthernet1/0/2"]
    port.mode, port.allowed = "dynamic auto", frozenset(range(1, 4095))  # factory defaults
    held.release()

    job = await staged.finished(job_id)

    assert job["state"] == "failed"
    said = step_of(job, "sw1", "port.set")["message"]
    assert "Gi1/0/2 reads back as untagged 100, tagged 1-99,101-4094 instead of access 100" in said
    await staged.succeeds("red")


async def test_a_bridge_is_removed_after_its_headnode_however_slow_that_is(
    staged: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    await staged.call("headnode.create", project="red", headnode="head")
    await staged.call("headnode.connect", project="red", headnode="head", network="net")
    await staged.succeeds("red")
    assert staged.host.bridges == {100}
    await staged.call("headnode.delete", project="red", headnode="head")
    monkeypatch.setattr(gate, "PATIENCE", 0.01)
    staged.host.seconds = 0.2

    await staged.succeeds("red")

    assert staged.host.bridges == set()
    assert staged.host.domains == {}


async def test_a_headnode_starts_after_its_bridge_exists_however_slow_that_is(
    staged: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    await staged.call("headnode.create", project="red", headnode="head")
    await staged.call("headnode.connect", project="red", headnode="head", network="net")
    monkeypatch.setattr(gate, "PATIENCE", 0.01)
    staged.host.seconds = 0.2
    await staged.succeeds("red")


async def test_a_headnode_whose_network_was_deleted_meanwhile_is_not_defined(
    staged: SmallSite,
) -> None:
    await staged.call("headnode.create", project="red", headnode="head")
    await staged.network("red", "late")
    await staged.call("headnode.connect", project="red", headnode="head", network="late")
    held = staged.wires["sw1"].hold("^vlan 100\r")
    job_id = await staged.begin("red")
    await held.wait()
    await staged.call("headnode.disconnect", project="red", headnode="head", network="late")
    await staged.call("network.delete", project="red", network="late")
    held.release()

    job = await staged.finished(job_id)

    assert step_of(job, "libvirt", "headnode.define")["state"] == "skipped"
    assert step_of(job, "libvirt", "headnode.start")["state"] == "skipped"
    assert job["state"] == "succeeded", job["error"]
    await staged.succeeds("red")
    assert [domain.nics for domain in staged.host.domains.values()] == [()]


async def test_a_client_that_disconnects_leaves_the_session_open_for_the_next(
    staged: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was probing sw1; red's job is waiting for the same session."""
    monkeypatch.setattr(gate, "PATIENCE", 0.01)
    held = staged.wires["sw1"].hold("^show version\r")
    async with listening(staged) as client:
        await client.send("switch.probe", switch="sw1")
        await held.wait()
        job_id = await staged.begin("red")
        await client.call("job.subscribe", job=job_id)
        await client.step("sw2", "port.set", "done")  # so sw1's batch is queued, too
    held.release()

    assert (await staged.finished(job_id))["state"] == "succeeded"


class Exploding(dict[str, Credential]):
    """Credentials that raise at the second login."""

    def __init__(self) -> None:
        super().__init__(CREDENTIALS)
        self.exploded = asyncio.Event()
        self._asked = 0

    def __getitem__(self, name: str) -> Credential:
        self._asked += 1
        if self._asked == 2:
            self.exploded.set()
            raise ZeroDivisionError
        return super().__getitem__(name)


async def test_a_bug_on_one_device_lets_the_others_finish_before_the_job_ends(
    staged: SmallSite,
) -> None:
    staged.credentials = exploding = Exploding()
    held = {name: wire.hold("^configure terminal\r") for name, wire in staged.wires.items()}
    job_id = await staged.begin("red")
    ended = asyncio.create_task(staged.finished(job_id))
    reached = {asyncio.create_task(hold.reached.wait()): name for name, hold in held.items()}
    async with asyncio.timeout(20):
        await exploding.exploded.wait()
        done, waiting = await asyncio.wait(reached, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    [other] = [reached[task] for task in done]
    for wire in staged.wires.values():
        wire.holds.clear()
    held[other].release()

    job = await ended

    assert job["state"] == "failed"
    assert job["error"] == "The daemon failed; its log has the details. Apply again."
    assert set(states(job, other)) == {"done"}
    await staged.succeeds("red")
