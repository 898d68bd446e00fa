"""The steps of a move wait for each other, and hold each other back, across devices."""

from __future__ import annotations

import pytest

from haas_rpcd.engine.journal import Entry, Verdict
from haas_rpcd.engine.moves import Moves
from haas_rpcd.model import HeadnodeNic, HeadnodeSeen, Phase, SetBridge, SetVlan, Step
from haas_rpcd.planner import plan
from haas_rpcd.planner.steps import step
from haas_rpcd.states import Applied, Desired, HeadnodeGoal

NIC = HeadnodeNic("nic0", "52:54:00:00:00:01", 104)


def entries() -> list[Entry]:
    """Return the steps that move red/desk, beside VLANs on switches that come and go with that."""
    goal = HeadnodeGoal("uuid", "base", True, True, (NIC,), "master", "hv2", "token")
    planned = plan(
        Desired(headnodes={"red/desk": goal}, networks={104: "red/net"}),
        Applied(
            headnodes={"red/desk": HeadnodeSeen(True, True, (NIC,))},
            bridges={"master": {104: True}},
            hypervisors=frozenset({"master", "hv2"}),
        ),
    )
    on_switches = [
        step(Phase.VLANS, "sw2", SetVlan(104, True), "make VLAN 104 (red/net)"),
        step(Phase.VLANS, "sw3", SetVlan(105, True), "make VLAN 105 (blue/net)"),
        step(Phase.REMOVE, "sw1", SetVlan(104, False), "remove VLAN 104 (red/net)"),
        step(Phase.REMOVE, "sw1", SetVlan(106, False), "remove VLAN 106 (red/old)"),
    ]
    steps = sorted([*planned.steps, *on_switches], key=lambda each: each.phase)
    return [Entry(number, each) for number, each in enumerate(steps)]


def sent(failing: str) -> list[str]:
    """Send all steps; the one of this device and kind fails. Return what is sent after that."""
    every = entries()
    moves = Moves(every)
    after: list[str] = []
    failed = False
    for entry in every:
        if held := moves.held_back([entry]):
            assert held[0].state == "skipped"
            assert "not sent: " in (held[0].message or "")
            continue
        fails = name(entry.step) == failing
        if failed:
            after.append(name(entry.step))
        failed |= fails
        state = "failed" if fails else "done"
        moves.note([Verdict(entry, state, "it failed" if fails else None)])
    assert failed
    return after


def name(one: Step) -> str:
    vlan = f" {one.change.vlan}" if isinstance(one.change, SetVlan | SetBridge) else ""
    return f"{one.device} {one.kind}{vlan}"


OTHERS = ["sw1 vlan.delete 106"]


@pytest.mark.parametrize(
    ("failing", "after"),
    [
        (
            "sw2 vlan.create 104",
            ["sw3 vlan.create 105", "hv2 bridge.create 104", *OTHERS],
        ),
        ("hv2 bridge.create 104", OTHERS),
        ("copy:hv2 headnode.prepare", ["hv2 bridge.create 104", *OTHERS]),
        ("libvirt headnode.stop", OTHERS),
        ("copy:hv2 headnode.copy", OTHERS),
        ("libvirt:hv2 headnode.start", OTHERS),
        ("libvirt headnode.delete", OTHERS),
    ],
)
def test_a_step_that_fails_holds_back_the_rest_of_the_move(failing: str, after: list[str]) -> None:
    """What the headnode needs at its old place stays; what is not its own goes on."""
    assert sent(failing) == after


def test_only_what_takes_part_in_the_move_waits_without_limit() -> None:
    moves = Moves(entries())
    for one, other in (
        ("libvirt", "copy:hv2"),
        ("libvirt", "libvirt:hv2"),
        ("libvirt", "hv2"),
        ("libvirt", "sw2"),
        ("sw1", "copy:hv2"),
    ):
        assert moves.linked(one, other), (one, other)
        assert moves.linked(other, one)
    for one, other in (("sw1", "sw2"), ("libvirt", "sw3"), ("sw1", "hv2")):
        assert not moves.linked(one, other), (one, other)


def test_without_a_move_nothing_waits_and_nothing_is_held_back() -> None:
    stays = [entry for entry in entries() if entry.step.device.startswith(("sw", "hv2"))]
    moves = Moves(stays)
    assert not moves.linked("sw1", "hv2")
    assert moves.held_back(stays) == []
    assert moves.starts_again() == []
