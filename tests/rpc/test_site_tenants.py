"""What tenants hold and have staged goes to another site, and two sites' files are merged."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.rpc.small_site import RpcError, SmallSite, small_site


@pytest.fixture
async def second(tmp_path: Path) -> AsyncIterator[SmallSite]:
    """Another daemon with the same switches, and nothing registered."""
    (tmp_path / "second").mkdir()
    async with small_site(tmp_path / "second") as site:
        yield site


async def tenants(site: SmallSite) -> dict[str, Any]:
    """What tenants hold, as the file says it."""
    return tomllib.loads((await site.call("site.export", tenants=True))["site"])["tenants"]


async def moved(site: SmallSite, second: SmallSite) -> str:
    """Register the site's inventory at the second one, park its ports; give the tenants' file."""
    inventory = tomllib.loads((await site.call("site.export"))["site"])
    for name, switch in inventory["switches"].items():
        switch["port"] = second.switches[name].port
    await second.call("site.import", site=inventory)
    job = await second.apply()
    assert job["state"] == "succeeded", job
    return str((await site.call("site.export", tenants=True))["site"])


async def held(site: SmallSite) -> None:
    """Let red share a network with blue; both hold nodes and a headnode, connected to it."""
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-2")
    await site.network("red", "net")
    await site.network("red", "store")
    await site.call("network.share", project="red", network="net", **{"with": "blue"})
    await site.call("nic.connect", node="node-1", nic="eth0", network="net")
    await site.call("nic.connect", node="node-1", nic="eth0", network="store", tagged=True)
    await site.call("nic.connect", node="node-2", nic="eth0", network="red/net")
    await site.call("node.extend", node="node-2", until="2099-01-31T12:00:00Z")
    await site.call("headnode.create", project="blue", headnode="login")
    await site.call("headnode.connect", project="blue", headnode="login", network="red/net")
    await site.call("headnode.stop", project="blue", headnode="login")
    await site.call("project.set_quota", project="blue", nodes=3)


async def test_tenants_move_to_another_site(site: SmallSite, second: SmallSite) -> None:
    await held(site)
    text = await moved(site, second)

    changes = await second.call("site.import", site=text)

    assert "node node-1 of red" in changes["created"]
    assert await tenants(second) == await tenants(site)
    again = await second.call("site.import", site=text)
    assert (again["created"], again["changed"]) == ([], [])
    job = await second.apply()
    assert job["state"] == "succeeded", job
    assert (await second.call("plan.show"))["empty"]


async def test_the_tenants_file_has_no_inventory_and_the_inventory_no_tenants(
    site: SmallSite,
) -> None:
    await held(site)
    of_tenants = tomllib.loads((await site.call("site.export", tenants=True))["site"])
    assert list(of_tenants) == ["tenants"]
    assert of_tenants["tenants"]["blue"] == {
        "quota": {"nodes": 3},
        "nodes": {
            "node-2": {
                "until": "2099-01-31T12:00:00.000Z",
                "nics": {"eth0": {"network": "red/net"}},
            }
        },
        "headnodes": {"login": {"running": False, "nics": {"nic0": "red/net"}}},
    }
    assert "tenants" not in tomllib.loads((await site.call("site.export"))["site"])


async def test_nodes_are_given_only_once_their_ports_are_parked(
    site: SmallSite, second: SmallSite
) -> None:
    await held(site)
    inventory = tomllib.loads((await site.call("site.export"))["site"])
    await second.call("site.import", site=inventory)
    text = (await site.call("site.export", tenants=True))["site"]
    with pytest.raises(RpcError, match=r"tenants\.\w+: nodes\.node-\d: .* not confirmed parked"):
        await second.call("site.import", site=text)
    assert "networks" not in (await tenants(second))["red"], "all or nothing"


# --- merging --------------------------------------------------------------------------------------

OTHER = """
[projects.red]
[projects.green]
[switches.sw1]
dialect = "cisco_nxos"
host = "10.9.9.9"
[nodes.node-1]
tags = ["other"]
[nodes.node-9]
[tenants.green.networks.lab]
vlan = 3999
"""


async def test_a_merge_names_all_that_is_here_under_the_same_name_and_differs(
    site: SmallSite,
) -> None:
    before = (await site.call("site.export"))["site"]
    seen = await site.call("site.import", site=OTHER, merge=True, dry_run=True)
    places = [conflict.partition(": ")[0] for conflict in seen["conflicts"]]
    assert places == ["switches.sw1", "nodes.node-1", "tenants.green"]
    assert seen["created"] == ["project green", "node node-9"]

    with pytest.raises(RpcError, match="Nothing was imported, because of 3 conflicts") as refused:
        await site.call("site.import", site=OTHER, merge=True)
    assert refused.value.data["conflicts"] == seen["conflicts"]
    assert (await site.call("site.export"))["site"] == before


async def test_two_sites_without_a_name_in_common_are_merged(site: SmallSite) -> None:
    text = "[projects.green]\n[nodes.far-1]\ntags = ['north']\n[nodes.far-1.nics.eth0]\n"
    changes = await site.call("site.import", site=text, merge=True)
    assert changes["created"] == ["project green", "node far-1", "nic far-1:eth0"]
    same = await site.call("site.import", site=text, merge=True)
    assert (same["unchanged"], same["conflicts"]) == (3, [])
