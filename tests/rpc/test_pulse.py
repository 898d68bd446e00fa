"""The figures of the console's top line: an admin sees the site's, a tenant only its own."""

from __future__ import annotations

from tests.rpc.small_site import SmallSite

SITE = ("vlans", "vlans_free", "libvirt", "trunk")


async def test_an_admin_sees_how_many_vlan_ids_are_left_and_whether_the_master_answers(
    site: SmallSite,
) -> None:
    before = await site.call("system.pulse")
    assert (before["libvirt"], before["trunk"]) == (True, True)
    assert before["vlans"] == before["vlans_free"] > 0
    await site.network("red", "net")
    after = await site.call("system.pulse")
    assert after["vlans_free"] == before["vlans_free"] - 1


async def test_jobs_are_counted_when_they_ended_and_those_that_failed_apart(
    site: SmallSite,
) -> None:
    await site.sql("UPDATE job SET finished = finished - 7200")  # the one of the start
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.wires["sw1"].stop()
    assert (await site.apply("red"))["state"] == "failed"
    pulse = await site.call("system.pulse")
    assert (pulse["ended"], pulse["failed"]) == ([0] * 11 + [1], [0] * 11 + [1])
    await site.sql("UPDATE job SET finished = finished - 1800")
    pulse = await site.call("system.pulse")
    assert (pulse["ended"].index(1), sum(pulse["failed"])) == (5, 1)
    await site.sql("UPDATE job SET finished = finished - 3600")
    assert sum((await site.call("system.pulse"))["ended"]) == 0


async def test_allocated_nodes_are_counted_by_when_and_for_tenants_those_of_their_own(
    site: SmallSite,
) -> None:
    await site.hold_nodes("red", "node-1")
    await site.tenant("bob").call("node.allocate", project="blue", count=2)
    for who, nodes in ((site, 3), (site.tenant("rita"), 1), (site.tenant("bob"), 2)):
        assert (await who.call("system.pulse"))["allocated"] == [0] * 11 + [nodes]


async def test_an_admin_is_told_how_often_a_switch_ceased_to_answer(site: SmallSite) -> None:
    assert sum((await site.call("system.pulse"))["lost"]) == 0
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.wires["sw1"].stop()
    for _ in range(2):
        assert (await site.apply("red"))["state"] == "failed"
    assert (await site.call("system.pulse"))["lost"] == [0] * 11 + [1]
    assert (await site.tenant("rita").call("system.pulse"))["lost"] == []


async def test_nothing_that_neighbours_do_changes_what_a_tenant_is_told(site: SmallSite) -> None:
    bob = site.tenant("bob")
    before = await bob.call("system.pulse")
    assert [before[figure] for figure in SITE] == [None] * 4
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.succeeds("red")
    assert await bob.call("system.pulse") == before
    assert sum((await site.tenant("rita").call("system.pulse"))["ended"]) == 1
