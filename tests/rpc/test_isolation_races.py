"""Isolation while users keep working during a job.

A line of the job is held back on its way to the switch (wire.py); meanwhile somebody releases,
deletes, shares or allocates. Before a step is recorded as being sent, this cancels the step. After
that, a line of its batch may be on its way, so every claim stays until the device has confirmed.
Every line is watched, as in test_isolation.py.
"""

from __future__ import annotations

import pytest

from tests.rpc.listening import listening
from tests.rpc.small_site import NOTHING, SmallSite, access, states, step_of
from tests.rpc.wire import Hold

pytestmark = pytest.mark.slow


@pytest.fixture
async def crowded(site: SmallSite) -> SmallSite:
    """Red wants node-1 and node-2, both on sw1, on its network, VLAN 100."""
    await site.hold_nodes("red", "node-1", "node-2")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.connect("node-2", "net")
    return site


async def test_a_node_released_before_its_step_is_sent_is_not_connected(
    crowded: SmallSite,
) -> None:
    site = crowded
    held = site.wires["sw1"].hold("^vlan 100\r")
    job_id = await site.begin("red")
    await held.wait()

    released = await site.call("node.release", node="node-2")
    assert released["state"] == "free"  # its port is parked, as it always was
    await site.hold_nodes("blue", "node-2")
    held.release()

    job = await site.finished(job_id)
    assert job["state"] == "succeeded"
    step = step_of(job, "sw1", "port.set", "Gi1/0/4")
    assert step["state"] == "skipped"
    assert "changed hands" in step["message"]
    assert site.carried("node-1") == access(100)
    assert site.carried("node-2") == NOTHING


async def test_a_node_released_while_its_own_line_is_on_its_way_stays_releasing(
    crowded: SmallSite,
) -> None:
    site = crowded
    held = site.wires["sw1"].hold("^switchport access vlan 100\r")
    job_id = await site.begin("red")
    await held.wait()

    released = await site.call("node.release", node="node-1")
    assert released["state"] == "releasing"
    assert (await site.refused("node.allocate", project="blue", node="node-1")).kind == "conflict"
    held.release()

    await site.finished(job_id)
    job = await site.finished(released["job"])
    assert job["state"] == "succeeded", job["error"]
    assert site.carried("node-1") == NOTHING
    assert (await site.call("node.show", node="node-1"))["state"] == "free"


async def test_a_node_released_while_lines_of_its_batch_are_on_their_way_stays_releasing(
    crowded: SmallSite,
) -> None:
    """Its step was recorded together with another node's, so its lines may be on their way too."""
    site = crowded
    await site.sql("UPDATE switch SET options = ?", ('{"ranges": false}',))
    held = site.wires["sw1"].hold("^interface Gi1/0/2\r")
    job_id = await site.begin("red")
    await held.wait()

    released = await site.call("node.release", node="node-2")
    assert released["state"] == "releasing"
    assert (await site.refused("node.allocate", project="blue", node="node-2")).kind == "conflict"
    held.release()

    assert (await site.finished(job_id))["state"] == "succeeded"
    job = await site.finished(released["job"])
    assert job["state"] == "succeeded", job["error"]
    assert site.carried("node-1") == access(100)
    assert site.carried("node-2") == NOTHING
    assert (await site.call("node.show", node="node-2"))["state"] == "free"
    await site.hold_nodes("blue", "node-2")


async def test_a_node_released_before_it_moves_to_another_network_does_not_move(
    crowded: SmallSite,
) -> None:
    """It is still red's, and red may still use the network, but it is to be parked."""
    site = crowded
    await site.succeeds("red")
    await site.network("red", "next")  # 101
    await site.connect("node-1", "next")
    switch = site.switches["sw1"]
    before = len(switch.lines)
    held = site.wires["sw1"].hold("^vlan 101\r")
    job_id = await site.begin("red")
    await held.wait()
    released = await site.call("node.release", node="node-1")
    assert released["state"] == "releasing"
    held.release()

    step = step_of(await site.finished(job_id), "sw1", "port.set", "Gi1/0/2")
    assert step["state"] == "skipped"
    assert "was released since this was planned" in step["message"]
    assert (await site.finished(released["job"]))["state"] == "succeeded"
    assert "switchport access vlan 101" not in [line.text for line in switch.lines[before:]]
    assert site.carried("node-1") == NOTHING
    assert (await site.call("node.show", node="node-1"))["state"] == "free"


async def test_a_network_deleted_while_lines_of_its_ports_are_on_their_way_keeps_its_id(
    crowded: SmallSite,
) -> None:
    site = crowded
    held = site.wires["sw1"].hold("^switchport access vlan 100\r")
    job_id = await site.begin("red")
    await held.wait()

    for node in ("node-1", "node-2"):
        await site.call("nic.disconnect", node=node, nic="eth0")
    await site.call("network.delete", project="red", network="net")
    assert await site.network("blue", "first") == 101
    held.release()

    assert (await site.finished(job_id))["state"] == "succeeded"
    assert site.carried("node-1") == site.carried("node-2") == access(100)  # it was red's all along
    assert await site.network("blue", "second") == 102
    await site.succeeds("red")
    assert site.carried("node-1") == site.carried("node-2") == NOTHING
    assert await site.network("blue", "third") == 100


async def test_a_network_deleted_before_its_ports_are_sent_is_not_joined(
    crowded: SmallSite,
) -> None:
    site = crowded
    await site.hold_nodes("blue", "node-3", "node-4")
    held = site.wires["sw1"].hold("^vlan 100\r")
    job_id = await site.begin("red")
    await held.wait()  # VLAN 100 is under way to sw1: the id is not free

    for node in ("node-1", "node-2"):
        await site.call("nic.disconnect", node=node, nic="eth0")
    await site.call("network.delete", project="red", network="net")
    assert await site.network("blue", "net") == 101
    held.release()

    job = await site.finished(job_id)
    assert job["state"] == "succeeded", job["error"]
    for port in ("Gi1/0/2", "Gi1/0/4"):
        step = step_of(job, "sw1", "port.set", port)
        assert step["state"] == "skipped"
        assert "was deleted or taken back" in step["message"]
    assert site.carried("node-1") == site.carried("node-2") == NOTHING
    await site.succeeds("red")
    assert 100 not in site.switches["sw1"].running.vlans
    assert await site.network("blue", "other") == 100


async def test_a_vlan_id_given_to_another_project_before_it_was_sent_is_not_used(
    crowded: SmallSite,
) -> None:
    """The job first leaves a network; meanwhile VLAN 102 goes to another project."""
    site = crowded
    await site.network("red", "old")  # 101
    await site.connect("node-1", "old", nic="ipmi")
    await site.succeeds("red")
    await site.call("nic.disconnect", node="node-1", nic="ipmi")
    await site.network("red", "late")  # 102
    await site.call("nic.disconnect", node="node-2", nic="eth0")
    await site.connect("node-2", "late")
    await site.hold_nodes("blue", "node-3")
    held = site.wires["sw1"].hold("^shutdown\r")
    job_id = await site.begin("red")
    await held.wait()

    await site.call("nic.disconnect", node="node-2", nic="eth0")
    await site.call("network.delete", project="red", network="late")
    assert await site.network("blue", "mine") == 102  # nothing of it was ever sent
    await site.connect("node-3", "mine")
    blue = await site.begin("blue")
    held.release()

    job = await site.finished(job_id)
    assert step_of(job, "sw1", "vlan.create", "102")["state"] == "skipped"
    assert step_of(job, "sw1", "port.set", "Gi1/0/4")["state"] == "skipped"
    assert (await site.finished(blue))["state"] == "succeeded"
    assert site.carried("node-2") == access(100)  # what it was on before
    assert site.carried("node-3") == access(102)


@pytest.mark.parametrize("under_way", [False, True])
async def test_a_share_that_ends_before_the_guest_s_step_is_sent(
    site: SmallSite, under_way: bool
) -> None:
    """Once a line of the guest's batch is on its way, the share cannot end."""
    await site.hold_nodes("blue", "node-1", "node-2")
    await site.network("red", "net")  # 100
    await site.network("blue", "own")  # 101
    await site.call("network.share", project="red", network="net", **{"with": "blue"})
    await site.connect("node-1", "own")
    await site.connect("node-2", "red/net")
    held = site.wires["sw1"].hold("^interface Gi1/0/2\r" if under_way else "^vlan 101\r")
    job_id = await site.begin("blue")
    await held.wait()

    unshare = {"project": "red", "network": "net", "with": "blue"}
    await site.call("nic.disconnect", node="node-2", nic="eth0")
    if under_way:
        ending = await site.call("network.unshare", **unshare)
        assert ending["ending_with"] == ["blue"]
        held.release()
        assert (await site.finished(job_id))["state"] == "succeeded"
        assert site.carried("node-2") == access(100)
        assert (await site.finished(ending["job"]))["state"] == "succeeded"
        assert site.carried("node-2") == NOTHING
        assert site.carried("node-1") == access(101)
        return
    await site.call("network.unshare", **unshare)
    held.release()

    job = await site.finished(job_id)
    step = step_of(job, "sw1", "port.set", "Gi1/0/4")
    assert (step["state"], site.carried("node-2")) == ("skipped", NOTHING)
    assert site.carried("node-1") == access(101)


async def test_a_vlan_that_another_job_is_joining_is_not_removed(site: SmallSite) -> None:
    """Red leaves its network while blue, a guest on it, joins on the same switch."""
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-2")
    await site.network("red", "net")
    await site.call("network.share", project="red", network="net", **{"with": "blue"})
    await site.connect("node-1", "net")
    await site.succeeds("red")
    await site.connect("node-2", "red/net")
    await site.call("nic.disconnect", node="node-1", nic="eth0")
    held = site.wires["sw1"].hold("^interface Gi1/0/4\r")
    blue = await site.begin("blue")
    await held.wait()
    red = await site.begin("red")
    held.release()

    assert (await site.finished(blue))["state"] == "succeeded"
    job = await site.finished(red)
    assert job["state"] == "succeeded", job["error"]
    assert 100 in site.switches["sw1"].running.vlans
    assert site.carried("node-2") == access(100)
    assert site.carried("node-1") == NOTHING
    assert (await site.call("plan.show", project="red"))["empty"]
    assert (await site.call("plan.show", project="blue"))["empty"]


async def test_a_vlan_joined_after_its_removal_was_planned_is_not_removed(
    site: SmallSite,
) -> None:
    """Red has planned to remove VLAN 100 when blue, a guest on it, applies."""
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-2")
    await site.network("red", "net")
    await site.call("network.share", project="red", network="net", **{"with": "blue"})
    await site.connect("node-1", "net")
    await site.succeeds("red")
    await site.call("nic.disconnect", node="node-1", nic="eth0")
    held = site.wires["sw1"].hold("^shutdown\r")
    red = await site.begin("red")
    await held.wait()
    await site.connect("node-2", "red/net")
    async with listening(site) as client:
        blue = await site.begin("blue")
        if not (await client.call("job.subscribe", job=blue))["steps"]:
            await client.until(lambda _, event: event["state"] == "running")
    held.release()

    job = await site.finished(red)

    assert job["state"] == "succeeded", job["error"]
    step = step_of(job, "sw1", "vlan.delete", "100")
    assert (step["state"], step["message"]) == ("skipped", "not needed: something uses it now")
    assert (await site.finished(blue))["state"] == "succeeded"
    assert 100 in site.switches["sw1"].running.vlans
    assert (site.carried("node-1"), site.carried("node-2")) == (NOTHING, access(100))


async def released_behind_an_apply(site: SmallSite) -> tuple[Hold, int, int]:
    """Let an apply of the site park node-1, while its release waits for an apply of red's.

    Returns what holds red's job, that job, and the release.
    """
    await site.hold_nodes("red", "node-1", "node-3")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.succeeds("red")
    await site.connect("node-3", "net")
    held = site.wires["sw2"].hold("^interface Gi1/0/2\r")
    red = await site.begin("red")
    await held.wait()
    release = (await site.call("node.release", node="node-1"))["job"]
    assert (await site.apply())["state"] == "succeeded"
    return held, red, release


async def test_a_queued_release_does_not_touch_the_next_holder_of_the_node(
    site: SmallSite,
) -> None:
    """The apply parks the node first, so it is blue's when the release starts."""
    held, red, release = await released_behind_an_apply(site)
    await site.hold_nodes("blue", "node-1")
    await site.network("blue", "secret")
    await site.connect("node-1", "secret")
    held.release()

    await site.finished(red)
    job = await site.finished(release)

    assert job["state"] == "succeeded"
    assert job["steps"] == []  # nothing to do, and nothing to tell red of blue's networks
    assert site.carried("node-1") == NOTHING
    assert states(job, "sw1") == []


async def test_a_release_that_waits_behind_an_apply_does_not_apply_what_is_staged_since(
    site: SmallSite,
) -> None:
    """The node became free, and its old holder has allocated it again and staged a network."""
    held, red, release = await released_behind_an_apply(site)
    await site.hold_nodes("red", "node-1")
    await site.connect("node-1", "net")
    held.release()

    await site.finished(red)
    job = await site.finished(release)

    assert (job["state"], job["steps"]) == ("succeeded", [])
    assert site.carried("node-1") == NOTHING  # what is staged waits for an apply
    nics = (await site.call("node.show", node="node-1"))["nics"]
    assert [nic["state"] for nic in nics if nic["nic"] == "eth0"] == ["staged"]


async def test_a_queued_release_does_not_join_the_release_by_the_next_holder(
    site: SmallSite,
) -> None:
    """Otherwise red's job would show which networks blue's node is on."""
    held, red, release = await released_behind_an_apply(site)
    await site.hold_nodes("blue", "node-1")
    await site.network("blue", "secret")
    await site.connect("node-1", "secret")
    await site.succeeds("blue")
    parking = site.wires["sw1"].hold("^shutdown\r")
    by_blue = (await site.call("node.release", node="node-1"))["job"]
    await parking.wait()
    held.release()

    await site.finished(red)
    job = await site.finished(release)

    assert (job["state"], job["steps"]) == ("succeeded", [])
    parking.release()
    assert (await site.finished(by_blue))["state"] == "succeeded"
    assert site.carried("node-1") == NOTHING


async def test_a_queued_release_of_a_deleted_node_does_not_apply_the_project(
    site: SmallSite,
) -> None:
    held, red, release = await released_behind_an_apply(site)
    await site.call("node.delete", node="node-1")
    await site.call("headnode.create", project="red", headnode="not-yet")
    held.release()

    await site.finished(red)
    job = await site.finished(release)

    assert (job["state"], job["steps"]) == ("succeeded", [])
    assert site.host.domains == {}  # what is staged waits for an apply
