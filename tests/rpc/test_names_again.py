"""A deleted project's or user's name is given again: the new one has nothing of the old one."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from haas_rpcd.errors import HaasError
from tests.rpc.small_site import SmallSite


@pytest.fixture
async def used(site: SmallSite) -> SmallSite:
    """bob's project blue used red's network, made jobs, and has gone."""
    await site.network("red", "net")
    await site.network("red", "offered")
    await site.call("project.set_quota", project="blue", nodes=2)
    await site.call("network.share", project="red", network="net", **{"with": "blue"})
    await site.tenant("rita").call("network.share", network="offered", **{"with": "blue"})
    await site.hold_nodes("blue", "node-4")
    await site.connect("node-4", "red/net")
    await site.succeeds("blue")
    await site.finished((await site.call("node.release", node="node-4"))["job"])
    await site.call("project.delete", project="blue")
    return site


async def seen(site: SmallSite, user: str) -> dict[str, list[Any]]:
    tenant = site.tenant(user)
    everything = {
        noun: (await tenant.call(f"{noun}.list"))["items"]
        for noun in ("network", "job", "headnode")
    }
    everything["audit"] = (await tenant.call("audit.list", project="blue"))["items"]
    everything["offers"] = (await tenant.call("network.offers", project="blue"))["items"]
    everything["drift"] = (await tenant.call("drift.list"))["items"]
    return everything


async def test_a_project_of_the_same_name_is_another_one(used: SmallSite) -> None:
    site = used
    await site.call("project.create", project="blue")
    await site.call("user.create", user="ann")
    await site.call("project.add_member", project="blue", user="ann")
    shown = await site.tenant("ann").call("project.show", project="blue")
    assert (shown["roles"], shown.get("quota")) == ({"ann": "member"}, None)
    found = await seen(site, "ann")
    audit = [(record["id"], record["method"]) for record in found.pop("audit")]
    assert audit == [(1, "project.create"), (2, "project.add_member")]
    assert not any(found.values())
    with pytest.raises(HaasError, match="offers project blue"):
        await site.tenant("ann").call("network.accept", project="blue", network="red/offered")
    await site.hold_nodes("blue", "node-4")
    with pytest.raises(HaasError, match="Project blue has no network red/net"):
        await site.tenant("ann").call("nic.connect", node="node-4", nic="eth0", network="red/net")
    network = await site.tenant("rita").call("network.show", project="red", network="net")
    assert network["shared_with"] == []


async def test_no_project_gets_the_id_of_one_that_has_gone(used: SmallSite) -> None:
    """What remembers who had something by that id would be shown to the wrong project."""
    ids = set()
    for _ in range(5):
        await used.call("project.create", project="green")
        [(number,)] = await used.rows("SELECT id FROM project WHERE name = 'green'")
        ids.add(number)
        await used.call("project.delete", project="green")
    assert len(ids) == 5


async def test_a_user_of_the_same_name_is_another_one(site: SmallSite) -> None:
    """Neither tokens nor memberships nor open connections are the new one's."""
    token = (await site.tenant("rita").call("token.create", label="ci"))["token"]
    headers = {"Authorization": f"Bearer {token}"}
    socket = await site.http.ws_connect("http://haas/rpc", headers=headers)
    await socket.send_json({"jsonrpc": "2.0", "method": "events.subscribe", "id": 1})
    assert "result" in await socket.receive_json()

    await site.call("user.delete", user="rita")
    await site.call("user.create", user="rita")
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    await socket.close()
    rita = site.tenant("rita")
    assert (await rita.call("project.list"))["items"] == []
    assert (await rita.call("token.list"))["items"] == []
    async with site.http.post("http://haas/rpc", json={}, headers=headers) as response:
        assert response.status == 401


async def test_a_deleted_user_s_job_goes_on_and_is_the_project_s(site: SmallSite) -> None:
    rita = site.tenant("rita")
    await rita.call("node.allocate", project="red", node="node-1")
    await rita.call("network.create", project="red", network="net")
    await rita.call("nic.connect", node="node-1", nic="eth0", network="net")
    site.switches["sw1"].faults.line_delay = 0.01
    job = (await rita.call("apply.start", project="red"))["job"]
    await site.call("user.delete", user="rita")
    with pytest.raises(HaasError, match=f"There is no job {job}"):
        await rita.call("job.show", job=job)
    assert (await site.finished(job))["state"] == "succeeded"
