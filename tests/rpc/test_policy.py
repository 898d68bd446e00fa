"""Configuration: BMC nics for tenants, with or without a master, and a changed pool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from haas_rpcd.config import Master, Policy, Vlans
from haas_rpcd.errors import HaasError
from tests.rpc.small_site import Prepared, SmallSite, access, small_site, tagged


@pytest.fixture
async def strict(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """A site where tenants may not connect BMC nics."""
    policy = Policy(tenants_connect_bmc=False)
    async with small_site(tmp_path, prepared, policy=policy) as site:
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        yield site


async def test_only_admins_connect_bmc_nics_if_the_site_requires_it(strict: SmallSite) -> None:
    nic = {"node": "node-1", "nic": "ipmi"}
    for method, params in (("nic.connect", {"network": "net"}), ("nic.disconnect", {})):
        with pytest.raises(HaasError) as caught:
            await strict.tenant("rita").call(method, **nic, **params)
        assert caught.value.kind == "denied"
        assert "lets only admins connect those" in caught.value.message
    await strict.tenant("rita").call("nic.connect", node="node-1", nic="eth0", network="net")
    await strict.connect("node-1", "net", nic="ipmi")
    await strict.succeeds("red")
    assert strict.carried("node-1", "ipmi") == access(100)


async def test_otherwise_a_bmc_nic_is_connected_like_any_other(site: SmallSite) -> None:
    rita = site.tenant("rita")
    await rita.call("node.allocate", project="red", node="node-1")
    made = await rita.call("network.create", project="red", network="net")
    await rita.call("nic.connect", node="node-1", nic="ipmi", network="net")
    await site.succeeds("red")
    assert site.carried("node-1", "ipmi") == access(made["vlan"])


async def test_a_daemon_without_a_master_creates_no_headnodes(
    tmp_path: Path, prepared: Prepared
) -> None:
    async with small_site(tmp_path, prepared, master=None) as site:
        error = await site.refused("headnode.create", project="red", headnode="head")
        assert error.kind == "unavailable"
        assert "haas.toml has no [master] table. An admin adds it" in error.message
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        await site.succeeds("red")  # everything else works


async def test_a_headnode_created_before_the_master_was_removed(site: SmallSite) -> None:
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.call("headnode.create", project="red", headnode="head")
    await site.call("headnode.connect", project="red", headnode="head", network="net")
    site.settings = msgspec.structs.replace(site.settings, master=None)
    await site.restart()

    error = await site.refused("apply.start", project="red")

    assert error.kind == "unavailable"
    assert "haas.toml has no [master] table" in error.message
    site.settings = msgspec.structs.replace(site.settings, master=Master(trunk_nic="eth0"))
    await site.restart()
    await site.succeeds("red")


async def test_only_listed_images_are_cloned(site: SmallSite) -> None:
    error = await site.refused("headnode.create", project="red", headnode="head", image="other")
    assert error.data["field"] == "image"
    assert "base-headnode ([master] images in haas.toml)" in error.message


async def test_the_next_apply_adds_a_widened_pool_to_the_trunks(
    site: SmallSite,
) -> None:
    trunk = "GigabitEthernet1/0/12"
    site.settings = msgspec.structs.replace(site.settings, vlans=Vlans(pool="100-119"))
    site.watch.on = False  # it only knows the old pool
    await site.restart()
    plan = await site.call("plan.show")
    assert {step["target"] for step in plan["steps"] if step["kind"] == "port.set"} == {
        "Gi1/0/11",
        "Gi1/0/12",
    }
    await site.succeeds()
    assert site.switches["sw1"].running.ports[trunk].allowed == frozenset(range(100, 120))
    assert site.switches["sw1"].carried(trunk) == tagged()
