"""What the database schema refuses, whatever the code above it does: plain SQL statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable

import pytest

from tests.rpc.small_site import SmallSite, register


@pytest.fixture
async def held(site: SmallSite) -> SmallSite:
    """Red holds node-1 and the network net (100), blue node-2 and its network own (101)."""
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-2")
    await site.network("red", "net")
    await site.network("blue", "own")
    await site.call("headnode.create", project="red", headnode="head")
    return site


async def impossible(attempt: Awaitable[int], why: str | None = None) -> None:
    """Check that the schema refuses the statements within."""
    with pytest.raises(sqlite3.IntegrityError, match=why):
        await attempt


NODE = "(SELECT id FROM node WHERE name = ?)"
PROJECT = "(SELECT id FROM project WHERE name = ?)"
NETWORK = "(SELECT id FROM network WHERE name = ?)"
NIC = (
    "(SELECT nic.id FROM nic JOIN node ON node.id = nic.node_id"
    " WHERE nic.name = 'eth0' AND node.name = ?)"
)


async def test_a_node_has_one_holder(held: SmallSite) -> None:
    await impossible(
        held.sql(f"INSERT INTO allocation VALUES ({NODE}, {PROJECT}, 0)", ("node-1", "blue")),
        "UNIQUE constraint failed: allocation.node_id",
    )


async def test_a_node_changes_its_holder_only_by_release(held: SmallSite) -> None:
    await impossible(
        held.sql(
            f"UPDATE allocation SET project_id = {PROJECT} WHERE node_id = {NODE}",
            ("blue", "node-1"),
        ),
        "by release and allocate only",
    )
    await impossible(
        held.sql(
            f"UPDATE allocation SET node_id = {NODE} WHERE node_id = {NODE}", ("node-3", "node-1")
        ),
        "by release and allocate only",
    )


async def test_an_unparked_node_cannot_be_allocated(empty_site: SmallSite) -> None:
    await register(empty_site)
    await impossible(
        empty_site.sql(f"INSERT INTO allocation VALUES ({NODE}, {PROJECT}, 0)", ("node-1", "red")),
        "not confirmed parked",
    )


async def test_a_node_on_a_network_cannot_be_deallocated(held: SmallSite) -> None:
    """Not while it is staged on one, and not while its port may still carry one."""
    await held.connect("node-1", "net")
    give_up = f"DELETE FROM allocation WHERE node_id = {NODE}"
    await impossible(held.sql(give_up, ("node-1",)), "is not confirmed parked or still connected")
    await held.succeeds("red")
    await held.call("nic.disconnect", node="node-1", nic="eth0")
    await impossible(held.sql(give_up, ("node-1",)), "is not confirmed parked or still connected")
    await held.succeeds("red")
    assert await held.sql(give_up, ("node-1",)) == 1


async def test_a_vlan_id_belongs_to_one_network(held: SmallSite) -> None:
    await impossible(
        held.sql(f"INSERT INTO vlan_claim VALUES (100, NULL, {PROJECT}, 'blue/x')", ("blue",)),
        "UNIQUE constraint failed: vlan_claim.vlan",
    )
    await impossible(
        held.sql("UPDATE vlan_claim SET vlan = 100 WHERE vlan = 101"),
        "UNIQUE constraint failed: vlan_claim.vlan",
    )
    await impossible(
        held.sql(f"INSERT INTO vlan_claim VALUES (102, {NETWORK}, NULL, 'red/x')", ("net",)),
        "UNIQUE constraint failed: vlan_claim.network_id",
    )


async def test_no_network_has_the_default_vlan(held: SmallSite) -> None:
    for vlan in (0, 1, 4095):
        await impossible(held.sql("UPDATE vlan_claim SET vlan = ? WHERE vlan = 100", (vlan,)))


async def test_a_claim_outlives_its_network_while_a_device_may_have_the_vlan(
    held: SmallSite,
) -> None:
    await held.connect("node-1", "net")
    await held.succeeds("red")
    await impossible(held.sql("DELETE FROM vlan_claim WHERE vlan = 100"), "FOREIGN KEY")


async def test_a_nic_cannot_be_connected_to_a_foreign_network(held: SmallSite) -> None:
    insert = f"INSERT INTO connection VALUES ({NIC}, {NETWORK}, 0)"
    await impossible(held.sql(insert, ("node-1", "own")), "may not use this network")
    await held.connect("node-1", "net")
    await impossible(
        held.sql(
            f"UPDATE connection SET network_id = {NETWORK} WHERE nic_id = {NIC}",
            ("own", "node-1"),
        ),
        "may not use this network",
    )
    await impossible(
        held.sql(
            f"UPDATE connection SET nic_id = {NIC} WHERE nic_id = {NIC}", ("node-2", "node-1")
        ),
        "may not use this network",
    )


async def test_a_nic_of_a_free_node_cannot_be_connected(held: SmallSite) -> None:
    await impossible(
        held.sql(f"INSERT INTO connection VALUES ({NIC}, {NETWORK}, 0)", ("node-3", "net")),
        "may not use this network",
    )


async def test_a_nic_has_one_untagged_network(held: SmallSite) -> None:
    await held.network("red", "second")
    await held.connect("node-1", "net")
    await impossible(
        held.sql(f"INSERT INTO connection VALUES ({NIC}, {NETWORK}, 0)", ("node-1", "second")),
        "UNIQUE constraint failed: connection.nic_id",
    )


async def test_a_share_cannot_end_while_it_is_used(held: SmallSite) -> None:
    await held.call("network.share", project="red", network="net", **{"with": "blue"})
    await held.connect("node-2", "red/net")
    await impossible(held.sql("DELETE FROM share"), "still uses this network")
    await held.call("nic.disconnect", node="node-2", nic="eth0")
    assert await held.sql("DELETE FROM share") == 1


async def test_a_network_stays_with_its_project(held: SmallSite) -> None:
    await impossible(
        held.sql(f"UPDATE network SET project_id = {PROJECT} WHERE name = 'net'", ("blue",)),
        "stays with its project",
    )


async def test_a_headnode_cannot_be_connected_to_a_foreign_network(held: SmallSite) -> None:
    insert = (
        "INSERT INTO headnode_nic (headnode_id, name, mac, network_id)"
        f" SELECT id, 'nic0', '52:54:00:00:00:01', {NETWORK} FROM headnode"
    )
    await impossible(held.sql(insert, ("own",)), "may not use this network")
    assert await held.sql(insert, ("net",)) == 1
    await impossible(
        held.sql(f"UPDATE headnode_nic SET network_id = {NETWORK}", ("own",)),
        "may not use this network",
    )


async def test_a_port_with_a_nic_behind_it_cannot_be_deleted(held: SmallSite) -> None:
    await impossible(
        held.sql(f"DELETE FROM port WHERE nic_id = {NIC}", ("node-3",)), "a nic is behind this port"
    )


async def test_a_held_node_s_nic_cannot_be_moved_to_another_port(held: SmallSite) -> None:
    """The old port would keep its VLAN, and nobody has read the new one."""
    await held.call("port.register", switch="sw1", ports=["Gi1/0/9"])
    await impossible(
        held.sql(
            f"UPDATE port SET nic_id = {NIC} WHERE name = 'Gi1/0/9'",
            ("node-1",),
        ),
        "nics of a node that is held are fixed",
    )


async def test_no_switch_has_a_name_that_plans_use_for_the_master(held: SmallSite) -> None:
    for name in ("master", "libvirt"):
        await impossible(held.sql("UPDATE switch SET name = ? WHERE name = 'sw1'", (name,)))


async def test_a_transaction_is_committed_entirely_or_not_at_all(held: SmallSite) -> None:
    """The second nic's port is taken, so neither the node nor its first nic is registered."""
    await held.call("port.register", switch="sw1", ports=["Gi1/0/9"])
    nics = [
        {"nic": "eth0", "switch": "sw1", "port": "Gi1/0/9"},
        {"nic": "eth1", "switch": "sw1", "port": "Gi1/0/2"},
    ]
    error = await held.refused("node.register", node="node-9", nics=nics)
    assert error.kind == "conflict"
    assert "node-1:eth0 behind it already" in error.message
    assert (await held.refused("node.show", node="node-9")).kind == "not_found"
    ports = (await held.call("port.list", switch="sw1"))["items"]
    assert [port["node"] for port in ports if port["port"] == "Gi1/0/9"] == [None]
