"""A switch that is dead for good does not hold its tenants: an admin retires it.

Until it answers again, and is parked and read, nothing behind it is given away.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from haas_rpcd.config import SwitchSettings
from tests.rpc.small_site import (
    NOTHING,
    Prepared,
    SmallSite,
    access,
    small_site,
    states,
    step_of,
)

pytestmark = pytest.mark.slow


@pytest.fixture
async def joined(site: SmallSite) -> SmallSite:
    """Red's node-1 (on sw1) and node-3 (on sw2) are on VLAN 100."""
    await site.hold_nodes("red", "node-1", "node-3")
    assert await site.network("red", "net") == 100
    for node in ("node-1", "node-3"):
        await site.connect(node, "net")
    await site.succeeds("red")
    return site


def die(site: SmallSite, switch: str) -> None:
    """The switch answers nobody any more; what it carries stays."""
    site.switches[switch].faults.refuse_connections = True


def come_back(site: SmallSite, switch: str) -> None:
    site.switches[switch].faults.refuse_connections = False


async def dead(site: SmallSite, *switches: str) -> None:
    """Let switches die between two sessions."""
    for switch in switches:
        die(site, switch)
    await site.restart()  # no session is kept


async def state_of(site: SmallSite, node: str) -> str:
    return str((await site.call("node.show", node=node))["state"])


async def test_a_release_that_waits_for_a_dead_switch_ends_when_it_is_retired(
    joined: SmallSite,
) -> None:
    site = joined
    await dead(site, "sw1")
    job = await site.finished((await site.call("node.release", node="node-1"))["job"])
    assert job["state"] == "failed"
    assert await state_of(site, "node-1") == "releasing"

    shown = await site.call("switch.retire", switch="sw1")
    assert shown["retired"].startswith("20")
    assert (await site.call("switch.show", switch="sw1"))["retired"] == shown["retired"]
    node = await site.call("node.show", node="node-1")
    assert (node["state"], node["project"]) == ("unconfirmed", None)
    error = await site.refused("node.allocate", project="blue", node="node-1")
    assert error.kind == "conflict"
    assert "its switch sw1 is retired" in error.message
    assert "switch reinstate sw1" in error.message
    free = await site.call("node.list", free=True)
    assert [node["node"] for node in free["items"]] == ["node-4"]  # node-2 is on sw1 as well

    audit = await site.call("audit.list")
    assert "switch.retire" in [record["method"] for record in audit["items"]]

    come_back(site, "sw1")
    assert site.carried("node-1") == access(100)  # it was alive all the time
    back = await site.call("switch.reinstate", switch="sw1")
    assert back["retired"] is None
    assert site.carried("node-1") == NOTHING
    assert await state_of(site, "node-1") == "free"
    await site.call("node.allocate", project="blue", node="node-1")


async def test_a_node_on_two_switches_waits_for_the_one_that_lives(site: SmallSite) -> None:
    nics = [
        {"nic": f"eth{number}", "switch": switch, "port": "Gi1/0/5"}
        for number, switch in enumerate(("sw1", "sw2"))
    ]
    await site.call("node.register", node="both", nics=nics)
    await site.succeeds()
    await site.hold_nodes("red", "both")
    await site.network("red", "net")
    for nic in ("eth0", "eth1"):
        await site.connect("both", "net", nic=nic)
    await site.succeeds("red")
    await dead(site, "sw1", "sw2")
    await site.finished((await site.call("node.release", node="both"))["job"])

    await site.call("switch.retire", switch="sw1")
    assert await state_of(site, "both") == "releasing"
    site.switches["sw2"].faults.refuse_connections = False
    job = await site.finished((await site.call("node.release", node="both"))["job"])
    assert job["state"] == "succeeded"
    assert {step["device"] for step in job["steps"]} == {"sw2"}
    assert site.switches["sw2"].carried("GigabitEthernet1/0/5") == NOTHING
    node = await site.call("node.show", node="both")
    assert (node["state"], node["project"]) == ("unconfirmed", None)


async def test_a_vlan_id_that_a_retired_switch_may_carry_is_not_given_away(
    joined: SmallSite,
) -> None:
    site = joined
    await dead(site, "sw1")
    await site.call("switch.retire", switch="sw1")
    for node in ("node-1", "node-3"):
        await site.call("nic.disconnect", node=node, nic="eth0")
        released = await site.call("node.release", node=node)
        if released.get("job"):
            await site.finished(released["job"])
    await site.call("network.delete", project="red", network="net")
    await site.succeeds("red")
    assert await state_of(site, "node-3") == "free"
    taken = await site.refused("network.create", project="blue", network="own", vlan=100)
    assert taken.kind == "conflict"

    come_back(site, "sw1")
    await site.call("switch.reinstate", switch="sw1")
    await site.succeeds()
    await site.call("network.create", project="blue", network="own", vlan=100)


async def test_no_plan_and_no_check_asks_a_retired_switch(joined: SmallSite) -> None:
    site = joined
    await dead(site, "sw1")
    await site.call("switch.retire", switch="sw1")
    lines = len(site.switches["sw1"].lines)
    come_back(site, "sw1")

    await site.call("nic.disconnect", node="node-1", nic="eth0")
    await site.connect("node-3", "net")
    await site.succeeds("red")
    await site.succeeds()
    report = await site.call("drift.check")
    assert "sw1" not in report["checked"]
    assert report["unreachable"] == []
    asked = await site.call("drift.check", switch="sw1")
    assert "sw1 is retired" in asked["unreachable"][0]["message"]
    health = await site.call("system.health")
    assert not any("sw1" in problem for problem in health["problems"])
    assert len(site.switches["sw1"].lines) == lines

    probed = await site.call("switch.probe", switch="sw1")  # reads, and believes nothing
    assert probed["reachable"]
    adopted = await site.refused("switch.probe", switch="sw1", adopt=True)
    assert adopted.kind == "conflict"


async def test_a_job_that_hangs_on_the_switch_ends_at_once(
    tmp_path: Path, prepared: Prepared
) -> None:
    patient = SwitchSettings(answer_timeout=600.0, busy_timeout=0.0)
    async with small_site(tmp_path, prepared, switches=patient) as site:
        await site.hold_nodes("red", "node-1", "node-3")
        await site.network("red", "net")
        for node in ("node-1", "node-3"):
            await site.connect(node, "net")
        held = site.wires["sw1"].hold("^switchport access vlan 100\r")
        job = await site.begin("red")
        await held.wait()
        await site.call("switch.retire", switch="sw1")
        found = await site.finished(job)
        assert found["state"] == "failed"
        assert found["error"].startswith("Switch sw1 is retired")
        assert step_of(found, "sw2", "port.set", "Gi1/0/2")["state"] == "done"
        # What was on its way may have arrived:
        assert await site.rows("SELECT 1 FROM port_may_change")

        held = site.wires["sw2"].hold("^shutdown\r")
        release = await site.call("node.release", node="node-3")
        await held.wait()
        await site.call("switch.retire", switch="sw2")
        found = await site.finished(release["job"])
        assert found["state"] == "succeeded"
        assert set(states(found, "sw2")) == {"skipped"}
        assert await state_of(site, "node-3") == "unconfirmed"
        site.watch.close()  # sw2 was shutting the port of a node that is nobody's now


async def test_a_held_node_is_set_again_by_its_projects_next_apply(joined: SmallSite) -> None:
    site = joined
    await dead(site, "sw1")
    await site.call("switch.retire", switch="sw1")
    assert (await site.call("plan.show", project="red"))["empty"]
    come_back(site, "sw1")
    await site.call("switch.reinstate", switch="sw1")
    assert site.carried("node-1") == NOTHING
    assert not (await site.call("plan.show", project="red"))["empty"]
    await site.succeeds("red")
    assert site.carried("node-1") == access(100)


async def test_it_stays_retired_until_it_was_read(joined: SmallSite) -> None:
    """While it does not answer, refuses to shut a port, or the daemon dies in the middle."""
    site = joined
    await dead(site, "sw1")
    await site.call("switch.retire", switch="sw1")
    await site.restart()
    assert (await site.refused("switch.reinstate", switch="sw1")).kind == "device"

    come_back(site, "sw1")
    site.switches["sw1"].faults.refuse = {"^shutdown": "% Command rejected"}
    assert (await site.refused("switch.reinstate", switch="sw1")).kind == "device"
    site.switches["sw1"].faults.refuse = {}
    held = site.wires["sw1"].hold("^shutdown\r")
    call = asyncio.create_task(site.call("switch.reinstate", switch="sw1"))
    await held.wait()
    await site.stop()
    await asyncio.wait({call})
    call.exception()
    held.release()
    await site.start()
    assert (await site.call("switch.show", switch="sw1"))["retired"] is not None
    assert await state_of(site, "node-2") == "unconfirmed"
    await site.call("switch.reinstate", switch="sw1")
    assert await state_of(site, "node-2") == "free"
    error = await site.refused("switch.reinstate", switch="sw1")
    assert error.message == "Switch sw1 is not retired."


async def test_another_switch_in_its_place_is_not_taken_back(joined: SmallSite) -> None:
    site = joined
    await dead(site, "sw1")
    await site.call("switch.retire", switch="sw1")
    come_back(site, "sw1")
    switch = site.switches["sw1"]
    switch.chassis = replace(switch.chassis, serial="FOC0000TEST")
    error = await site.refused("switch.reinstate", switch="sw1")
    assert "Another switch answers at the address of sw1" in error.message
    await site.call("switch.probe", switch="sw1", accept=True)
    assert (await site.call("switch.reinstate", switch="sw1"))["retired"] is None


async def test_one_that_is_gone_for_good_can_be_deleted(joined: SmallSite) -> None:
    """Once no nic is behind it. By force, as nobody can see what it carries."""
    site = joined
    await dead(site, "sw1")
    await site.call("switch.retire", switch="sw1")
    await site.call("nic.disconnect", node="node-1", nic="eth0")
    await site.call("node.release", node="node-1")
    for node in ("node-1", "node-2"):
        for nic in ("ipmi", "eth0"):
            await site.call("nic.delete", node=node, nic=nic)
    error = await site.refused("switch.delete", switch="sw1")
    assert error.kind == "conflict"
    await site.call("switch.delete", switch="sw1", force=True)
    assert await state_of(site, "node-1") == "free"


async def test_only_an_admin_retires(joined: SmallSite) -> None:
    for method in ("switch.retire", "switch.reinstate"):
        with pytest.raises(Exception, match="admin"):
            await joined.tenant("rita").call(method, switch="sw1")
