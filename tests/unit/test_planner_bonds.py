"""What the planner makes of a bond: one port with members, in an order that is safe."""

from __future__ import annotations

from haas_rpcd.model import PARKED, Channel, Phase, PortConfig, PortRef, PortSeen, SetPort, Step
from haas_rpcd.planner import drift, plan, repair
from haas_rpcd.states import (
    Applied,
    AppliedPort,
    Desired,
    Observed,
    PortGoal,
    SwitchTraits,
)

CHANNEL = Channel("Po25", "lacp")
ACCESS = PortConfig(104)
MEMBER = PortConfig(104, member=CHANNEL)
SWITCHES = {"sw1": SwitchTraits(declares_vlans=True, saves=True, trunks=1)}
PORTS = ("Gi1", "Gi2", "Po25")


def desired(member: PortConfig, channel: PortConfig, networks: dict[int, str]) -> Desired:
    wanted = {"Gi1": member, "Gi2": member, "Po25": channel}
    ports = {
        PortRef("sw1", port): PortGoal(config, "node-1:bond0", channel=CHANNEL)
        for port, config in wanted.items()
    }
    return Desired(ports=ports, networks=networks)


def applied(
    member: PortConfig | None, channel: PortConfig | None, vlans: dict[int, bool]
) -> Applied:
    confirmed = {"Gi1": member, "Gi2": member, "Po25": channel}
    ports = {
        PortRef("sw1", port): AppliedPort(config, CHANNEL) for port, config in confirmed.items()
    }
    return Applied(ports=ports, vlans={"sw1": vlans}, switches=SWITCHES)


def shown(steps: tuple[Step, ...] | list[Step]) -> list[tuple[Phase, str, str]]:
    return [(step.phase, step.kind, step.target) for step in steps]


def test_the_channel_is_made_before_its_members_join() -> None:
    made = plan(desired(MEMBER, ACCESS, {104: "lab"}), applied(PARKED, PARKED, {}))
    assert shown(made.steps) == [
        (Phase.VLANS, "vlan.create", "104"),
        (Phase.VLANS, "channel.set", "Po25"),
        (Phase.JOIN, "port.set", "Gi1"),
        (Phase.JOIN, "port.set", "Gi2"),
        (Phase.SAVE, "config.save", ""),
    ]
    assert made.steps[1].summary == "make Po25 (node-1:bond0) with access 104"
    assert made.steps[2].summary == "set Gi1 (node-1:bond0) to access 104 in Po25 (lacp)"


def test_the_channel_is_removed_after_its_members_left_and_before_its_vlan() -> None:
    made = plan(desired(PARKED, PARKED, {104: "lab"}), applied(MEMBER, ACCESS, {104: True}))
    assert shown(made.steps) == [
        (Phase.LEAVE, "port.park", "Gi1"),
        (Phase.LEAVE, "port.park", "Gi2"),
        (Phase.VLANS, "channel.delete", "Po25"),
        (Phase.REMOVE, "vlan.delete", "104"),
        (Phase.SAVE, "config.save", ""),
    ]
    assert all(
        step.change.channel == CHANNEL for step in made.steps if isinstance(step.change, SetPort)
    )


def test_a_bond_that_changes_its_networks_is_not_parked() -> None:
    other = PortConfig(105)
    goal = desired(PortConfig(105, member=CHANNEL), other, {105: "lab"})
    made = plan(goal, applied(MEMBER, ACCESS, {105: True}))
    assert [step.kind for step in made.steps] == [
        "channel.set", "port.set", "port.set", "config.save",
    ]  # fmt: skip


def test_members_whose_state_is_not_known_are_parked_before_they_join() -> None:
    made = plan(desired(MEMBER, ACCESS, {104: "lab"}), applied(None, ACCESS, {104: True}))
    assert shown(made.steps)[:4] == [
        (Phase.LEAVE, "port.park", "Gi1"),
        (Phase.LEAVE, "port.park", "Gi2"),
        (Phase.JOIN, "port.set", "Gi1"),
        (Phase.JOIN, "port.set", "Gi2"),
    ]


def test_a_channel_is_repaired_without_being_removed_under_its_members() -> None:
    was = applied(MEMBER, ACCESS, {104: True})
    seen = {
        PortRef("sw1", "Gi1"): PortSeen(MEMBER),
        PortRef("sw1", "Gi2"): PortSeen(PortConfig(member=CHANNEL)),  # it is shut
        PortRef("sw1", "Po25"): PortSeen(PortConfig(999)),
    }
    found = drift(was, Observed(devices=frozenset({"sw1"}), ports=seen))
    assert [(each.target, each.channel) for each in found] == [("Gi2", CHANNEL), ("Po25", CHANNEL)]
    assert shown(repair(found, {}, was)) == [
        (Phase.LEAVE, "port.park", "Gi2"),
        (Phase.VLANS, "channel.set", "Po25"),
        (Phase.JOIN, "port.set", "Gi2"),
        (Phase.SAVE, "config.save", ""),
    ]


def test_a_shut_member_is_neither_open_nor_parked() -> None:
    seen = PortSeen(PortConfig(member=CHANNEL))
    assert not seen.open
    assert seen.believed != PARKED
    assert seen.describe() == "no VLAN in Po25 (lacp)"
