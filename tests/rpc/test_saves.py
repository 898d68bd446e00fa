"""Saves that fail: what a power cut could bring back is neither free nor forgotten.

A switch that loses its power starts with the configuration that it saved last. Until a release or
the removal of a VLAN is saved, the next tenant must get neither the node nor the VLAN id.
"""

from __future__ import annotations

import pytest

from haas_rpcd.sim.ios import NVRAM_BUSY
from tests.rpc.listening import listening
from tests.rpc.small_site import NOTHING, RpcError, SmallSite, access, states, step_of

pytestmark = pytest.mark.slow

PORT = "GigabitEthernet1/0/2"
"""Where node-1 is plugged in, on sw1."""


@pytest.fixture
async def in_use(site: SmallSite) -> SmallSite:
    """Red's node-1 is on its network, VLAN 100. From now on sw1 refuses to save."""
    await site.hold_nodes("red", "node-1")
    assert await site.network("red", "net") == 100
    await site.connect("node-1", "net")
    await site.succeeds("red")
    site.switches["sw1"].faults.save_error = NVRAM_BUSY
    return site


@pytest.fixture
async def releasing(in_use: SmallSite) -> SmallSite:
    """Red has released node-1; its port is parked, but not saved."""
    released = await in_use.call("node.release", node="node-1")
    assert (await in_use.finished(released["job"]))["state"] == "failed"
    assert in_use.carried("node-1") == NOTHING
    assert in_use.switches["sw1"].startup.ports[PORT].access_vlan == 100
    return in_use


async def state(site: SmallSite, node: str = "node-1") -> str:
    return str((await site.call("node.show", node=node))["state"])


async def refused_to_blue(site: SmallSite) -> RpcError:
    return await site.refused("node.allocate", project="blue", node="node-1")


async def saves_planned(site: SmallSite, project: str | None = None) -> list[str]:
    plan = await site.call("plan.show", project=project)
    return [step["device"] for step in plan["steps"] if step["kind"] == "config.save"]


# --- nodes ----------------------------------------------------------------------------------------


async def test_a_node_is_not_free_before_its_switch_has_saved_that(releasing: SmallSite) -> None:
    assert await state(releasing) == "releasing"
    assert "being released" in (await refused_to_blue(releasing)).message
    assert await saves_planned(releasing) == ["sw1"]
    assert (await releasing.call("switch.show", switch="sw1"))["unsaved"]

    releasing.switches["sw1"].faults.save_error = None
    await releasing.succeeds()

    assert await state(releasing) == "free"
    assert not (await releasing.call("switch.show", switch="sw1"))["unsaved"]
    await releasing.call("node.allocate", project="blue", node="node-1")


async def test_a_power_cut_brings_the_port_back_on_the_same_tenant_s_network(
    releasing: SmallSite,
) -> None:
    """It may be on that network: the node is still its project's."""
    await releasing.sql("UPDATE switch SET uptime = uptime + 3600")  # it has been up for an hour
    releasing.switches["sw1"].reload()
    assert releasing.carried("node-1") == access(100)
    assert await state(releasing) == "releasing"
    await releasing.call("drift.check", switch="sw1")  # the restart is noticed; the port is shut
    assert releasing.carried("node-1") == NOTHING
    assert await state(releasing) == "releasing"


async def test_releasing_again_saves_again(releasing: SmallSite) -> None:
    again = await releasing.call("node.release", node="node-1")
    assert again["state"] == "releasing"
    releasing.switches["sw1"].faults.save_error = None
    job = await releasing.finished(again["job"])
    assert [step["kind"] for step in job["steps"]] == ["config.save"]
    assert await state(releasing) == "free"


async def test_another_project_s_job_on_the_switch_saves_for_all(releasing: SmallSite) -> None:
    releasing.switches["sw1"].faults.save_error = None
    await releasing.hold_nodes("blue", "node-2")
    await releasing.network("blue", "own")
    await releasing.connect("node-2", "own")
    await releasing.succeeds("blue")
    assert await state(releasing) == "free"
    assert await saves_planned(releasing, "red") == []


async def test_the_check_for_drift_makes_a_save_that_failed(releasing: SmallSite) -> None:
    switch = releasing.switches["sw1"]
    report = await releasing.call("drift.check")
    assert (report["unreachable"], report["items"]) == ([], [])
    assert await state(releasing) == "releasing"

    switch.faults.save_error = None
    await releasing.call("drift.check")

    assert await state(releasing) == "free"
    assert switch.startup.ports[PORT].shutdown
    assert not switch.modified


async def test_a_switch_that_drifted_is_not_saved_by_the_check(releasing: SmallSite) -> None:
    """What somebody changed by hand would be saved along."""
    releasing.watch.on = False
    switch = releasing.switches["sw1"]
    setting = switch.running.ports["GigabitEthernet1/0/4"]
    setting.shutdown, setting.mode, setting.access_vlan = False, "access", 900
    switch.touch("GigabitEthernet1/0/4")
    switch.settle()
    switch.faults.save_error = None
    saves = switch.counters.saves
    await releasing.call("drift.check")
    assert switch.counters.saves == saves
    assert await state(releasing) == "releasing"


async def test_a_failed_save_outlives_the_daemon(releasing: SmallSite) -> None:
    await releasing.restart()
    assert await state(releasing) == "releasing"
    releasing.switches["sw1"].faults.save_error = None
    await releasing.succeeds()
    assert await state(releasing) == "free"


# --- VLAN ids -------------------------------------------------------------------------------------


async def test_a_vlan_id_is_not_free_before_every_switch_has_saved_that_it_is_gone(
    in_use: SmallSite,
) -> None:
    await in_use.call("nic.disconnect", node="node-1", nic="eth0", network="net")
    await in_use.call("network.delete", project="red", network="net")
    job = await in_use.apply("red")
    assert step_of(job, "sw1", "vlan.delete")["state"] == "done"
    assert step_of(job, "sw1", "config.save")["state"] == "failed"
    error = await in_use.refused("network.create", project="blue", network="own", vlan=100)
    assert "not every device has confirmed that it is gone" in error.message
    assert await in_use.network("blue", "other") == 101

    in_use.switches["sw1"].faults.save_error = None
    await in_use.succeeds("red")
    await in_use.call("network.create", project="blue", network="own", vlan=100)


async def test_the_id_of_a_vlan_that_a_port_left_is_not_free_before_that_is_saved(
    in_use: SmallSite,
) -> None:
    """The port is red's, and stays so; its old VLAN would be blue's."""
    assert await in_use.network("red", "second") == 101
    await in_use.connect("node-1", "second")
    job = await in_use.apply("red")
    assert states(job, "sw1")[-1] == "failed"
    assert in_use.carried("node-1") == access(101)
    await in_use.call("network.delete", project="red", network="net")
    await in_use.apply("red")
    error = await in_use.refused("network.create", project="blue", network="own", vlan=100)
    assert "not every device has confirmed" in error.message


async def test_the_site_makes_the_outstanding_save_of_a_deleted_project(
    releasing: SmallSite,
) -> None:
    site = releasing
    await site.call("nic.delete", node="node-1", nic="eth0")  # nothing is behind the port now
    assert await state(site) == "free"
    await site.call("network.delete", project="red", network="net")
    await site.call("project.delete", project="red")
    await site.call("project.create", project="red")  # another project of the same name
    assert await site.network("red", "first") == 101
    site.switches["sw1"].faults.save_error = None

    assert (await site.call("plan.show", project="red"))["empty"]
    assert await saves_planned(site) == ["sw1"]
    await site.succeeds()
    assert not site.switches["sw1"].modified
    assert await site.network("blue", "own") == 100


async def test_a_share_does_not_end_before_the_guest_s_switch_has_saved_that_it_left(
    in_use: SmallSite,
) -> None:
    site = in_use
    site.switches["sw1"].faults.save_error = None
    await site.call("network.share", project="red", network="net", **{"with": "blue"})
    await site.hold_nodes("blue", "node-2")
    await site.call("nic.connect", node="node-2", nic="eth0", network="red/net")
    await site.succeeds("blue")
    site.switches["sw1"].faults.save_error = NVRAM_BUSY
    await site.call("nic.disconnect", node="node-2", nic="eth0")
    assert (await site.apply("blue"))["state"] == "failed"

    unshare = {"project": "red", "network": "net", "with": "blue"}
    ending = await site.call("network.unshare", **unshare)
    assert ending["ending_with"] == ["blue"]
    assert (await site.finished(ending["job"]))["state"] == "failed"
    site.switches["sw1"].faults.save_error = None
    await site.succeeds("blue")
    shown = await site.call("network.show", project="red", network="net")
    assert (shown["shared_with"], shown["ending_with"]) == ([], [])


async def test_a_save_that_was_claimed_but_not_kept_is_noticed_at_the_next_restart(
    site: SmallSite, caplog: pytest.LogCaptureFixture
) -> None:
    switch = site.switches["sw1"]
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    older = switch.startup.copy()
    await site.succeeds("red")
    switch.startup = older
    await site.sql("UPDATE switch SET uptime = uptime + 3600")  # it has been up for an hour
    switch.reload()

    saves = switch.counters.saves
    async with listening(site) as client:
        await client.call("events.subscribe")
        await site.call("drift.check", switch="sw1")
        await client.until(lambda _, event: event.get("verb") == "save-lost")
        await client.until(
            lambda _, event: event.get("noun") == "job" and event["verb"] == "succeeded"
        )
    assert "sw1 did not keep over its restart what it had said to have saved, on Gi1/0/2" in (
        caplog.text
    )
    assert site.carried("node-1") == access(100)
    assert switch.counters.saves > saves
    assert not switch.modified
