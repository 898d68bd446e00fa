"""What trunk ports lead to decides on which switches VLANs exist: on those that are between places.

sw3 and sw4 are switches without nodes. The line is sw1, sw3, sw2; the master is at sw1.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.sim.cli import Announced, Plugged
from tests.rpc.small_site import (
    Prepared,
    SmallSite,
    register_switch,
    small_site,
    states,
    step_of,
)
from tests.rpc.test_retired import dead

pytestmark = pytest.mark.slow

SWITCHES = ("sw1", "sw2", "sw3", "sw4")
Link = tuple[tuple[str, str], tuple[str, str]]
TO_SW3 = (("sw1", "Gi1/0/11"), ("sw3", "Gi1/0/11"))
TO_SW2 = (("sw3", "Gi1/0/12"), ("sw2", "Gi1/0/12"))
TO_SW4 = (("sw1", "Gi1/0/10"), ("sw4", "Gi1/0/11"))
FROM_SW4 = (("sw4", "Gi1/0/12"), ("sw2", "Gi1/0/10"))
LINE = (TO_SW3, TO_SW2)
RING = (*LINE, TO_SW4, FROM_SW4)


@pytest.fixture
async def wide(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """sw3 and sw4 are registered and applied; nothing is declared. Red holds all four nodes."""
    async with small_site(tmp_path, prepared, more_switches=("sw3", "sw4")) as site:
        for name in ("sw3", "sw4"):
            await register_switch(site, name, site.wires[name].port)
            await site.call(
                "port.register", switch=name, ports=["Gi1/0/11", "Gi1/0/12"], role="trunk"
            )
        for name in ("sw1", "sw2"):
            await site.call("port.register", switch=name, ports=["Gi1/0/10"], role="trunk")
        await site.succeeds()
        await site.hold_nodes("red", "node-1", "node-2", "node-3", "node-4")
        yield site


async def declare(site: SmallSite, *links: Link) -> None:
    for (switch, port), (peer, peer_port) in links:
        await site.call(
            "port.set", switch=switch, port=port, peer={"switch": peer, "port": peer_port}
        )


async def declare_line(site: SmallSite) -> None:
    """Declare all that there is: the line. Nothing is plugged into the other trunk ports."""
    await declare(site, *LINE)
    await site.call("port.set", switch="sw1", port="Gi1/0/12", hypervisor="master")
    await unregister(site, *TO_SW4, *FROM_SW4)
    await site.succeeds()


async def unregister(site: SmallSite, *places: tuple[str, str]) -> None:
    for switch, port in places:
        await site.call("port.delete", switch=switch, port=port, force=True)


async def declare_ring(site: SmallSite) -> None:
    await declare(site, *RING)
    await site.call("port.set", switch="sw1", port="Gi1/0/12", hypervisor="master")
    await site.succeeds()


def having(site: SmallSite, vlan: int) -> list[str]:
    """Name the switches on which a VLAN exists."""
    return [name for name in SWITCHES if vlan in site.switches[name].running.vlans]


async def joined(site: SmallSite, *nodes: str) -> int:
    """Put nodes on red's new network; return its VLAN id."""
    vlan = await site.network("red", "net")
    for node in nodes:
        await site.connect(node, "net")
    await site.succeeds("red")
    return vlan


async def ports(site: SmallSite, switch: str) -> dict[str, dict[str, Any]]:
    listed = await site.call("port.list", switch=switch)
    return {port["port"]: port for port in listed["items"]}


# --- where VLANs are ------------------------------------------------------------------------------


async def test_with_nothing_declared_a_vlan_is_on_every_switch_with_two_trunk_ports(
    wide: SmallSite,
) -> None:
    vlan = await joined(wide, "node-1", "node-3")
    assert having(wide, vlan) == ["sw1", "sw2", "sw3", "sw4"]


async def test_a_network_that_grows_and_shrinks_is_on_the_switches_between_its_places(
    wide: SmallSite,
) -> None:
    await declare_line(wide)
    vlan = await joined(wide, "node-1", "node-2")
    assert having(wide, vlan) == ["sw1"]
    await wide.connect("node-3", "net")
    plan = await wide.call("plan.show", project="red")
    assert plan["warnings"] == []
    job = await wide.succeeds("red")
    assert having(wide, vlan) == ["sw1", "sw2", "sw3"]
    made = [step["device"] for step in job["steps"] if step["kind"] == "vlan.create"]
    assert made == ["sw2", "sw3"]
    order = [step["kind"] for step in job["steps"]]
    assert order.index("port.set") > max(at for at, k in enumerate(order) if k == "vlan.create")
    await wide.call("nic.disconnect", node="node-3", nic="eth0")
    job = await wide.succeeds("red")
    assert having(wide, vlan) == ["sw1"]
    order = [step["kind"] for step in job["steps"]]
    assert order.index("port.park") < order.index("vlan.delete")
    shown = {one["switch"]: one["vlans"] for one in (await wide.call("switch.list"))["items"]}
    assert shown == {"sw1": str(vlan), "sw2": "", "sw3": "", "sw4": ""}


async def test_the_master_counts_only_while_a_headnode_is_on_the_network(wide: SmallSite) -> None:
    await declare_line(wide)
    vlan = await joined(wide, "node-3", "node-4")
    assert having(wide, vlan) == ["sw2"]
    await wide.call("headnode.create", project="red", headnode="login")
    await wide.call("headnode.connect", project="red", headnode="login", network="net")
    await wide.succeeds("red")
    assert having(wide, vlan) == ["sw1", "sw2", "sw3"]
    await wide.call("headnode.disconnect", project="red", headnode="login", network="net")
    await wide.succeeds("red")
    assert having(wide, vlan) == ["sw2"]


async def test_all_switches_of_a_ring_have_what_passes_it(wide: SmallSite) -> None:
    """Spanning tree may block any link of it."""
    await declare_ring(wide)
    vlan = await joined(wide, "node-1", "node-3")
    assert having(wide, vlan) == ["sw1", "sw2", "sw3", "sw4"]


async def test_declaring_links_lets_the_site_s_plan_remove_vlans_where_nothing_passes(
    wide: SmallSite,
) -> None:
    vlan = await joined(wide, "node-1", "node-3")
    await declare_line(wide)
    assert having(wide, vlan) == ["sw1", "sw2", "sw3"]
    assert (await wide.call("plan.show", project="red"))["empty"]
    await wide.call("port.set", switch="sw1", port="Gi1/0/11", anywhere=True)
    assert (await ports(wide, "sw3"))["Gi1/0/11"]["peer"] is None
    await wide.call("port.register", switch="sw4", ports=["Gi1/0/11", "Gi1/0/12"], role="trunk")
    await wide.succeeds()
    assert having(wide, vlan) == ["sw1", "sw2", "sw3", "sw4"]  # sw4 may be between again


async def test_a_deleted_network_s_vlan_id_is_free_once_the_switches_between_have_saved(
    wide: SmallSite,
) -> None:
    await declare_line(wide)
    vlan = await joined(wide, "node-1", "node-3")
    wide.switches["sw3"].faults.save_error = "NVRAM is busy"
    for node in ("node-1", "node-3"):
        await wide.call("nic.disconnect", node=node, nic="eth0")
    await wide.call("network.delete", project="red", network="net")
    job = await wide.apply("red")
    assert job["state"] == "failed"
    assert having(wide, vlan) == []
    refused = await wide.refused("network.create", project="red", network="other", vlan=vlan)
    assert str(vlan) in refused.message
    wide.switches["sw3"].faults.save_error = None
    await wide.succeeds("red")
    await wide.call("network.create", project="red", network="other", vlan=vlan)


# --- when something fails -------------------------------------------------------------------------


async def test_a_dead_switch_between_two_others_fails_the_job(wide: SmallSite) -> None:
    await declare_line(wide)
    vlan = await joined(wide, "node-1", "node-2")
    await dead(wide, "sw3")
    await wide.connect("node-3", "net")
    job = await wide.apply("red")
    assert job["state"] == "failed"
    assert job["error"].startswith("sw3 ")
    assert states(job, "sw3") == ["failed", "skipped"]
    wide.switches["sw3"].faults.refuse_connections = False
    await wide.succeeds("red")
    assert having(wide, vlan) == ["sw1", "sw2", "sw3"]


async def move_to_sw4(site: SmallSite) -> int:
    """Let the line's cables lead over sw4 instead of sw3, while a network is in use."""
    await declare_ring(site)
    vlan = await joined(site, "node-1", "node-3")
    # As if sw4 had come later:
    site.switches["sw4"].running.vlans.pop(vlan)
    await site.sql("DELETE FROM switch_vlan WHERE switch_id = 4")
    await unregister(site, *TO_SW3, *TO_SW2)
    return vlan


async def test_a_vlan_is_made_on_the_new_way_before_it_is_removed_from_the_old_one(
    wide: SmallSite,
) -> None:
    vlan = await move_to_sw4(wide)
    job = await wide.succeeds()
    assert having(wide, vlan) == ["sw1", "sw2", "sw4"]
    made, removed = step_of(job, "sw4", "vlan.create"), step_of(job, "sw3", "vlan.delete")
    assert made["finished"] <= removed["started"]


async def test_a_vlan_stays_on_the_old_way_if_the_new_one_cannot_be_made(wide: SmallSite) -> None:
    vlan = await move_to_sw4(wide)
    await dead(wide, "sw4")
    job = await wide.apply()
    assert job["state"] == "failed"
    kept = step_of(job, "sw3", "vlan.delete")
    assert kept["state"] == "skipped"
    assert kept["message"].startswith("not sent: sw4: ")
    assert having(wide, vlan) == ["sw1", "sw2", "sw3"]
    wide.switches["sw4"].faults.refuse_connections = False
    await wide.succeeds()
    assert having(wide, vlan) == ["sw1", "sw2", "sw4"]


async def test_a_retired_switch_is_left_out_and_its_line_is_said_to_be_cut(
    wide: SmallSite,
) -> None:
    await declare_line(wide)
    vlan = await joined(wide, "node-1", "node-2")
    await dead(wide, "sw3")
    await wide.call("switch.retire", switch="sw3")
    await wide.connect("node-3", "net")
    plan = await wide.call("plan.show", project="red")
    assert plan["warnings"] == [
        "Network red/net (VLAN 100) may be in several parts: sw1 and sw2 are connected only through"
        " sw3, which is out of service."
    ]
    told = await wide.tenant("rita").call("plan.show", project="red")
    assert told["warnings"] == [
        "Network red/net (VLAN 100) may be in several parts: an admin sees why in the plan."
    ]
    await wide.succeeds("red")
    assert having(wide, vlan) == ["sw1", "sw2"]
    wide.switches["sw3"].faults.refuse_connections = False
    await wide.call("switch.reinstate", switch="sw3")
    await wide.succeeds("red")
    assert having(wide, vlan) == ["sw1", "sw2", "sw3"]


async def test_places_that_nothing_declared_connects_get_a_warning_and_the_vlan_everywhere(
    wide: SmallSite,
) -> None:
    await declare(wide, TO_SW3, (("sw3", "Gi1/0/12"), ("sw4", "Gi1/0/12")))
    await unregister(wide, *TO_SW4)
    await wide.call("port.set", switch="sw1", port="Gi1/0/12", hypervisor="master")
    await wide.succeeds()
    await wide.network("red", "net")
    for node in ("node-1", "node-3"):
        await wide.connect(node, "net")
    [warning] = (await wide.call("plan.show", project="red"))["warnings"]
    assert "nothing that is declared connects sw1 with sw2, so the VLAN is made on" in warning
    await wide.succeeds("red")
    assert having(wide, 100) == ["sw1", "sw2", "sw3"]


# --- declaring ------------------------------------------------------------------------------------


async def test_declaring_one_end_declares_the_other_and_contradictions_are_refused(
    wide: SmallSite,
) -> None:
    await declare(wide, TO_SW3)
    there = (await ports(wide, "sw3"))["Gi1/0/11"]
    assert there["peer"] == {"switch": "sw1", "port": "Gi1/0/11"}
    await declare(wide, TO_SW3[::-1])  # the same once more
    peer = {"switch": "sw1", "port": "Gi1/0/11"}
    refused = await wide.refused("port.set", switch="sw4", port="Gi1/0/11", peer=peer)
    assert refused.kind == "conflict"
    assert refused.message == (
        "Port Gi1/0/11 of sw1 is declared to lead to sw3 Gi1/0/11: if that is wrong, take it back"
        " first with  port set sw1 Gi1/0/11 --anywhere"
    )
    for params, why in (
        ({"peer": {"switch": "sw1", "port": "Gi1/0/12"}}, "a link joins two switches"),
        ({"peer": {"switch": "sw2", "port": "Gi1/0/1"}}, "is an access port"),
        ({"peer": {"switch": "sw2", "port": "Gi1/0/9"}}, "has no port Gi1/0/9"),
        ({"hypervisor": "hv9"}, "There is no hypervisor hv9"),
        ({}, "give one of them"),
        ({"peer": peer, "hypervisor": "master"}, "give one of them"),
    ):
        refused = await wide.refused("port.set", switch="sw1", port="Gi1/0/10", **params)
        assert why in refused.message
    refused = await wide.refused("port.set", switch="sw1", port="Gi1/0/1", hypervisor="master")
    assert "is an access port" in refused.message
    await wide.call("port.set", switch="sw1", port="Gi1/0/11", hypervisor="master")
    assert (await ports(wide, "sw3"))["Gi1/0/11"]["peer"] is None


async def test_a_port_is_registered_with_its_peer_and_a_deleted_one_leaves_the_other_open(
    wide: SmallSite,
) -> None:
    peer = {"switch": "sw1", "port": "Gi1/0/10"}
    call = {"switch": "sw3", "role": "trunk", "peer": peer}
    refused = await wide.refused("port.register", ports=["Gi1/0/7", "Gi1/0/8"], **call)
    assert "register the ports one by one" in refused.message
    [made] = await wide.call("port.register", ports=["Gi1/0/7"], **call)
    assert made["peer"] == peer
    shown = await wide.call("port.show", switch="sw1", port="Gi1/0/10")
    assert shown["peer"] == {"switch": "sw3", "port": "Gi1/0/7"}
    await wide.call("port.delete", switch="sw3", port="Gi1/0/7", force=True)
    assert (await wide.call("port.show", switch="sw1", port="Gi1/0/10"))["peer"] is None


async def test_links_come_and_go_with_the_site_file(wide: SmallSite) -> None:
    await declare_ring(wide)
    text = (await wide.call("site.export"))["site"]
    cables = [text.count(f'switch = "{name}"') for name in ("sw3", "sw4")]
    assert cables == [2, 2]  # one end of each is enough
    assert 'hypervisor = "master"' in text
    again = await wide.call("site.import", site=text)
    assert (again["created"], again["changed"]) == ([], [])
    await wide.call("port.set", switch="sw1", port="Gi1/0/11", anywhere=True)
    changes = await wide.call("site.import", site=text)
    assert changes["created"] == ["link sw1 Gi1/0/11"]
    assert (await wide.call("site.export"))["site"] == text
    wrong = {"switches": {"sw1": {"links": {"Gi1/0/11": {"switch": "sw3"}}}}}
    wrong["switches"]["sw1"] |= {"dialect": "cisco_ios", "host": "127.0.0.1"}  # type: ignore[dict-item]
    refused = await wide.refused("site.import", site=wrong, dry_run=True)
    assert refused.data["field"].startswith("site.switches.sw1")


# --- what LLDP says -------------------------------------------------------------------------------


def hears(site: SmallSite, place: tuple[str, str], neighbour: tuple[str, str]) -> None:
    """Let a switch hear the LLDP of a neighbour on a port."""
    switch = site.switches[place[0]]
    port = switch.full_port(place[1])
    said = Announced("00:1b:54:00:00:0" + neighbour[0][-1], neighbour[1], neighbour[0])
    switch.plug(port, Plugged(lldp=(said,)))


async def test_lldp_proposes_links_with_the_command_that_declares_them(wide: SmallSite) -> None:
    for one, other in LINE:
        hears(wide, one, other)
    hears(wide, TO_SW3[1], TO_SW3[0])
    report = await wide.call("cabling.check")
    assert [each["command"] for each in report["link_proposals"]] == [
        "port set sw1 Gi1/0/11 --peer switch=sw3,port=Gi1/0/11",
        "port set sw2 Gi1/0/12 --peer switch=sw3,port=Gi1/0/12",
    ]
    await declare(wide, *LINE)
    report = await wide.call("cabling.check")
    assert (report["link_proposals"], report["wrong_links"], report["alarms"]) == ([], [], 0)


async def test_lldp_that_contradicts_a_declared_link_is_an_alarm_until_it_agrees(
    wide: SmallSite,
) -> None:
    await declare(wide, TO_SW3)
    hears(wide, TO_SW3[0], ("sw4", "Gi1/0/11"))
    report = await wide.call("cabling.check")
    assert report["alarms"] == 1
    assert report["wrong_links"] == [
        {
            "switch": "sw1",
            "port": "Gi1/0/11",
            "declared": "sw3 Gi1/0/11",
            "why": "its LLDP says that sw4 Gi1/0/11 is there",
        }
    ]
    assert report["link_proposals"] == []
    health = await wide.call("system.health")
    assert health["wrong_links"] == 1
    assert any("sw1 Gi1/0/11: not cabled as declared" in each for each in health["problems"])
    [end] = (await wide.call("switch.show", switch="sw1"))["trunks"]
    assert end["wrong"] == "its LLDP says that sw4 Gi1/0/11 is there"
    switch = wide.switches["sw1"]
    switch.plug(switch.full_port("Gi1/0/11"), Plugged())  # silence is no excuse
    assert (await wide.call("cabling.check"))["alarms"] == 1
    hears(wide, *TO_SW3)
    assert (await wide.call("cabling.check"))["alarms"] == 0
