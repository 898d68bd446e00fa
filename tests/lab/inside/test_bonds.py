"""A node's bond on a real switch: the kernel's bonding on both sides, and real frames.

node-1 bundles both of its nics. node-2 is on the same network and hears it; node-3 is on another
one and hears nothing.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..master import Master
from ..matrix import publish
from ..topology import CommandFailed, Lab, ip, run, show

pytestmark = pytest.mark.second_kernel

SECONDS = 60.0
LEGS = ("p1", "p2")
PLAIN = ("p4", "p6")
CHANNEL = "bond25"
MODES = {
    "lacp": "mode 802.3ad lacp_rate fast xmit_hash_policy layer2+3",
    "static": "mode balance-xor xmit_hash_policy layer2+3",
    "active-backup": "mode active-backup",
}
FLOWS = 16
LACP = pytest.mark.parametrize("joined", ["lacp"], indirect=True)


@pytest.fixture(scope="module")
def master(lab: Lab) -> Iterator[Master]:
    """A daemon that knows the switch and nodes 2 and 3, which two projects hold."""
    run("modprobe", "bonding")
    started = Master(Path(os.environ["HAAS_LAB_INSIDE"]) / "bonds", lab)
    started.start()
    started.run(
        "site",
        "switch register sw1 linux_bridge 10.0.0.2\n"
        "port register sw1 p1 p2 p4 p6\n"
        'node register node-2 \'[{"nic": "eth0", "switch": "sw1", "port": "p4"}]\'\n'
        'node register node-3 \'[{"nic": "eth0", "switch": "sw1", "port": "p6"}]\'\n'
        "project create red\nproject create blue\n",
    )
    yield started
    started.stop()


@pytest.fixture(scope="module", params=["lacp", "static", "active-backup"])
def joined(master: Master, lab: Lab, request: pytest.FixtureRequest) -> Iterator[str]:
    """node-1, bundled in this mode, and node-2 are on red's network; node-3 is on blue's."""
    mode: str = request.param
    ports = json.dumps([{"switch": "sw1", "port": port} for port in LEGS])
    nic = json.dumps([{"nic": "bond0", "bond": mode, "ports": json.loads(ports)}])
    _bundle(mode)
    for node, address in (("node-2", 2), ("node-3", 3)):
        flows = range(FLOWS)
        ip(node, *(f"addr add 10.9.{flow}.{address}/24 dev primary-nic" for flow in flows))
    master.run(
        f"join-{mode}",
        f"node register node-1 '{nic}'\napply --site\n"
        "node allocate red node-1\nnode allocate red node-2\nnode allocate blue node-3\n"
        "network create red net --vlan 104\nnetwork create blue other --vlan 105\n"
        "nic connect node-1 bond0 net\nnic connect node-2 eth0 net\nnic connect node-3 eth0 other\n"
        "apply red\napply blue\n",
    )
    yield mode
    for node in ("node-2", "node-3"):
        ip(node, "addr flush dev primary-nic")
    ip("node-1", "link delete bond0")


def _bundle(mode: str) -> None:
    """Bundle the two nics of node-1, on the node's side."""
    ip(
        "node-1",
        f"link add bond0 type bond {MODES[mode]} miimon 100",
        *(f"link set {nic} down" for nic in ("ipmi-nic", "primary-nic")),
        *(f"link set {nic} master bond0" for nic in ("ipmi-nic", "primary-nic")),
        *(f"addr add 10.9.{flow}.1/24 dev bond0" for flow in range(FLOWS)),
        "link set bond0 up",
    )


def pings(address: str, count: int, *, node: str = "node-1") -> int:
    """Return how many of some pings from a node are answered."""
    command = f"ping -c {count} -i 0.05 -W 1 {address}".split()
    try:
        said = run("ip", "netns", "exec", node, *command)
    except CommandFailed as failed:
        said = str(failed)
    found = re.search(r"(\d+) received", said)
    return int(found[1]) if found else 0


def until_it_answers(address: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not pings(address, 1):
        assert time.monotonic() < deadline, (address, on_switch())


WORKS = 63
"""The state of a port by IEEE 802.1AX that is in sync, collects and distributes; short timeouts."""


def until_both_legs_carry(mode: str) -> None:
    """Wait until the bond sends over both legs, on both sides: LACP rearranges them at first."""
    sides = [("node-1", ["ipmi-nic", "primary-nic"])]
    if mode != "active-backup":
        sides.append(("sw1", LEGS))

    def carry() -> bool:
        return all(
            _carries(leg["linkinfo"].get("info_slave_data", {}), mode)
            for namespace, legs in sides
            for leg in show("ip", namespace, "-details", "link", "show")
            if leg["ifname"] in legs
        )

    deadline = time.monotonic() + SECONDS
    while not carry():
        assert time.monotonic() < deadline, on_switch()


def _carries(leg: dict[str, Any], mode: str) -> bool:
    if leg.get("mii_status") != "UP":
        return False
    sides = ("ad_actor_oper_port_state", "ad_partner_oper_port_state")
    return mode != "lacp" or all(leg[side] == WORKS for side in sides)


def sent_through(port: str) -> int:
    """Return how many frames the switch has sent through a port."""
    [link] = show("ip", "sw1", "-s", "link", "show", "dev", port)
    return int(link["stats64"]["tx"]["packets"])


def on_switch() -> dict[str, Any]:
    """Return of each port, and of the channel: up or not, its master, its VLANs."""
    names = (*LEGS, *PLAIN, CHANNEL)
    vlans = {
        entry["ifname"]: [vlan["vlan"] for vlan in entry["vlans"]]
        for entry in show("bridge", "sw1", "vlan", "show")
    }
    return {
        link["ifname"]: ("UP" in link["flags"], link.get("master"), vlans.get(link["ifname"], []))
        for link in show("ip", "sw1", "link", "show")
        if link["ifname"] in names
    }


def test_frames_take_both_legs_and_reach_their_own_network_only(joined: str) -> None:
    until_both_legs_carry(joined)
    until_it_answers("10.9.0.2")
    state = on_switch()
    if joined == "active-backup":
        assert [state[port] for port in LEGS] == [(True, "br0", [104])] * 2
        assert CHANNEL not in state
    else:
        assert [state[port] for port in LEGS] == [(True, CHANNEL, [])] * 2
        assert state[CHANNEL] == (True, "br0", [104])

    before = [sent_through(port) for port in LEGS]
    assert [pings(f"10.9.{flow}.2", 1) for flow in range(FLOWS)] == [1] * FLOWS
    took = [after - sent for sent, after in zip(before, map(sent_through, LEGS), strict=True)]
    if joined != "active-backup":
        assert min(took) > 0, f"{joined}: frames to node-1 by leg: {took}"

    assert pings("10.9.0.3", 3) == 0, "node-3 is on another network"
    assert pings("10.9.0.2", 3, node="node-3") == 0


def test_a_leg_that_is_cut_costs_no_connection(joined: str) -> None:
    until_it_answers("10.9.0.2")
    table = ["pings of 20 that are answered   own network   foreign network"]
    for cut in (None, "ipmi-nic", "primary-nic"):
        if cut is not None:
            ip("node-1", f"link set {cut} down")
        until_it_answers("10.9.0.2")
        own, foreign = pings("10.9.0.2", 20), pings("10.9.0.3", 20)
        legs = "both legs" if cut is None else f"{cut} cut"
        table.append(f"{legs:31} {own:11}   {foreign:15}")
        assert (own, foreign) == (20, 0), f"{joined}, {legs}"
        if cut is not None:
            ip("node-1", f"link set {cut} up")
            until_it_answers("10.9.0.2")
    publish(f"bond {joined}", "\n".join(table))


@LACP
def test_its_networks_change_while_it_is_in_use(joined: str, master: Master) -> None:
    master.run(
        "tagged",
        "network create red more --vlan 106\nnic connect node-1 bond0 more --tagged\napply red\n",
    )
    until_it_answers("10.9.0.2")
    assert on_switch()[CHANNEL][2] == [104, 106]
    assert master.call("drift.check", switch="sw1")["items"] == []
    master.run(
        "untagged",
        "nic disconnect node-1 bond0 more\napply red\nnetwork delete red more\napply red\n",
    )
    assert on_switch()[CHANNEL][2] == [104]


@LACP
def test_a_member_that_somebody_takes_out_is_drift_and_is_repaired(
    joined: str, master: Master
) -> None:
    ip("sw1", "link set p1 down", "link set p1 nomaster")
    found = master.call("drift.check", switch="sw1")["items"]
    assert [item["target"] for item in found] == ["p1"]
    master.run("repair", "drift repair sw1\n")
    until_it_answers("10.9.0.2")
    assert master.call("drift.check", switch="sw1")["items"] == []
    assert on_switch()["p1"] == (True, CHANNEL, [])


@LACP
def test_a_stranger_in_the_channel_is_shown(joined: str, master: Master) -> None:
    ip("sw1", "link set p5 down", f"link set p5 master {CHANNEL}")
    found = master.call("drift.check", switch="sw1")["items"]
    ip("sw1", "link set p5 down", "link set p5 nomaster")
    assert [(item["target"], item["not_understood"][:2]) for item in found] == [(CHANNEL, "p5")]
    assert master.call("drift.check", switch="sw1")["items"] == []


def test_a_released_bond_leaves_nothing_behind(joined: str, master: Master) -> None:
    master.run(
        f"leave-{joined}",
        "node release node-1\nnode release node-2\nnode release node-3\napply --site\n"
        "network delete red net\nnetwork delete blue other\napply red\napply blue\n",
    )
    state = on_switch()
    assert CHANNEL not in state
    assert [state[port] for port in (*LEGS, *PLAIN)] == [(False, "br0", [])] * 4
    assert master.call("node.show", node="node-1")["state"] == "free"
    assert pings("10.9.0.2", 2) == 0
    assert "Traceback" not in master.log()
    master.run(f"delete-{joined}", "node delete node-1\n")
