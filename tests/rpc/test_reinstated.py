"""Hypervisors that are taken back: nothing that they did meanwhile is believed unread."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_rpcd.model import HeadnodeNic
from haas_rpcd.sim.host import SimDomain
from tests.rpc.small_site import Prepared, SmallSite, small_site
from tests.rpc.test_hypervisors import HV2, becomes, headnode_on, hv2, state
from tests.rpc.test_reboot import until

pytestmark = pytest.mark.slow

THERE = {"project": "red", "headnode": "there"}


@pytest.fixture
async def retired(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """A site whose hypervisor hv2, with the headnode red/there, was retired, and answers again."""
    async with small_site(tmp_path, prepared) as site:
        await site.call("hypervisor.register", **HV2)
        await site.network("red", "net")
        await headnode_on(site, "master", "here")
        await headnode_on(site, "hv2", "there")
        await site.succeeds("red")
        hv2(site).die()
        await becomes(site, "there", "unknown")
        await site.call("hypervisor.retire", hypervisor="hv2", force=True)
        hv2(site).come_back()
        yield site


async def reinstate(site: SmallSite) -> list[str]:
    """Take hv2 back; return the headnodes that were removed from it."""
    done = await site.call("hypervisor.reinstate", hypervisor="hv2")
    return list(done["removed"])


async def test_a_hypervisor_that_is_as_it_was_is_in_service_at_once(retired: SmallSite) -> None:
    assert await reinstate(retired) == []
    assert await state(retired, "there") == "running"
    shown = await retired.call("hypervisor.show", hypervisor="hv2")
    assert (shown["retired"], shown["libvirt"], shown["drift"]) == (None, True, 0)
    assert (await retired.call("plan.show", project="red"))["empty"]
    refusal = await retired.refused("hypervisor.reinstate", hypervisor="hv2")
    assert "is not retired" in refusal.message


async def test_a_headnode_that_was_moved_away_runs_only_where_it_is_now(
    retired: SmallSite,
) -> None:
    await retired.call("headnode.move", **THERE, hypervisor="master")
    await retired.succeeds("red")
    assert hv2(retired).domain("red/there").running, "it has the same MACs as the new one"

    assert await reinstate(retired) == ["red/there"]

    assert hv2(retired).domains == {}
    assert retired.host.domain("red/there").running
    assert await state(retired, "there") == "running"


async def test_a_headnode_that_was_moved_and_deleted_is_removed_as_well(
    retired: SmallSite,
) -> None:
    await retired.call("headnode.move", **THERE, hypervisor="master")
    await retired.succeeds("red")
    await retired.call("headnode.delete", **THERE)
    await retired.succeeds("red")
    assert await reinstate(retired) == ["red/there"]
    assert hv2(retired).domains == {}


async def test_a_headnode_that_was_deleted_goes_with_the_next_apply(retired: SmallSite) -> None:
    await retired.call("headnode.delete", **THERE)
    await retired.succeeds("red")
    assert await reinstate(retired) == []
    assert await state(retired, "there") == "deleting"
    await retired.succeeds("red")
    assert hv2(retired).domains == {}
    assert hv2(retired).bridges == set()


async def test_a_hypervisor_with_machines_that_nobody_knows_stays_retired(
    retired: SmallSite,
) -> None:
    host = hv2(retired)
    uuid = "5d1c1ec8-7c41-4f0b-a5ad-08a7b40a1e55"
    host.domains[uuid] = SimDomain("green/lost", uuid, "base-headnode")
    refusal = await retired.refused("hypervisor.reinstate", hypervisor="hv2")
    assert "green/lost" in refusal.message
    assert uuid in refusal.message
    assert host.domain("green/lost"), "nothing of a stranger is removed"
    assert (await retired.call("hypervisor.show", hypervisor="hv2"))["retired"]

    del host.domains[uuid]
    assert await reinstate(retired) == []


async def test_a_hypervisor_that_does_not_answer_stays_retired(retired: SmallSite) -> None:
    hv2(retired).stop_libvirt()
    refusal = await retired.refused("hypervisor.reinstate", hypervisor="hv2")
    assert refusal.kind == "device"
    assert (await retired.call("hypervisor.show", hypervisor="hv2"))["retired"]
    assert await state(retired, "there") == "unknown"


async def test_an_id_of_a_vlan_is_free_once_the_hypervisor_shows_that_it_is_gone(
    retired: SmallSite,
) -> None:
    for name in ("here", "there"):
        await retired.call("headnode.delete", project="red", headnode=name)
    await retired.call("network.delete", project="red", network="net")
    await retired.succeeds("red")
    await retired.succeeds()
    claimed = "SELECT vlan FROM vlan_claim"
    assert await retired.rows(claimed) == [(100,)]

    await reinstate(retired)
    assert await retired.rows(claimed) == [(100,)], "its bridge is there still"
    await retired.succeeds("red")
    await retired.succeeds()
    assert hv2(retired).bridges == set()
    assert await retired.rows(claimed) == []


async def test_an_id_of_a_vlan_is_free_at_once_if_the_hypervisor_lost_it(
    retired: SmallSite,
) -> None:
    await retired.call("headnode.move", **THERE, hypervisor="master")
    for name in ("here", "there"):
        await retired.call("headnode.delete", project="red", headnode=name)
    await retired.call("network.delete", project="red", network="net")
    await retired.succeeds("red")
    await retired.succeeds()
    hv2(retired).reboot()
    await reinstate(retired)
    assert await retired.rows("SELECT vlan FROM vlan_claim") == []


async def test_a_headnode_is_taken_off_a_network_that_is_not_its_projects(
    retired: SmallSite,
) -> None:
    domain = hv2(retired).domain("red/there")
    [nic] = domain.nics
    foreign = HeadnodeNic("nic9", "52:54:00:99:99:99", 150)
    domain.nics = domain.live = (nic, foreign)
    await reinstate(retired)
    assert domain.nics == (nic,)
    assert await state(retired, "there") == "running"


async def test_what_a_reboot_took_meanwhile_comes_back(retired: SmallSite) -> None:
    hv2(retired).reboot()
    await reinstate(retired)

    async def is_back() -> bool:
        return hv2(retired).bridges == {100} and await state(retired, "there") == "running"

    await until(is_back)
