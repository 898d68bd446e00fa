"""The main job: allocate, network, connect, headnode, apply, move, release."""

from __future__ import annotations

from tests.rpc.small_site import NOTHING, SmallSite, access, register


async def test_an_unconfirmed_node_becomes_free_once_the_site_is_parked(
    empty_site: SmallSite,
) -> None:
    await register(empty_site)
    assert (await empty_site.call("node.show", node="node-1"))["state"] == "unconfirmed"
    job = await empty_site.apply()
    assert job["state"] == "succeeded"
    assert (await empty_site.call("node.show", node="node-1"))["state"] == "free"
    assert empty_site.switches["sw1"].carried("GigabitEthernet1/0/1") == NOTHING
    # the trunk carries the VLANs of the pool that exist, and nothing else, not even VLAN 1
    await empty_site.call("project.show", project="red")
    assert empty_site.switches["sw1"].carried("GigabitEthernet1/0/12") == NOTHING


async def test_a_project_gets_its_nodes_on_its_network_and_a_headnode(site: SmallSite) -> None:
    rita = site.tenant("rita")
    await rita.call("node.allocate", project="red", node="node-1")
    network = await rita.call("network.create", project="red", network="net")
    await rita.call("nic.connect", node="node-1", nic="eth0", network="net")
    await rita.call("headnode.create", project="red", headnode="head")
    await rita.call("headnode.connect", project="red", headnode="head", network="net")
    plan = await rita.call("plan.show", project="red")
    assert [step["kind"] for step in plan["steps"]] == [
        "vlan.create",
        "port.set",
        "bridge.create",
        "headnode.define",
        "headnode.start",
        "config.save",
    ]

    job = await site.finished((await rita.call("apply.start", project="red"))["job"])

    assert job["state"] == "succeeded", job["error"]
    assert job["done"] == job["total"] == 6
    assert site.switches["sw1"].carried("GigabitEthernet1/0/2") == access(network["vlan"])
    assert site.switches["sw1"].carried("GigabitEthernet1/0/1") == NOTHING
    head = await rita.call("headnode.show", project="red", headnode="head")
    assert head["state"] == "running"
    assert head["nics"][0]["applied"] == network["vlan"]
    assert (await rita.call("plan.show", project="red"))["empty"]


async def test_a_released_node_is_free_only_after_its_port_is_parked(site: SmallSite) -> None:
    rita = site.tenant("rita")
    await rita.call("node.allocate", project="red", node="node-1")
    await rita.call("network.create", project="red", network="net")
    await rita.call("nic.connect", node="node-1", nic="eth0", network="net")
    await site.apply("red")

    released = await rita.call("node.release", node="node-1")

    assert released["state"] == "releasing"
    job = await site.finished(released["job"])
    assert job["state"] == "succeeded", job["error"]
    assert site.switches["sw1"].carried("GigabitEthernet1/0/2") == NOTHING
    assert (await site.call("node.show", node="node-1"))["state"] == "free"
