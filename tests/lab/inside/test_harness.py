"""The lab itself, without HaaS: it hears all frames that arrive, and detects leaks."""

from collections.abc import Iterator

import pytest

from ..frames import Wire
from ..hypervisor import BASE, Hypervisor, overlay_domain
from ..matrix import TRUNK, tagged
from ..terminal import Refused, Terminal, log_in
from ..topology import Lab, add_bridge, remove_bridge, show

NETWORKS = {
    104: {"node-1:ipmi-nic", "node-2:primary-nic"},
    105: {"node-2:ipmi-nic", "node-3:primary-nic"},
}
"""The networks to which the tests set the switch."""


@pytest.fixture
def two_networks(lab: Lab) -> None:
    """Set the switch to carry NETWORKS and nothing else."""
    lab.switch.park(*lab.switch.ports)
    for vlan, members in NETWORKS.items():
        for name in members:
            lab.switch.carry(lab.nic(name).port, untagged=vlan)
    lab.switch.carry(lab.switch.trunk_port, tagged=range(100, 111))


@pytest.fixture
def bridges() -> Iterator[None]:
    """The master's bridges for NETWORKS."""
    for vlan in NETWORKS:
        add_bridge(vlan)
    yield
    for vlan in NETWORKS:
        remove_bridge(vlan)


def test_on_a_new_switch_nobody_hears_anybody(lab: Lab, wire: Wire) -> None:
    matrix = wire.who_hears_whom(tags=[1, 104])
    matrix.publish("fresh switch")
    assert matrix.differences({}) == []


def test_with_all_ports_parked_nobody_hears_anybody(lab: Lab, wire: Wire) -> None:
    lab.switch.park(*lab.switch.ports)
    assert set(lab.switch.carried().values()) == {(None, ())}
    assert wire.who_hears_whom(tags=[1, 104]).differences({}) == []


async def test_vlans_typed_at_the_switch_make_the_matrix(
    lab: Lab, wire: Wire, terminal: Terminal
) -> None:
    for vlan, members in NETWORKS.items():
        for port in (lab.nic(name).port for name in members):
            await terminal.type(f"bridge vlan add dev {port} vid {vlan} pvid untagged")
            await terminal.type(f"ip link set dev {port} up")
    await terminal.type("bridge vlan add dev p7 vid 100-110")
    await terminal.type("ip link set dev p7 up")

    matrix = wire.who_hears_whom(tags=[104, 105])

    matrix.publish("typed at the switch")
    assert matrix.differences(NETWORKS) == []
    assert matrix.rows["node-1:ipmi-nic"] == {"node-2:primary-nic": {()}, TRUNK: {(104,)}}


async def test_a_line_that_fails_on_the_switch_is_an_error(terminal: Terminal) -> None:
    with pytest.raises(Refused, match='exit status 255: Cannot find bridge device "p99"'):
        await terminal.type("bridge vlan add dev p99 vid 104")


async def test_the_switch_refuses_a_wrong_password(lab: Lab) -> None:
    with pytest.raises(Refused, match="Login incorrect"):
        async with log_in(lab.switch.address, password="guessed"):
            pass


@pytest.mark.usefixtures("two_networks")
def test_a_port_in_the_wrong_vlan_is_a_leak(lab: Lab, wire: Wire) -> None:
    lab.switch.carry(lab.nic("node-3:ipmi-nic").port, untagged=105)
    differences = wire.who_hears_whom().differences(NETWORKS)
    assert "LEAK: node-3:ipmi-nic hears node-2:ipmi-nic" in differences
    assert "LEAK: node-2:ipmi-nic hears node-3:ipmi-nic" in differences
    assert "LEAK: trunk hears node-3:ipmi-nic with tag 105" in differences
    assert not [line for line in differences if "node-1" in line or "DEAF" in line]


@pytest.mark.usefixtures("two_networks")
def test_an_extra_vlan_on_a_port_is_a_leak(lab: Lab, wire: Wire) -> None:
    port = lab.nic("node-1:ipmi-nic").port
    lab.switch.carry(port, untagged=104, tagged=[105])
    differences = wire.who_hears_whom(tags=[105]).differences(NETWORKS)
    assert "LEAK: node-1:ipmi-nic hears node-2:ipmi-nic with tag 105" in differences
    assert "LEAK: node-2:ipmi-nic hears node-1:ipmi-nic tagged 105" in differences


@pytest.mark.usefixtures("two_networks")
async def test_a_moment_in_the_wrong_vlan_is_a_leak(
    lab: Lab, wire: Wire, terminal: Terminal
) -> None:
    port = lab.nic("node-1:primary-nic").port
    with wire.watch() as without_change:
        await terminal.type("true")
    with wire.watch() as with_change:
        await terminal.type(f"bridge vlan add dev {port} vid 105 pvid untagged")
        await terminal.type(f"ip link set dev {port} up")
        await terminal.type(f"bridge vlan del dev {port} vid 105")
        await terminal.type(f"ip link set dev {port} down")

    (unchanged,), (changed,) = without_change.pages, with_change.pages
    # A watch may be too short for every frame to be heard, so only leaks count.
    assert not [line for line in unchanged.differences(NETWORKS) if line.startswith("LEAK")]
    assert "LEAK: node-1:primary-nic hears node-2:ipmi-nic" in changed.differences(NETWORKS)
    assert wire.who_hears_whom().differences(NETWORKS) == []


@pytest.mark.usefixtures("two_networks")
def test_a_watch_separates_pages(lab: Lab, wire: Wire) -> None:
    port = lab.nic("node-1:primary-nic").port
    with wire.watch() as watch:
        lab.switch.carry(port, untagged=105)
        lab.switch.park(port)
        watch.turn_page()
        lab.switch.carry(port, untagged=104)
        lab.switch.park(port)
    before, after = watch.pages
    assert "LEAK: node-1:primary-nic hears node-2:ipmi-nic" in before.differences(NETWORKS)
    assert not [line for line in before.differences(NETWORKS) if "node-1:ipmi-nic" in line]
    assert "LEAK: node-1:primary-nic hears node-1:ipmi-nic" in after.differences(NETWORKS)
    assert not [line for line in after.differences(NETWORKS) if "node-2:ipmi-nic" in line]


@pytest.mark.usefixtures("two_networks")
def test_a_port_without_its_vlan_is_deaf(lab: Lab, wire: Wire) -> None:
    lab.switch.park(lab.nic("node-1:ipmi-nic").port)
    assert set(wire.who_hears_whom().differences(NETWORKS)) == {
        "DEAF: node-1:ipmi-nic does not hear node-2:primary-nic",
        "DEAF: node-2:primary-nic does not hear node-1:ipmi-nic",
        "DEAF: trunk does not hear node-1:ipmi-nic with tag 104",
    }


@pytest.mark.usefixtures("two_networks")
def test_a_nic_connected_tagged_hears_its_network_with_the_tag(lab: Lab, wire: Wire) -> None:
    lab.switch.carry(lab.nic("node-1:ipmi-nic").port, untagged=104, tagged=[105])
    networks = {104: NETWORKS[104], 105: NETWORKS[105] | {tagged("node-1:ipmi-nic", 105)}}
    assert wire.who_hears_whom(tags=[104, 105]).differences(networks) == []


@pytest.mark.usefixtures("two_networks", "bridges")
def test_the_masters_bridges_hear_their_networks(wire: Wire) -> None:
    matrix = wire.who_hears_whom()
    networks = {vlan: {*members, f"br-vlan{vlan}"} for vlan, members in NETWORKS.items()}
    assert matrix.differences(networks) == []


@pytest.mark.usefixtures("two_networks", "bridges")
def test_a_headnode_is_heard_only_on_its_network(
    lab: Lab, wire: Wire, hypervisor: Hypervisor
) -> None:
    mac = "52:54:00:00:00:0a"
    hypervisor.define(overlay_domain("headnode-A", mac, "br-vlan104"))
    hypervisor.virsh("start", "headnode-A")
    try:
        tap = hypervisor.nics("headnode-A")[0]["interface"]
        (heard,) = wire.where_heard(mac)
        matrix = wire.who_hears_whom(taps={"headnode-A": tap})
    finally:
        hypervisor.remove("headnode-A")

    matrix.rows["headnode-A"] = heard
    matrix.publish("a headnode")
    networks = {vlan: {*members, f"br-vlan{vlan}"} for vlan, members in NETWORKS.items()}
    networks[104].add("headnode-A")
    assert matrix.differences(networks) == []
    assert heard == {
        "node-1:ipmi-nic": {()},
        "node-2:primary-nic": {()},
        "br-vlan104": {()},
        TRUNK: {(104,)},
    }
    assert tap not in {link["ifname"] for link in show("ip", None, "link", "show")}


def test_libvirtd_can_be_stopped_and_started(hypervisor: Hypervisor) -> None:
    hypervisor.stop_libvirtd()
    assert not hypervisor.answers()
    hypervisor.start()
    assert BASE in hypervisor.domains() - hypervisor.running()
