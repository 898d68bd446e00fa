"""Whether nics are plugged in where they are registered: checks, proposals and alarms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.config import CablingSettings
from haas_rpcd.sim.cli import Announced, Plugged
from haas_schemas.event import InventoryEvent
from tests.rpc.small_site import Prepared, SmallSite, place, small_site

pytestmark = pytest.mark.slow

MACS = {f"node-{number}": f"52:54:00:00:00:{number:02x}" for number in range(1, 5)}


def port_of(node: str) -> tuple[str, str]:
    """Return the switch and the full name of the port of a node's data nic."""
    switch, port = place(node)
    return switch, port.replace("Gi", "GigabitEthernet")


def plug(site: SmallSite, node: str, at: str | None = None, *, lldp: bool = False) -> None:
    """Plug a node's data nic into its own port, or into that of another node."""
    switch, port = port_of(at or node)
    said = (Announced(MACS[node], MACS[node], node),) if lldp else ()
    site.switches[switch].plug(port, Plugged(macs=(MACS[node],), lldp=said))


@pytest.fixture
async def cabled(site: SmallSite) -> AsyncIterator[SmallSite]:
    """All nodes are plugged in as registered. Red's node-1 and blue's node-3 are on a network."""
    for node, mac in MACS.items():
        await site.call("nic.set", node=node, nic="eth0", mac=mac)
        plug(site, node)
    for project, node in (("red", "node-1"), ("blue", "node-3")):
        await site.hold_nodes(project, node)
        await site.network(project, "net")
        await site.connect(node, "net")
        await site.succeeds(project)
    yield site


async def states(site: SmallSite) -> dict[str, str]:
    """Check the cabling; return the states of data nics."""
    report = await site.call("cabling.check")
    return {row["node"]: row["state"] for row in report["nics"] if row["nic"] == "eth0"}


async def nic(site: SmallSite, node: str) -> dict[str, Any]:
    """Return what is known of a data nic's cabling."""
    shown = await site.call("cabling.show", node=node)
    [found] = [row for row in shown["nics"] if row["nic"] == "eth0"]
    result: dict[str, Any] = found
    return result


async def test_nics_that_speak_on_their_ports_are_right_and_those_on_parked_ports_not_seen(
    cabled: SmallSite,
) -> None:
    report = await cabled.call("cabling.check")
    assert report["checked"] == ["sw1", "sw2"]
    assert report["unreachable"] == []
    assert report["alarms"] == 0
    assert await states(cabled) == {
        "node-1": "right",
        "node-2": "not_seen",
        "node-3": "right",
        "node-4": "not_seen",
    }
    assert (await nic(cabled, "node-2"))["why"] == "its port is parked, so nothing is heard there"
    seen = (await nic(cabled, "node-1"))["seen"]
    assert (seen["switch"], seen["port"], seen["how"]) == ("sw1", "Gi1/0/2", "mac table")
    assert seen["mac"] == MACS["node-1"]
    node = await cabled.call("node.show", node="node-1")
    assert {row["nic"]: row["cabling"] for row in node["nics"]}["eth0"] == "right"
    health = await cabled.call("system.health")
    assert health["cabling"]["right"] == 2
    assert health["cabling"]["swapped"] == health["swapped"] == 0
    times = [switch["cabling_checked"] for switch in health["switches"]]
    assert health["cabling"]["last_check"] == max(times)


async def test_a_nic_on_another_port_is_an_alarm_until_it_is_plugged_in_right(
    cabled: SmallSite,
) -> None:
    """The two nodes' cables are exchanged: red's node is on blue's port, and the other way."""
    plug(cabled, "node-1", at="node-3")
    plug(cabled, "node-3", at="node-1")
    assert await states(cabled) == {
        "node-1": "swapped",
        "node-2": "not_seen",
        "node-3": "swapped",
        "node-4": "not_seen",
    }
    found = await nic(cabled, "node-1")
    assert "seen on sw2 Gi1/0/2" in found["why"]
    assert "not on sw1 Gi1/0/2" in found["why"]
    health = await cabled.call("system.health")
    assert health["swapped"] == 2
    assert any("not cabled as registered" in problem for problem in health["problems"])
    switch = await cabled.call("switch.show", switch="sw1")
    assert switch["swapped"] == 1
    ports = (await cabled.call("port.list", switch="sw1"))["items"]
    assert [row["port"] for row in ports if row["cabling"] == "swapped"] == ["Gi1/0/2"]

    # Parking makes it silent, not right: the alarm stays.
    await cabled.call("nic.disconnect", node="node-1", nic="eth0")
    await cabled.call("nic.disconnect", node="node-3", nic="eth0")
    await cabled.succeeds("red")
    await cabled.succeeds("blue")
    assert (await states(cabled))["node-1"] == "swapped"
    assert "not since" in (await nic(cabled, "node-1"))["why"]

    plug(cabled, "node-1")
    plug(cabled, "node-3")
    for project, node in (("red", "node-1"), ("blue", "node-3")):
        await cabled.connect(node, "net")
        await cabled.succeeds(project)
    assert (await states(cabled))["node-1"] == "right"
    assert (await cabled.call("system.health"))["swapped"] == 0


async def test_an_alarm_is_an_event_for_whoever_holds_the_node_and_only_when_it_is_new(
    cabled: SmallSite,
) -> None:
    events: list[tuple[str, str, str, str | None]] = []
    cabled.daemon.events.subscribe_inventory(
        lambda event, admins_only: events.append(
            (event.noun, event.verb, event.name, event.project)
        )
    )
    plug(cabled, "node-1", at="node-2")
    await cabled.call("nic.set", node="node-2", nic="eth0", mac="52:54:00:00:00:99")
    await cabled.hold_nodes("red", "node-2")
    await cabled.connect("node-2", "net")
    await cabled.succeeds("red")
    for _ in range(2):
        await cabled.call("cabling.check", switch="sw1")
    alarms = [event for event in events if event[:2] == ("cabling", "alarm")]
    assert sorted(alarms) == [
        ("cabling", "alarm", "node-1:eth0", "red"),
        ("cabling", "alarm", "node-2:eth0", "red"),
    ]


async def test_what_a_tenant_sees_of_its_own_nodes_names_no_foreign_port(
    cabled: SmallSite,
) -> None:
    plug(cabled, "node-1", at="node-3")
    await cabled.call("cabling.check")
    rita = cabled.tenant("rita")
    shown = await rita.call("cabling.show", node="node-1")
    [row] = [each for each in shown["nics"] if each["nic"] == "eth0"]
    assert row["state"] == "swapped"
    assert row["seen"] is None or row["seen"]["switch"] == "sw1"
    assert "sw2" not in str(shown)
    assert MACS["node-3"] not in str(shown)
    listed = (await rita.call("node.list"))["items"]
    cabling = {each["node"]: each["nics"][1]["cabling"] for each in listed}
    assert cabling["node-1"] == "swapped"
    assert cabling["node-2"] is None  # a free node is none of hers
    assert "node-3" not in cabling


async def test_a_nic_that_was_moved_and_registered_at_its_new_port_raises_no_alarm(
    cabled: SmallSite,
) -> None:
    assert (await states(cabled))["node-1"] == "right"
    await cabled.call("node.release", node="node-1")
    for job in (await cabled.call("job.list"))["items"]:
        await cabled.finished(job["job"])
    await cabled.call("nic.set", node="node-1", nic="eth0", switch="sw1", port="Gi1/0/8")
    await cabled.succeeds()
    report = await cabled.call("cabling.check")
    assert report["alarms"] == 0
    assert (await nic(cabled, "node-1"))["seen"] is None


async def test_a_mac_that_is_learnt_is_proposed_and_taken_only_by_command(
    cabled: SmallSite,
) -> None:
    await cabled.sql("UPDATE nic SET mac = NULL WHERE mac = ?", (MACS["node-1"],))
    report = await cabled.call("cabling.check")
    [proposal] = report["proposals"]
    assert proposal == {
        "node": "node-1",
        "nic": "eth0",
        "mac": MACS["node-1"],
        "switch": "sw1",
        "port": "Gi1/0/2",
        "command": f"nic set node-1 eth0 --mac {MACS['node-1']}",
    }
    assert (await nic(cabled, "node-1"))["mac"] is None
    await cabled.call("nic.set", node="node-1", nic="eth0", mac=proposal["mac"].upper())
    assert (await states(cabled))["node-1"] == "right"


async def test_a_switch_that_cannot_be_read_is_said_and_nothing_on_it_is_called_right(
    cabled: SmallSite,
) -> None:
    await cabled.call("cabling.check")
    await cabled.switches["sw1"].stop()
    report = await cabled.call("cabling.check")
    assert report["checked"] == ["sw2"]
    [unread] = report["unreachable"]
    assert unread["device"] == "sw1"
    found = await nic(cabled, "node-1")
    assert found["state"] == "unknown"
    assert "could not be read" in found["why"]
    assert found["seen"]["port"] == "Gi1/0/2"  # where it was last seen


async def test_a_stranger_on_an_access_port_is_listed_with_what_lldp_says_of_it(
    cabled: SmallSite,
) -> None:
    stranger = Plugged(
        macs=("52:54:00:00:00:99",), lldp=(Announced("52:54:00:00:00:99", "eth7", "laptop"),)
    )
    switch, port = port_of("node-1")
    cabled.switches[switch].plug(port, stranger)
    report = await cabled.call("cabling.check", switch="sw1")
    [found] = report["strangers"]
    assert (found["switch"], found["port"]) == ("sw1", "Gi1/0/2")
    assert found["macs"] == ["52:54:00:00:00:99"]
    assert "laptop" in found["neighbour"]
    assert (await nic(cabled, "node-1"))["state"] == "unknown"
    shown = await cabled.call("port.show", switch="sw1", port="Gi1/0/2")
    assert "laptop" in shown["stranger"]
    plug(cabled, "node-1")
    await cabled.call("cabling.check", switch="sw1")
    assert (await cabled.call("port.show", switch="sw1", port="Gi1/0/2"))["stranger"] is None


async def test_switches_that_hear_each_other_are_linked(cabled: SmallSite) -> None:
    trunk = "GigabitEthernet1/0/12"
    for name, peer in (("sw1", "sw2"), ("sw2", "sw1")):
        said = Announced(f"0c:00:00:00:00:0{peer[-1]}", "Gi1/0/12", f"{peer}.example.org")
        cabled.switches[name].plug(trunk, Plugged(macs=tuple(MACS.values()), lldp=(said,)))
    report = await cabled.call("cabling.check")
    assert [(link["switch"], link["peer"]) for link in report["links"]] == [
        ("sw1", "sw2"),
        ("sw2", "sw1"),
    ]
    assert report["alarms"] == 0  # all nics are learnt there, which says nothing
    [link] = (await cabled.call("switch.show", switch="sw1"))["links"]
    assert (link["port"], link["peer"], link["peer_port"]) == ("Gi1/0/12", "sw2", "Gi1/0/12")


async def test_tenants_check_nothing_and_a_free_nodes_cabling_is_none_of_theirs(
    cabled: SmallSite,
) -> None:
    rita = cabled.tenant("rita")
    for method, params in (("cabling.check", {}), ("cabling.show", {"node": "node-2"})):
        with pytest.raises(Exception, match="admin"):
            await rita.call(method, **params)


async def test_the_place_of_a_nic_stays_while_its_node_is_held(cabled: SmallSite) -> None:
    refused = await cabled.refused(
        "nic.set", node="node-1", nic="eth0", switch="sw1", port="Gi1/0/8"
    )
    assert refused.kind == "conflict"
    moved = await cabled.call("nic.set", node="node-4", nic="eth0", switch="sw2", port="Gi1/0/8")
    assert (moved["port"], moved["mac"]) == ("Gi1/0/8", MACS["node-4"])


async def test_all_switches_are_checked_from_time_to_time(
    tmp_path: Path, prepared: Prepared
) -> None:
    often = CablingSettings(interval=0.05)
    async with small_site(tmp_path, prepared, cabling=often) as site:
        missing, all_checked = {"sw1", "sw2"}, asyncio.Event()

        def note(event: InventoryEvent, admins_only: bool) -> None:
            assert admins_only or event.noun != "cabling"
            missing.discard(event.name if event.verb == "checked" else "")
            if not missing:
                all_checked.set()

        site.daemon.events.subscribe_inventory(note)
        async with asyncio.timeout(20):
            await all_checked.wait()
