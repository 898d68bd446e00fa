"""The sentences of a plan, as users read them before they apply it."""

from __future__ import annotations

import pytest

from haas_rpcd.devicenames import LIBVIRT, MASTER
from haas_rpcd.model import (
    PARKED,
    Channel,
    HeadnodeNic,
    HeadnodeSeen,
    PortConfig,
    PortRef,
    PortSeen,
    SetPort,
)
from haas_rpcd.planner import plan, repair
from haas_rpcd.states import (
    Applied,
    AppliedPort,
    Desired,
    Difference,
    HeadnodeGoal,
    PortGoal,
    SwitchTraits,
)

P1 = PortRef("sw1", "p1")
SW1 = {"sw1": SwitchTraits(declares_vlans=True, saves=True, trunks=1)}
NIC = HeadnodeNic("n1", "52:54:00:00:00:01", 100)
ACCESS = PortConfig(untagged=100)
BOND = Channel("port-channel25", "lacp")
CHANNEL = PortRef("sw1", BOND.name)
IN_BOND = PortConfig(untagged=100, member=BOND)
SAVE = "sw1: config.save: save sw1's configuration"


def port(config: PortConfig) -> Desired:
    return Desired(ports={P1: PortGoal(config, "node-1:eth0")}, networks={100: "red/net"})


def bonded(config: PortConfig) -> Desired:
    member = PARKED if config.parked else IN_BOND
    return Desired(
        ports={
            P1: PortGoal(member, "node-1:bond0", channel=BOND),
            CHANNEL: PortGoal(config, "node-1:bond0", channel=BOND),
        },
        networks={100: "red/net"},
    )


def headnode(*, running: bool, nics: tuple[HeadnodeNic, ...] = (), present: bool = True) -> Desired:
    goal = HeadnodeGoal("u", "base", present, running, nics)
    return Desired(headnodes={"red/head": goal}, networks={100: "red/net"})


def made(*, running: bool, nics: tuple[HeadnodeNic, ...] = ()) -> Applied:
    return Applied(
        headnodes={"red/head": HeadnodeSeen(True, running, nics)}, bridges={MASTER: {100: True}}
    )


@pytest.mark.parametrize(
    ("desired", "applied", "summaries"),
    [
        (
            port(ACCESS),
            Applied(ports={P1: AppliedPort(PARKED)}, switches=SW1),
            [
                "sw1: vlan.create: make VLAN 100 (red/net)",
                "sw1: port.set: set p1 (node-1:eth0) to access 100",
                SAVE,
            ],
        ),
        (
            port(ACCESS),
            Applied(vlans={"sw1": {100: True}}, switches=SW1),
            [
                "sw1: port.park: park p1 (node-1:eth0) (its state is not known)",
                "sw1: port.set: set p1 (node-1:eth0) to access 100",
                SAVE,
            ],
        ),
        (
            port(PARKED),
            Applied(ports={P1: AppliedPort(ACCESS)}, vlans={"sw1": {100: True}}, switches=SW1),
            [
                "sw1: port.park: park p1 (node-1:eth0)",
                "sw1: vlan.delete: remove VLAN 100 (red/net)",
                SAVE,
            ],
        ),
        (
            bonded(ACCESS),
            Applied(ports={P1: AppliedPort(PARKED), CHANNEL: AppliedPort(PARKED)}, switches=SW1),
            [
                "sw1: vlan.create: make VLAN 100 (red/net)",
                "sw1: channel.set: make port-channel25 (node-1:bond0) with access 100",
                "sw1: port.set: set p1 (node-1:bond0) to access 100 in port-channel25 (lacp)",
                SAVE,
            ],
        ),
        (
            bonded(PARKED),
            Applied(
                ports={P1: AppliedPort(IN_BOND), CHANNEL: AppliedPort(ACCESS)},
                vlans={"sw1": {100: True}},
                switches=SW1,
            ),
            [
                "sw1: port.park: park p1 (node-1:bond0)",
                "sw1: channel.delete: remove port-channel25 (node-1:bond0)",
                "sw1: vlan.delete: remove VLAN 100 (red/net)",
                SAVE,
            ],
        ),
        (
            headnode(running=True, nics=(NIC,)),
            Applied(),
            [
                "master: bridge.create: make bridge br-vlan100 (red/net)",
                "libvirt: headnode.define: make headnode red/head from base with n1 on VLAN 100",
                "libvirt: headnode.start: start headnode red/head",
            ],
        ),
        (
            headnode(running=False),
            Applied(),
            ["libvirt: headnode.define: make headnode red/head from base"],
        ),
        (
            headnode(running=False),
            made(running=True, nics=(NIC,)),
            [
                "libvirt: headnode.connect: connect headnode red/head to nothing",
                "libvirt: headnode.stop: stop headnode red/head",
                "master: bridge.delete: remove bridge br-vlan100 (red/net)",
            ],
        ),
        (
            headnode(running=True, nics=(NIC,)),
            made(running=True),
            ["libvirt: headnode.connect: connect headnode red/head with n1 on VLAN 100"],
        ),
        (
            headnode(running=False, present=False),
            made(running=False),
            [
                "libvirt: headnode.delete: delete headnode red/head and its disk",
                "master: bridge.delete: remove bridge br-vlan100 (red/net)",
            ],
        ),
    ],
)
def test_a_plan_says_what_it_does(desired: Desired, applied: Applied, summaries: list[str]) -> None:
    steps = plan(desired, applied).steps
    assert [f"{step.device}: {step.kind}: {step.summary}" for step in steps] == summaries


def test_a_channel_is_made_of_its_ports_and_removed_with_none() -> None:
    applied = Applied(ports={P1: AppliedPort(IN_BOND), CHANNEL: AppliedPort(ACCESS)})
    for config, members in ((PortConfig(untagged=101), ("p1",)), (PARKED, ())):
        changes = [step.change for step in plan(bonded(config), applied).steps]
        assert SetPort(CHANNEL.port, config, BOND, members) in changes


def test_a_headnode_that_was_never_made_is_made_and_not_copied() -> None:
    goal = HeadnodeGoal("u", "base", True, False, (), move_to="hv2", token="t")
    steps = plan(Desired(headnodes={"red/head": goal}), Applied()).steps
    assert [step.kind for step in steps] == ["headnode.define"]


@pytest.mark.parametrize(
    ("difference", "summaries"),
    [
        (
            Difference("sw1", "port", "p1", ACCESS, PortSeen(PortConfig(untagged=1))),
            ["close p1, which is access 1", "set p1 back to access 100"],
        ),
        (
            Difference("sw1", "port", "p1", PARKED, PortSeen(ACCESS)),
            ["close p1, which is access 100"],
        ),
        (Difference("sw1", "vlan", "100", True, False), ["make VLAN 100 again"]),
        (Difference("sw1", "vlan", "100", False, True), ["remove VLAN 100 again"]),
        (Difference(MASTER, "bridge", "br-vlan100", True, False), ["make bridge br-vlan100 again"]),
        (
            Difference(MASTER, "bridge", "br-vlan100", False, True),
            ["remove bridge br-vlan100 again"],
        ),
        (
            Difference(
                LIBVIRT, "headnode", "red/head", HeadnodeSeen(True, True), HeadnodeSeen(True, False)
            ),
            ["start headnode red/head"],
        ),
    ],
)
def test_a_repair_says_what_it_does(difference: Difference, summaries: list[str]) -> None:
    goals = {"red/head": HeadnodeGoal("u", "base", True, False, ())}
    steps = repair([difference], goals, Applied())
    assert [step.summary for step in steps] == summaries
