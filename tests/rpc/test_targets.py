"""An apply of one node, or of what is on one network: all else of the project stays staged."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.rpc.small_site import NOTHING, RpcError, SmallSite, access


@pytest.fixture
async def staged(site: SmallSite) -> AsyncIterator[SmallSite]:
    """Red has staged node-1 and a headnode on the network one, node-2 and node-3 on two."""
    await site.hold_nodes("red", "node-1", "node-2", "node-3")
    await site.network("red", "one")
    await site.network("red", "two")
    await site.connect("node-1", "one")
    await site.connect("node-2", "two")
    await site.connect("node-3", "two")
    await site.call("headnode.create", project="red", headnode="head")
    await site.call("headnode.connect", project="red", headnode="head", network="one", nic="eth0")
    yield site


async def test_only_the_node_is_applied_with_the_vlan_that_it_needs(staged: SmallSite) -> None:
    plan = await staged.call("plan.show", project="red", target="node-2")
    assert [(step["device"], step["summary"]) for step in plan["steps"]] == [
        ("sw1", "make VLAN 101 (red/two)"),
        ("sw1", "set Gi1/0/4 (node-2:eth0) to access 101"),
        ("sw1", "save sw1's configuration"),
    ]
    job = await staged.apply("red", target="node-2", digest=plan["digest"])
    assert (job["state"], job["target"], job["total"]) == ("succeeded", "node-2", 3)
    assert staged.carried("node-2") == access(101)
    assert (staged.carried("node-1"), staged.carried("node-3")) == (NOTHING, NOTHING)
    assert (await staged.call("plan.show", project="red", target="node-2"))["empty"]

    rest = await staged.call("plan.show", project="red")
    assert not any("node-2" in step["summary"] for step in rest["steps"])
    await staged.succeeds("red")
    assert (staged.carried("node-1"), staged.carried("node-3")) == (access(100), access(101))


async def test_a_network_brings_its_nodes_its_headnodes_and_its_bridge(staged: SmallSite) -> None:
    job = await staged.apply("red", target="one")
    assert job["state"] == "succeeded", job["error"]
    assert staged.carried("node-1") == access(100)
    assert (staged.carried("node-2"), staged.carried("node-3")) == (NOTHING, NOTHING)
    head = await staged.call("headnode.show", project="red", headnode="head")
    assert head["nics"][0]["applied"] == 100
    assert (await staged.call("plan.show", project="red", target="one"))["empty"]
    assert not (await staged.call("plan.show", project="red"))["empty"]


async def test_what_leaves_a_network_belongs_to_it_too(staged: SmallSite) -> None:
    await staged.succeeds("red")
    await staged.call("nic.disconnect", node="node-2", nic="eth0")
    await staged.connect("node-1", "two")  # it leaves one for two
    await staged.apply("red", target="two")
    assert (staged.carried("node-1"), staged.carried("node-2")) == (access(101), NOTHING)
    assert staged.carried("node-3") == access(101)
    assert (await staged.call("plan.show", project="red", target="two"))["empty"]


async def test_a_part_that_is_not_confirmed_goes_back_and_the_rest_stays_staged(
    staged: SmallSite,
) -> None:
    job = await staged.apply("red", target="node-2", confirm=60)
    assert staged.carried("node-2") == access(101)
    await staged.sql("UPDATE confirm SET boot = NULL, deadline = 1")
    await staged.daemon.engine.take_back_unconfirmed()
    back = (await staged.call("job.show", job=job["job"]))["confirm"]["reverted_by"]
    ended = await staged.finished(back)
    assert (ended["state"], ended["target"]) == ("succeeded", "node-2")
    assert staged.carried("node-2") == NOTHING
    node = await staged.call("node.show", node="node-1")
    assert [net["network"] for nic in node["nics"] for net in nic["networks"]] == ["one"]
    assert staged.carried("node-1") == NOTHING  # staged, and not applied by that


async def test_a_name_that_is_both_needs_its_kind(staged: SmallSite) -> None:
    await staged.network("red", "node-1")
    both = await staged.refused("plan.show", project="red", target="node-1")
    assert both.message == (
        "node-1 is both a node and a network of project red: say  node:node-1  or  network:node-1"
    )
    plan = await staged.call("plan.show", project="red", target="node:node-1")
    assert any("node-1:eth0" in step["summary"] for step in plan["steps"])
    assert (await staged.call("plan.show", project="red", target="network:node-1"))["empty"]


async def test_anothers_node_is_as_unknown_as_one_that_does_not_exist(staged: SmallSite) -> None:
    await staged.hold_nodes("blue", "node-4")
    rita = staged.tenant("rita")
    said = []
    for name in ("node-4", "nothing"):
        with pytest.raises(Exception, match=f"Project red has no node and no network {name}.") as e:
            await rita.call("apply.start", project="red", target=name)
        said.append(str(e.value).replace(name, "NAME"))
    assert said[0] == said[1]
    with pytest.raises(RpcError, match="target: only a project is applied in parts"):
        await staged.call("apply.start", target="node-1")


async def test_a_target_that_is_gone_when_its_turn_comes_changes_nothing(
    staged: SmallSite,
) -> None:
    await staged.sql(
        "INSERT INTO job (id, place, kind, project_id, project, user, state, created)"
        " SELECT 5, 5, 'apply', id, name, 'root', 'queued', 1 FROM project WHERE name = 'red'"
    )
    await staged.sql("INSERT INTO job_target (job_id, name) VALUES (5, 'gone')")
    await staged.restart()
    job = await staged.finished(5)
    assert (job["state"], job["total"], job["target"]) == ("succeeded", 0, "gone")
    assert staged.carried("node-1") == NOTHING
