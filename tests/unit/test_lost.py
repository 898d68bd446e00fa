"""What the daemon restores by itself after a reboot of the master, and what it leaves to owners."""

from __future__ import annotations

import pytest

from haas_rpcd.devicenames import LIBVIRT, MASTER
from haas_rpcd.model import BridgeSeen, HeadnodeNic, HeadnodeSeen
from haas_rpcd.planner import drift, lost
from haas_rpcd.states import Applied, Difference, Observed

NIC = HeadnodeNic("nic0", "52:54:00:00:00:01", 104)
OFF_NETWORK = HeadnodeNic("nic0", NIC.mac, 0)
ELSEWHERE = HeadnodeNic("nic0", NIC.mac, 105)
RAN = HeadnodeSeen(True, True, (NIC,))


def bridge(*, applied: bool, observed: BridgeSeen | bool) -> Difference:
    return Difference(MASTER, "bridge", "br-vlan104", applied, observed)


def headnode(now: HeadnodeSeen, was: HeadnodeSeen = RAN) -> Difference:
    return Difference(LIBVIRT, "headnode", "red/head", was, now)


BRIDGES = [
    bridge(applied=True, observed=BridgeSeen(False)),
    bridge(applied=True, observed=BridgeSeen(True, ("br-vlan104 is down",))),
]

HEADNODES = {
    "off": HeadnodeSeen(True, False, (NIC,)),
    "saved to disk when the master shut down": HeadnodeSeen(True, False, (NIC,), "suspended"),
    "crashed": HeadnodeSeen(True, False, (NIC,), "crashed"),
    "started by somebody else": HeadnodeSeen(True, True, (OFF_NETWORK, NIC)),
}

LEFT = {
    "gone": HeadnodeSeen(False),
    "paused": HeadnodeSeen(True, False, (NIC,), "paused"),
    "off and edited": HeadnodeSeen(True, False, (ELSEWHERE,)),
    "on another network": HeadnodeSeen(True, True, (ELSEWHERE, NIC)),
    "with one more nic": HeadnodeSeen(True, True, (HeadnodeNic("x", "52:54:00:00:00:02", 0), NIC)),
}


@pytest.mark.parametrize("difference", BRIDGES)
def test_bridges_are_always_restored(difference: Difference) -> None:
    assert lost([difference], with_headnodes=False) == [difference]


def test_a_bridge_that_nobody_applied_is_left() -> None:
    assert lost([bridge(applied=False, observed=True)], with_headnodes=True) == []


@pytest.mark.parametrize("how", HEADNODES)
def test_headnodes_that_ran_are_restored_after_a_reboot(how: str) -> None:
    difference = headnode(HEADNODES[how])
    assert lost([difference], with_headnodes=True) == [difference]
    assert lost([difference], with_headnodes=False) == []


@pytest.mark.parametrize("how", LEFT)
def test_what_somebody_changed_is_left_to_the_owner(how: str) -> None:
    assert lost([headnode(LEFT[how])], with_headnodes=True) == []


def test_a_headnode_that_was_stopped_is_not_started() -> None:
    was = HeadnodeSeen(True, False, (NIC,))
    assert lost([headnode(HeadnodeSeen(True, False), was)], with_headnodes=True) == []


@pytest.mark.parametrize("ran", [True, False])
def test_a_headnode_that_crashed_has_drifted_only_if_it_was_to_run(ran: bool) -> None:
    name = "red/head"
    applied = Applied(headnodes={name: HeadnodeSeen(True, ran, (NIC,))})
    now = {name: HeadnodeSeen(True, False, (NIC,), "crashed")}
    found = drift(applied, Observed(devices=frozenset({LIBVIRT}), headnodes=now))
    assert [one.target for one in found] == [name] * ran
