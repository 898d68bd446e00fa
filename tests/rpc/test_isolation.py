"""Isolation: after every line sent, no port carries a VLAN that its node's project may not use.

The sites of these tests are watched (watch.py): a port that does carry such a VLAN, after any line,
fails the test, whatever else the test checks.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.rpc.small_site import (
    NOTHING,
    Prepared,
    SmallSite,
    access,
    register,
    small_site,
    step_of,
    tagged,
)
from tests.rpc.watch import FRESH

TRUNK = "GigabitEthernet1/0/12"


async def test_the_watch_sees_a_port_on_a_foreign_network(
    tmp_path: Path, prepared: Prepared
) -> None:
    """The watch itself works: a line that breaks isolation fails the test."""
    with pytest.raises(AssertionError, match=r"sw1 GigabitEthernet1/0/4 carries \[100\] after sw1"):
        async with small_site(tmp_path, prepared) as site:
            await site.hold_nodes("red", "node-1")
            await site.hold_nodes("blue", "node-2")
            await site.network("red", "net")
            await site.connect("node-1", "net")
            await site.succeeds("red")
            port = site.switches["sw1"].running.ports["GigabitEthernet1/0/4"]  # blue's
            port.access_vlan, port.shutdown = 100, False
            site.switches["sw1"].touch("GigabitEthernet1/0/4")
            site.switches["sw1"].settle()


async def test_ports_with_factory_defaults_are_parked_and_never_carry_vlan_1_again(
    empty_site: SmallSite,
) -> None:
    site = empty_site
    assert site.carried("node-1") == FRESH  # dynamic auto, VLAN 1, up
    await register(site)
    await site.succeeds()
    for switch in site.switches.values():
        for number in range(1, 9):
            assert switch.carried(f"GigabitEthernet1/0/{number}") == NOTHING
            assert switch.running.ports[f"GigabitEthernet1/0/{number}"].shutdown
        assert switch.carried("GigabitEthernet1/0/9") == FRESH  # not registered: not touched
        for entry in switch.history:
            assert all(now == NOTHING for now in entry.changed.values()), entry


async def test_a_trunk_carries_the_pool_and_nothing_else(site: SmallSite) -> None:
    assert site.switches["sw1"].running.ports[TRUNK].allowed == frozenset(range(100, 110))
    assert site.switches["sw1"].running.ports[TRUNK].mode == "trunk"
    assert site.switches["sw1"].running.ports[TRUNK].nonegotiate
    assert site.switches["sw1"].carried(TRUNK) == NOTHING  # no VLAN of the pool exists yet
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.succeeds("red")
    assert site.switches["sw1"].carried(TRUNK) == tagged(100)  # and not VLAN 1


async def test_a_node_cannot_be_allocated_before_its_ports_are_parked(
    empty_site: SmallSite,
) -> None:
    site = empty_site
    await register(site)
    error = await site.refused("node.allocate", project="red", node="node-1")
    assert error.kind == "conflict"
    assert "not confirmed parked" in error.message
    assert "apply --site" in error.message

    site.switches["sw1"].faults.refuse = {"^shutdown$": "% Not today."}
    assert (await site.apply())["state"] == "failed"
    assert (await site.call("node.show", node="node-1"))["state"] == "unconfirmed"
    assert (await site.refused("node.allocate", project="red", node="node-1")).kind == "conflict"
    assert (await site.call("node.show", node="node-3"))["state"] == "free"  # sw2 is not to blame

    site.switches["sw1"].faults.refuse = {}
    await site.succeeds()
    await site.hold_nodes("red", "node-1")


Way = tuple[str | None, tuple[str, ...]]
"""The untagged network of a nic, and its tagged ones."""

WAYS: list[Way] = [
    (None, ()), ("a", ()), (None, ("a",)), (None, ("a", "b")), ("a", ("b",)), ("b", ("a", "c")),
]  # fmt: skip


def walk(ways: list[Way]) -> list[Way]:
    """Return a path that uses every ordered pair once (Hierholzer's algorithm)."""
    left = {way: [other for other in ways if other != way] for way in ways}
    path, trail = [ways[0]], []
    while path:
        if left[path[-1]]:
            path.append(left[path[-1]].pop())
        else:
            trail.append(path.pop())
    return trail[::-1]


async def test_every_change_between_two_configurations_of_a_nic(site: SmallSite) -> None:
    """Untagged, tagged, both or neither: every pair, in both directions, on one port."""
    await site.hold_nodes("red", "node-1")
    vlan = {name: await site.network("red", name) for name in ("a", "b", "c")}
    for native, trunked in walk(WAYS)[1:]:
        await site.call("nic.disconnect", node="node-1", nic="eth0")
        if native:
            await site.connect("node-1", native)
        for network in trunked:
            await site.connect("node-1", network, tagged=True)
        job = await site.apply("red")
        assert job["state"] == "succeeded", job["error"]
        untagged = vlan[native] if native else None
        assert site.carried("node-1") == tagged(*(vlan[n] for n in trunked), untagged=untagged)
    await site.succeeds("red")


async def test_a_nic_moves_between_networks_of_its_project(site: SmallSite) -> None:
    await site.hold_nodes("red", "node-1", "node-2")
    assert [await site.network("red", "n"), await site.network("red", "m")] == [100, 101]
    await site.connect("node-1", "n")
    await site.connect("node-2", "m")
    await site.succeeds("red")
    await site.connect("node-2", "n")
    assert site.carried("node-2") == access(101)  # staged is not applied
    await site.succeeds("red")
    assert site.carried("node-2") == access(100)
    assert 101 not in site.switches["sw1"].running.vlans  # nobody uses it any more


async def test_a_released_node_is_parked_before_another_project_gets_it(
    site: SmallSite,
) -> None:
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.succeeds("red")
    site.switches["sw1"].faults.refuse = {"shutdown": "% Not now."}

    released = await site.call("node.release", node="node-1")
    job = await site.finished(released["job"])

    assert job["state"] == "failed"
    assert site.carried("node-1") == access(100)
    assert (await site.call("node.show", node="node-1"))["state"] == "releasing"
    error = await site.refused("node.allocate", project="blue", node="node-1")
    assert "it is being released" in error.message
    assert (await site.refused("node.allocate", project="blue", count=4)).kind == "exhausted"

    site.switches["sw1"].faults.refuse = {}
    again = await site.call("node.release", node="node-1")  # retried
    assert (await site.finished(again["job"]))["state"] == "succeeded"
    assert site.carried("node-1") == NOTHING
    await site.hold_nodes("blue", "node-1")
    assert await site.network("blue", "net") == 101
    await site.connect("node-1", "net")
    await site.succeeds("blue")
    assert site.carried("node-1") == access(101)


async def test_a_line_that_fails_opens_no_port_to_others(site: SmallSite) -> None:
    """Whichever line of a port is refused or not answered, no port carries a foreign VLAN."""
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-2")
    await site.network("red", "a")
    await site.network("red", "b")
    await site.network("blue", "c")
    await site.connect("node-2", "c")
    await site.succeeds("blue")
    await site.connect("node-1", "a")
    await site.connect("node-1", "b", tagged=True)
    plan = await site.call("plan.show", project="red")
    [lines] = [step["lines"] for step in plan["steps"] if step["kind"] == "port.set"]
    assert (lines[0], lines.pop()) == ("interface Gi1/0/2", "exit")
    faults, good = site.switches["sw1"].faults, site.switches["sw1"].access
    for line in lines:
        faults.refuse = {f"^{line}$": "Command rejected: no."}
        job = await site.apply("red")
        assert job["state"] == "failed"
        assert line in job["error"]
        assert site.carried("node-1") == NOTHING
        faults.refuse = {}
        faults.cut_at = f"^{line}$"
        site.switches["sw1"].access = replace(good, password="an0ther")  # no way back in
        job = await site.apply("red")
        assert job["state"] == "failed", line
        assert "sw1 refused the login" in job["error"]
        site.switches["sw1"].access = good
    await site.succeeds("red")
    assert site.carried("node-1") == tagged(101, untagged=100)
    assert site.carried("node-2") == access(102)


async def test_a_disconnect_during_a_port_opens_no_port_to_others(site: SmallSite) -> None:
    """The daemon reconnects and sends again what was not answered."""
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-2")
    for project, network in (("red", "a"), ("red", "b"), ("blue", "c")):
        await site.network(project, network)
    await site.connect("node-2", "c")
    await site.succeeds("blue")
    await site.connect("node-1", "a")
    await site.connect("node-1", "b", tagged=True)
    plan = await site.call("plan.show", project="red")
    [lines] = [step["lines"] for step in plan["steps"] if step["kind"] == "port.set"]
    switch = site.switches["sw1"]
    for line in lines:
        await site.connect("node-1", "a")
        await site.connect("node-1", "b", tagged=True)
        logins = switch.counters.logins
        switch.faults.cut_at = f"^{line}$"
        await site.succeeds("red")
        assert switch.faults.cut_at is None, line
        assert switch.counters.logins == logins + 1, line
        assert site.carried("node-1") == tagged(101, untagged=100)
        await site.call("nic.disconnect", node="node-1", nic="eth0")
        await site.succeeds("red")
        assert site.carried("node-1") == NOTHING
    assert site.carried("node-2") == access(102)


async def test_a_shared_network_is_used_and_unshared(site: SmallSite) -> None:
    await site.hold_nodes("red", "node-1")
    await site.hold_nodes("blue", "node-3")
    await site.network("red", "net")
    await site.call("network.share", project="red", network="net", **{"with": "blue"})
    await site.connect("node-1", "net")
    await site.connect("node-3", "red/net")
    await site.succeeds("red")
    await site.succeeds("blue")
    assert site.carried("node-3") == access(100)

    ending = await site.call("network.unshare", network="red/net", **{"with": "blue"})
    assert (ending["shared_with"], ending["ending_with"]) == ([], ["blue"])
    assert (await site.finished(ending["job"]))["state"] == "succeeded"
    assert site.carried("node-3") == NOTHING
    shown = await site.call("network.show", project="red", network="net")
    assert (shown["shared_with"], shown["ending_with"]) == ([], [])
    error = await site.refused("nic.connect", node="node-3", nic="eth0", network="red/net")
    assert error.kind == "not_found"
    assert site.carried("node-1") == access(100)


async def test_a_vlan_id_is_free_only_when_every_switch_confirmed_its_removal(
    site: SmallSite,
) -> None:
    await site.hold_nodes("red", "node-1", "node-3")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.connect("node-3", "net")
    await site.succeeds("red")
    for node in ("node-1", "node-3"):
        await site.call("nic.disconnect", node=node, nic="eth0")
    deleted = await site.call("network.delete", project="red", network="net")
    assert "taken off the devices by the next apply" in deleted["note"]
    assert await site.network("blue", "first") == 101  # 100 is still on both switches
    error = await site.refused("network.create", project="blue", network="other", vlan=100)
    assert "not every device has confirmed that it is gone" in error.message

    site.switches["sw2"].faults.refuse = {"no vlan 100": "% Not now."}
    job = await site.apply("red")
    assert step_of(job, "sw1", "vlan.delete")["state"] == "done"
    assert step_of(job, "sw2", "vlan.delete")["state"] == "failed"
    assert await site.network("blue", "second") == 102
    assert (await site.call("node.show", node="node-3"))["nics"][1]["networks"] == []

    site.switches["sw2"].faults.refuse = {}
    await site.succeeds("red")
    assert await site.network("blue", "third") == 100


async def test_no_network_gets_an_id_outside_the_pool(site: SmallSite) -> None:
    for vlan in (2, 99, 110, 4094):
        error = await site.refused("network.create", project="red", network="net", vlan=vlan)
        assert error.data["field"] == "vlan"
        assert "not in the pool 100-109" in error.message
    for vlan in (0, 1, 4095):
        error = await site.refused("network.create", project="red", network="net", vlan=vlan)
        assert error.kind == "invalid_params"
    made = {await site.network("red", f"net-{n}") for n in range(10)}
    assert made == set(range(100, 110))
    assert (await site.refused("network.create", project="blue", network="n")).kind == "exhausted"


async def test_a_node_moved_to_another_port_does_not_count_as_parked(site: SmallSite) -> None:
    """Its old port was parked; nobody has read the new one."""
    await site.call("port.register", switch="sw1", ports=["Gi1/0/9"])
    await site.call("nic.delete", node="node-1", nic="eth0")
    assert (await site.call("node.show", node="node-1"))["state"] == "free"
    await site.call("nic.register", node="node-1", nic="eth0", switch="sw1", port="Gi1/0/9")
    assert (await site.call("node.show", node="node-1"))["state"] == "unconfirmed"
    await site.succeeds()
    await site.hold_nodes("red", "node-1")
