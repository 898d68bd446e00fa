"""Power as a step of an apply and of a release, against ipmi_sim."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.config import Credential, Policy
from haas_rpcd.errors import HaasError
from tests.rpc.bmcs import PASSWORD, USER, IpmiSim, ipmi_sim
from tests.rpc.small_site import Prepared, SmallSite, access, small_site, step_of

pytestmark = pytest.mark.slow

QUICK = BmcSettings(answer_timeout=5.0, settle_timeout=1.0)


@pytest.fixture
async def bmc(tmp_path: Path) -> AsyncIterator[IpmiSim]:
    async with ipmi_sim(tmp_path / "bmc") as bmc:
        yield bmc


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared, bmc: IpmiSim) -> AsyncIterator[SmallSite]:
    """Red holds node-1, and wants it on its network. A node that is released has to be off."""
    policy = Policy(power_off_on_release=True)
    async with small_site(tmp_path, prepared, bmc=QUICK, policy=policy) as site:
        site.credentials["node-1"] = Credential(username=USER, password=PASSWORD)
        await site.call("bmc.set", node="node-1", **bmc.params)
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        yield site


def power_of(node: dict[str, Any]) -> tuple[str | None, str | None]:
    return node["power"], node["power_staged"]


async def test_an_apply_sets_the_ports_and_then_switches_the_node_on(
    site: SmallSite, bmc: IpmiSim
) -> None:
    rita = site.tenant("rita")
    staged = await rita.call("node.set", node="node-1", power="on", boot="pxe")
    assert power_of(staged) == (None, "on")
    plan = await rita.call("plan.show", project="red")
    assert plan["steps"][-1] == {
        "device": "bmc:node-1", "kind": "node.power", "target": "node-1",
        "summary": "switch node-1 on, to boot from pxe",
        "lines": ["boot pxe once", "power on"],
    }  # fmt: skip
    assert bmc.log == []
    job = await site.succeeds("red")
    assert [step["state"] for step in job["steps"]] == ["done"] * len(job["steps"])
    assert (bmc.power, bmc.boot) == ("on", "pxe")
    assert power_of(await rita.call("node.show", node="node-1")) == ("on", None)

    await rita.call("node.set", node="node-1", power="off")
    await rita.call("node.set", node="node-1", power="keep")
    assert (await rita.call("plan.show", project="red"))["empty"]


async def test_a_node_is_not_switched_on_while_its_port_is_not_as_planned(
    site: SmallSite, bmc: IpmiSim
) -> None:
    await site.call("node.set", node="node-1", power="on")
    await site.switches["sw1"].stop()
    job = await site.apply("red")
    assert job["state"] == "failed"
    assert step_of(job, "bmc:node-1", "node.power")["state"] == "skipped"
    assert bmc.log == []
    await site.switches["sw1"].start()


async def test_a_step_that_fails_stays_staged_and_says_why(site: SmallSite, bmc: IpmiSim) -> None:
    bmc.lie()
    rita = site.tenant("rita")
    await rita.call("node.set", node="node-1", power="on")
    job = await site.apply("red")
    sentence = "node-1's BMC accepted power on, but the node is still off after 1 s."
    assert (job["state"], job["error"]) == ("failed", f"bmc:node-1: {sentence}")
    assert site.carried("node-1") == access(100)
    told = await rita.call("job.show", job=job["job"])
    assert told["error"] == job["error"], "it holds nothing that is for admins"
    assert power_of(await rita.call("node.show", node="node-1")) == ("off", "on")

    await site.call("bmc.delete", node="node-1")
    job = await site.apply("red")
    assert "has no BMC that HaaS knows" in job["error"]


async def test_who_may_stage_what(site: SmallSite) -> None:
    rita = site.tenant("rita")
    for params, why in (
        ({}, "name one of them"),
        ({"power": "off", "boot": "pxe"}, "boot: goes with power on"),
        ({"tags": ["gpu"]}, "only an admin may set them"),
    ):
        with pytest.raises(HaasError, match=why):
            await rita.call("node.set", node="node-1", **params)
    with pytest.raises(HaasError, match="only an admin may use its BMC"):
        await rita.call("node.set", node="node-2", power="on")
    with pytest.raises(HaasError, match="There is no node node-1"):
        await site.tenant("bob").call("node.set", node="node-1", power="on")
    assert "has no BMC" in (await site.refused("node.set", node="node-2", power="on")).message
    tagged = await site.call("node.set", node="node-2", tags=["gpu", "fast"])
    assert tagged["tags"] == ["fast", "gpu"]


async def test_an_admin_s_apply_of_the_site_switches_free_nodes(
    site: SmallSite, bmc: IpmiSim
) -> None:
    await site.call("bmc.delete", node="node-1")
    await site.call("bmc.set", node="node-2", credential="node-1", **bmc.params)
    await site.call("node.set", node="node-2", power="on")
    await site.succeeds("red")
    assert bmc.power == "off", "node-2 is not red's"
    await site.succeeds()
    assert bmc.power == "on"


async def test_a_released_node_is_off(site: SmallSite, bmc: IpmiSim) -> None:
    await site.call("node.set", node="node-1", power="on")
    await site.succeeds("red")
    await site.call("node.set", node="node-1", power="on", boot="pxe")  # gone with the release
    released = await site.tenant("rita").call("node.release", node="node-1")
    job = await site.finished(released["job"])
    assert job["state"] == "succeeded", job["error"]
    assert bmc.power == "off"
    node = await site.call("node.show", node="node-1")
    assert (node["state"], node["power"], node["power_staged"]) == ("free", "off", None)


async def test_a_node_that_stays_on_says_so_until_an_admin_frees_it(
    site: SmallSite, bmc: IpmiSim
) -> None:
    await site.call("node.set", node="node-1", power="on")
    await site.succeeds("red")
    bmc.lie()
    rita = site.tenant("rita")
    for _ in range(2):  # releasing it again tries again
        job = await site.finished((await rita.call("node.release", node="node-1"))["job"])
        assert job["state"] == "failed"
        assert "the node is still on" in job["error"]
        node = await rita.call("node.show", node="node-1")
        assert (node["state"], node["power"]) == ("releasing", "on")
        assert node["waiting"] == "its BMC has not confirmed that it is off"
        assert site.carried("node-1").untagged is None, "its ports are parked all the same"
    with pytest.raises(HaasError, match="only an admin"):
        await rita.call("node.release", node="node-1", leave_on=True)
    freed = await site.call("node.release", node="node-1", leave_on=True)
    assert freed["state"] == "free"


async def test_a_restart_while_a_node_is_switched_leaves_it_staged_or_done(
    site: SmallSite, bmc: IpmiSim
) -> None:
    site.daemon.power.settings = BmcSettings()
    bmc.lie()
    await site.call("node.set", node="node-1", power="on")
    number = await site.begin("red")
    while "power 1" not in bmc.log:
        await site.call("job.wait", job=number, timeout=0.1)
    (bmc.folder / "lies").unlink()
    await site.restart()
    job = await site.finished(number)
    assert job["state"] == "succeeded", job["error"]
    assert bmc.power == "on"
    assert (await site.call("plan.show", project="red"))["empty"]
