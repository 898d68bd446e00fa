"""Drift: devices that are not as applied are found, reported and repaired."""

from __future__ import annotations

from typing import Any

import pytest

from haas_rpcd.sim.cli import Carried
from tests.rpc.listening import listening
from tests.rpc.small_site import NOTHING, SmallSite, access


@pytest.fixture
async def applied(site: SmallSite) -> SmallSite:
    """Red's node-1 (on sw1) and node-3 (on sw2) are on its network, VLAN 100.

    The isolation watch is off, as it would report the changes that these tests make by hand.
    """
    site.watch.on = False
    await site.hold_nodes("red", "node-1", "node-3")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.connect("node-3", "net")
    await site.succeeds("red")
    return site


def by_hand(site: SmallSite, switch: str, port: str, vlan: int | None) -> None:
    """Change a port as somebody at the switch's console would: an access port, or shut."""
    device = site.switches[switch]
    name = port.replace("Gi", "GigabitEthernet")
    setting = device.running.ports[name]
    setting.shutdown = vlan is None
    setting.mode, setting.access_vlan = "access", vlan or 1
    device.touch(name)
    device.settle()


async def states(site: SmallSite) -> dict[str, str]:
    return {node["node"]: node["state"] for node in (await site.call("node.list"))["items"]}


async def repaired(site: SmallSite, switch: str | None = None) -> dict[str, Any]:
    started = await site.call("drift.repair", switch=switch)
    return await site.finished(started["job"])


def places(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["device"], item["target"]) for item in report["items"]]


async def test_after_an_apply_there_is_no_drift(applied: SmallSite) -> None:
    report = await applied.call("drift.check")
    assert report == {
        "checked": ["libvirt", "master", "sw1", "sw2"], "unreachable": [], "items": [],
    }  # fmt: skip


async def test_a_port_changed_by_hand_is_found_reported_and_repaired(
    applied: SmallSite,
) -> None:
    by_hand(applied, "sw1", "Gi1/0/2", 1)
    async with listening(applied) as client:
        await client.call("events.subscribe")
        report = await applied.call("drift.check", switch="sw1")
        event = await client.until(lambda name, event: event.get("noun") == "drift")
    assert (event["verb"], event["name"]) == ("found", "sw1 Gi1/0/2")
    [item] = report["items"]
    assert item["project"] == "red"
    assert item["behind"] == "node-1:eth0"
    assert (item["applied"], item["observed"]) == ("access 100", "access 1")
    assert (await applied.call("switch.show", switch="sw1"))["drift"] == 1
    ports = (await applied.call("port.list", switch="sw1"))["items"]
    assert {port["port"]: port["drift"] for port in ports if port["drift"]} == {
        "Gi1/0/2": "access 1"
    }

    job = await repaired(applied)

    assert job["state"] == "succeeded"
    assert job["kind"] == "repair"
    assert [step["kind"] for step in job["steps"]] == ["port.park", "port.set", "config.save"]
    assert applied.carried("node-1") == access(100)
    assert (await applied.call("drift.check"))["items"] == []
    assert (await applied.call("switch.show", switch="sw1"))["drift"] == 0
    assert (await applied.call("plan.show", project="red"))["empty"]


async def test_ports_and_vlans_of_the_site_are_left_alone(applied: SmallSite) -> None:
    switch = applied.switches["sw1"]
    switch.running.add_vlan(900)
    registered = {p["port"] for p in (await applied.call("port.list", switch="sw1"))["items"]}
    spare = next(
        name for name in switch.port_list if name.replace("GigabitEthernet", "Gi") not in registered
    )
    switch.running.ports[spare].access_vlan = 900
    assert (await applied.call("drift.check"))["items"] == []
    await repaired(applied)
    assert 900 in switch.running.vlans
    assert switch.running.ports[spare].access_vlan == 900


async def test_a_lost_vlan_and_a_left_over_one_are_repaired(applied: SmallSite) -> None:
    switch = applied.switches["sw2"]
    switch.delete_vlans([100])
    switch.running.add_vlan(107)
    switch.settle()
    report = await applied.call("drift.check")
    assert {(i["target"], i["applied"], i["observed"]) for i in report["items"]} == {
        ("100", "present", "absent"),
        ("107", "absent", "present"),
    }
    assert (await repaired(applied))["state"] == "succeeded"
    assert applied.carried("node-3") == access(100)
    assert 107 not in switch.running.vlans
    assert (await applied.call("drift.check"))["items"] == []


async def test_known_drift_is_listed_without_reading_a_device(applied: SmallSite) -> None:
    assert (await applied.call("drift.list"))["items"] == []
    by_hand(applied, "sw1", "Gi1/0/2", 1)
    by_hand(applied, "sw2", "Gi1/0/2", None)
    found = (await applied.call("drift.check"))["items"]
    for switch in applied.switches.values():
        switch.faults.refuse_connections = True
        for session in list(switch.sessions):
            session.cut()
    listed = await applied.call("drift.list")
    assert (listed["items"], listed["next"]) == (found, None)
    assert places(await applied.call("drift.list", switch="sw2")) == [("sw2", "Gi1/0/2")]
    first = await applied.call("drift.list", limit=1)
    rest = await applied.call("drift.list", after=first["next"])
    assert places(first) + places(rest) == places(listed)
    assert (await applied.refused("drift.list", after="of old")).kind == "invalid_params"


async def test_a_deleted_port_has_no_drift(applied: SmallSite) -> None:
    """Otherwise a port registered later by the same name would start with it."""
    by_hand(applied, "sw1", "Gi1/0/4", 1)
    await applied.call("drift.check")
    await applied.call("node.delete", node="node-2")
    await applied.call("port.delete", switch="sw1", port="Gi1/0/4", force=True)
    assert (await applied.call("drift.list"))["items"] == []


async def test_a_free_node_whose_port_is_open_cannot_be_allocated(applied: SmallSite) -> None:
    """The port was confirmed as parked, but is not any more."""
    by_hand(applied, "sw1", "Gi1/0/4", 1)
    assert (await states(applied))["node-2"] == "free"
    await applied.call("drift.check")
    assert (await states(applied))["node-2"] == "unconfirmed"
    error = await applied.refused("node.allocate", project="red", node="node-2")
    assert error.kind == "conflict"
    assert "its port sw1 Gi1/0/4 was found open" in error.message
    await repaired(applied)
    assert applied.carried("node-2") == NOTHING
    await applied.hold_nodes("red", "node-2")


async def test_a_switch_that_cannot_be_read_is_named_and_the_others_are_read(
    applied: SmallSite,
) -> None:
    by_hand(applied, "sw2", "Gi1/0/2", None)
    applied.switches["sw1"].faults.refuse_connections = True
    for session in list(applied.switches["sw1"].sessions):
        session.cut()
    report = await applied.call("drift.check")
    assert [one["device"] for one in report["unreachable"]] == ["sw1"]
    assert places(report) == [("sw2", "Gi1/0/2")]


async def test_repair_applies_nothing_that_is_only_staged(applied: SmallSite) -> None:
    await applied.call("nic.disconnect", node="node-3", nic="eth0")
    by_hand(applied, "sw1", "Gi1/0/2", None)
    await repaired(applied)
    assert applied.carried("node-1") == access(100)
    assert applied.carried("node-3") == access(100)


async def test_headnodes_and_bridges_are_checked_too(applied: SmallSite) -> None:
    await applied.call("headnode.create", project="red", headnode="login")
    await applied.call("headnode.connect", project="red", headnode="login", network="net")
    await applied.succeeds("red")
    applied.host.bridges.clear()
    [domain] = applied.host.domains.values()
    domain.live = None
    report = await applied.call("drift.check")
    assert ("master", "br-vlan100") in places(report)
    assert ("libvirt", "red/login") in places(report)
    assert (await repaired(applied))["state"] == "succeeded"
    assert domain.running
    assert 100 in applied.host.bridges


async def test_a_bridge_that_somebody_changed_is_found_and_put_right(applied: SmallSite) -> None:
    await applied.call("headnode.create", project="red", headnode="login")
    await applied.call("headnode.connect", project="red", headnode="login", network="net")
    await applied.succeeds("red")
    foreign = "uplink is in it, which HaaS did not put there"
    applied.host.bridge_faults[100] = (foreign, "br-vlan100 has the address 192.0.2.1/24")
    [item] = (await applied.call("drift.check"))["items"]
    assert (item["device"], item["target"]) == ("master", "br-vlan100")
    assert item["observed"] == f"{foreign}; br-vlan100 has the address 192.0.2.1/24"
    job = await repaired(applied)
    assert [step["summary"] for step in job["steps"]] == [
        f"put bridge br-vlan100 right: {item['observed']}"
    ]
    assert (await applied.call("drift.check"))["items"] == []


# --- restarts -------------------------------------------------------------------------------------


async def rebooted(site: SmallSite, switch: str) -> None:
    """Restart a switch that has been up for an hour, as far as the daemon knows."""
    await site.sql("UPDATE switch SET uptime = uptime + 3600 WHERE name = ?", (switch,))
    site.switches[switch].reload()


async def test_wrong_ports_of_a_restarted_switch_are_shut_before_anything_else(
    applied: SmallSite,
) -> None:
    """The saved configuration is old: node-2's port was on VLAN 100 then."""
    switch = applied.switches["sw1"]
    switch.keeps_history = True
    saved = switch.startup.ports["GigabitEthernet1/0/4"]
    saved.shutdown, saved.mode, saved.access_vlan = False, "access", 100
    await rebooted(applied, "sw1")
    assert applied.carried("node-2") == Carried(100)  # nobody's node, on red's network
    seen = len(switch.history)

    await applied.call("drift.check", switch="sw1")

    first = switch.history[seen]
    assert first.changed["GigabitEthernet1/0/4"] == NOTHING
    assert applied.carried("node-2") == NOTHING
    assert applied.carried("node-1") == access(100)


async def test_unsaved_changes_are_restored_after_a_restart(applied: SmallSite) -> None:
    """The power failed between apply and save: the switch forgot, the daemon did not."""
    switch = applied.switches["sw1"]
    port = switch.startup.ports["GigabitEthernet1/0/2"]
    port.shutdown, port.access_vlan = True, 1
    await rebooted(applied, "sw1")
    assert applied.carried("node-1") == NOTHING
    async with listening(applied) as client:
        await client.call("events.subscribe")
        await applied.call("switch.probe", switch="sw1")
        await client.until(lambda name, event: event.get("verb") == "restarted")
        await client.until(
            lambda name, event: event.get("noun") == "job" and event["verb"] == "succeeded"
        )
    assert applied.carried("node-1") == access(100)


# --- before a switch is managed -------------------------------------------------------------------


async def test_a_switch_can_be_probed_before_it_is_registered(empty_site: SmallSite) -> None:
    seen = await empty_site.call(
        "switch.probe", switch="new", dialect="cisco_ios", host="127.0.0.1",
        port=empty_site.wires["sw1"].port, credential="lab",
    )  # fmt: skip
    assert seen["model"].startswith("WS-C2960")
    assert seen["version"].startswith("15.")
    assert len(seen["ports"]) == len(empty_site.switches["sw1"].port_list)
    assert "1" in seen["vlans"]
    assert (await empty_site.call("switch.list"))["items"] == []
    error = await empty_site.refused("switch.probe", switch="new")
    assert "give its dialect and host" in error.message


async def test_the_present_state_of_ports_can_be_adopted_as_applied(site: SmallSite) -> None:
    """A node in use stays in use: its port is adopted and never shut."""
    site.watch.on = False
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.sql("DELETE FROM port_applied")  # as before HaaS set anything
    switch = site.switches["sw1"]
    switch.running.add_vlan(100)
    by_hand(site, "sw1", "Gi1/0/2", 100)
    by_hand(site, "sw1", "Gi1/0/4", 900)

    probe = await site.call("switch.probe", switch="sw1", adopt=True, dry_run=True)
    assert "GigabitEthernet1/0/2" in [p["port"] for p in probe["ports"] if p["adopted"]]
    assert any("Gi1/0/4" in warning and "900" in warning for warning in probe["warnings"])
    assert not (await site.call("plan.show", project="red"))["empty"]

    await site.call("switch.probe", switch="sw1", adopt=True)
    plan = await site.call("plan.show", project="red")
    assert [step["target"] for step in plan["steps"] if step["device"] == "sw1"] == []
    assert (await states(site))["node-2"] == "unconfirmed"


async def test_switches_that_were_never_checked_are_named(site: SmallSite) -> None:
    assert (await site.call("drift.list"))["never_checked"] == ["sw1", "sw2"]
    await site.call("drift.check", switch="sw1")
    assert (await site.call("drift.list"))["never_checked"] == ["sw2"]
    assert (await site.call("drift.list", switch="sw1"))["never_checked"] == []
    assert (await site.tenant("rita").call("drift.list"))["never_checked"] == []
