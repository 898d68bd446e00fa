"""Jobs: devices in parallel, one session each, and only what a device confirms is done."""

from __future__ import annotations

import asyncio

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.engine import gate
from haas_rpcd.sim.ios import IosSwitch
from tests.rpc.listening import listening
from tests.rpc.small_site import (
    CREDENTIALS,
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
    assert {line for line in sent if line.startswith("interface")} == {"interface Gi1/0/1"}


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
            "exit",
            "interface Gi1/0/2",
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


async def test_a_port_changed_by_hand_during_the_job_fails_its_step(staged: SmallSite) -> None:
    """Somebody configures the port after the last line and before it is read back."""
    opening = staged.wires["sw1"].hold("^no shutdown\r")
    job_id = await staged.begin("red")
    await opening.wait()
    held = staged.wires["sw1"].hold("^show running-config interface Gi1/0/2\r")
    opening.release()
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
    opening = staged.wires["sw1"].hold("^no shutdown\r")
    job_id = await staged.begin("red")
    await opening.wait()
    held = staged.wires["sw1"].hold("^show running-config interface Gi1/0/2\r")
    opening.release()
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
