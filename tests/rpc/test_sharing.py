"""Sharing a network: offered by its owner, accepted by the guest, ended by either."""

from __future__ import annotations

from typing import Any

import pytest

from haas_rpcd.errors import HaasError
from tests.rpc.small_site import NOTHING, SmallSite, Tenant, access, tagged


@pytest.fixture
async def offered(site: SmallSite) -> SmallSite:
    """Red offers its network net (VLAN 100) to blue. Red has node-1, blue node-2 and node-3."""
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-2", "node-3")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.succeeds("red")
    made = await site.tenant("rita").call("network.share", network="net", **{"with": "blue"})
    assert (made["shared_with"], made["offered_to"]) == ([], ["blue"])
    return site


@pytest.fixture
async def shared(offered: SmallSite) -> SmallSite:
    """Blue has accepted, and node-2 and node-3 are on net; node-3 on blue's own (101), tagged."""
    site = offered
    await site.tenant("bob").call("network.accept", project="blue", network="red/net")
    await site.network("blue", "own")
    for node in ("node-2", "node-3"):
        await site.connect(node, "red/net")
    await site.connect("node-3", "own", tagged=True)
    await site.succeeds("blue")
    assert site.carried("node-3") == tagged(101, untagged=100)
    return site


async def refused(tenant: Tenant, method: str, **params: Any) -> HaasError:
    with pytest.raises(HaasError) as caught:
        await tenant.call(method, **params)
    return caught.value


async def networks(tenant: Tenant) -> list[str]:
    items = (await tenant.call("network.list"))["items"]
    return [f"{item['project']}/{item['network']}" for item in items]


async def test_an_offer_gives_nothing_until_it_is_accepted(offered: SmallSite) -> None:
    bob = offered.tenant("bob")
    assert await networks(bob) == []
    connect = {"node": "node-3", "nic": "eth0", "network": "red/net"}
    assert (await refused(bob, "nic.connect", **connect)).kind == "not_found"
    assert (await refused(bob, "network.show", project="blue", network="red/net")).kind == (
        "not_found"
    )
    [offer] = (await bob.call("network.offers", project="blue"))["items"]
    assert offer == {"project": "blue", "network": "red/net"}

    accepted = await bob.call("network.accept", project="blue", network="red/net")
    assert accepted["shared_with"] == ["blue"]
    await bob.call("network.accept", project="blue", network="red/net")  # once more does no harm
    await bob.call("nic.connect", **connect)
    shown = await offered.tenant("rita").call("network.show", project="red", network="net")
    assert (shown["shared_with"], shown["offered_to"]) == (["blue"], [])
    assert not (await bob.call("network.offers", project="blue"))["items"]


async def test_an_offer_to_nobody_looks_like_one_to_somebody(site: SmallSite) -> None:
    await site.network("red", "net")
    rita = site.tenant("rita")
    answers = []
    for guest in ("blue", "nowhere"):
        for method in ("network.share", "network.unshare"):
            made = await rita.call(method, network="net", **{"with": guest})
            answers.append(str(made).replace(guest, "X"))
    assert answers[:2] == answers[2:]


async def test_only_what_was_offered_is_accepted(offered: SmallSite) -> None:
    await offered.network("red", "other")
    bob = offered.tenant("bob")
    said = set()
    for network in ("red/other", "red/none", "nowhere/net"):
        error = await refused(bob, "network.accept", project="blue", network=network)
        said.add((error.kind, error.message.replace(network, "X")))
    assert said == {("not_found", "Nobody offers project blue a network X.")}


async def test_an_offer_is_withdrawn_or_declined(offered: SmallSite) -> None:
    rita, bob = offered.tenant("rita"), offered.tenant("bob")
    for tenant in (rita, bob):
        await tenant.call("network.unshare", network="red/net", **{"with": "blue"})
        assert (await refused(bob, "network.accept", project="blue", network="red/net")).kind == (
            "not_found"
        )
        await rita.call("network.share", network="net", **{"with": "blue"})


@pytest.mark.parametrize("user", ["rita", "bob"])
async def test_either_side_ends_a_share_and_the_ports_are_parked_first(
    shared: SmallSite, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What else the guest has on them, or has staged, stays as it is."""
    caplog.set_level("INFO")
    site = shared
    await site.connect("node-2", "own")  # staged, not applied
    ending = await site.tenant(user).call("network.unshare", network="red/net", **{"with": "blue"})
    assert ending["ending_with"] == ["blue"]
    assert (ending["job"] is None) == (user == "rita")  # the job is blue's
    connect = {"node": "node-2", "nic": "ipmi", "network": "red/net"}
    assert (await refused(site.tenant("bob"), "nic.connect", **connect)).kind == "conflict"

    jobs = (await site.tenant("bob").call("job.list", project="blue"))["items"]
    job = await site.finished(jobs[0]["job"])
    assert (job["state"], job["kind"]) == ("succeeded", "unshare")
    assert f"job {job['job']} (unshare of blue, by " in caplog.text
    assert site.carried("node-2") == NOTHING
    assert site.carried("node-3") == tagged(101)
    assert site.carried("node-1") == access(100)
    assert await networks(site.tenant("bob")) == ["blue/own"]
    assert (await refused(site.tenant("bob"), "nic.connect", **connect)).kind == "not_found"
    await site.succeeds("blue")
    assert site.carried("node-2") == access(101)


async def test_a_shared_network_is_deleted_once_its_guests_are_off(shared: SmallSite) -> None:
    site = shared
    rita = site.tenant("rita")
    error = await refused(rita, "network.delete", project="red", network="net")
    assert error.message == "Network net is still in use by node-1:eth0: disconnect it there first."
    await rita.call("nic.disconnect", node="node-1", nic="eth0")
    deleted = await rita.call("network.delete", project="red", network="net")
    assert deleted["deleted"] is False
    assert "parked first" in deleted["note"]
    [job] = [j for j in (await site.call("job.list", project="blue"))["items"] if not j["finished"]]
    assert (await site.finished(job["job"]))["state"] == "succeeded"
    assert site.carried("node-2") == NOTHING
    assert await networks(rita) == []
    await site.succeeds("red")
    assert await site.network("blue", "next") == 100  # the VLAN id is free again


async def test_a_share_goes_on_ending_until_the_switch_can_be_reached(shared: SmallSite) -> None:
    site = shared
    await site.wires["sw2"].stop()
    ending = await site.call("network.unshare", network="red/net", **{"with": "blue"})
    assert (await site.finished(ending["job"]))["state"] == "failed"
    shown = await site.call("network.show", project="red", network="net")
    assert (shown["shared_with"], shown["ending_with"]) == ([], ["blue"])


async def test_a_headnode_of_the_guest_leaves_with_the_share(offered: SmallSite) -> None:
    site = offered
    bob = site.tenant("bob")
    await bob.call("network.accept", project="blue", network="red/net")
    await bob.call("headnode.create", project="blue", headnode="head")
    await bob.call("headnode.connect", project="blue", headnode="head", network="red/net")
    await site.succeeds("blue")
    ending = await bob.call("network.unshare", network="red/net", **{"with": "blue"})
    assert (await site.finished(ending["job"]))["state"] == "succeeded"
    shown = await bob.call("headnode.show", project="blue", headnode="head")
    assert shown["state"] == "running"
    assert not [nic for nic in shown["nics"] if nic.get("applied")]
    assert (await site.call("network.show", project="red", network="net"))["ending_with"] == []


async def test_an_owner_chooses_members_without_learning_who_is_known(site: SmallSite) -> None:
    await site.call("project.add_member", project="red", user="rita", role="owner")
    rita = site.tenant("rita")
    answers = []
    for user in ("bob", "zoe"):
        made = await rita.call("project.add_member", project="red", user=user, role="reader")
        assert made["roles"] == {user: "reader", "rita": "owner"}
        answers.append(await rita.call("project.remove_member", project="red", user=user))
    assert answers[0] == answers[1]
    await rita.call("project.add_member", project="red", user="zoe")
    made = await site.call("user.create", user="zoe")
    assert made["projects"] == ["red"]
    assert (await site.tenant("zoe").call("system.info"))["roles"] == {"red": "member"}
