"""The main job, as frames on the wire: two projects with their nodes, networks and headnodes.

The story is played once with a Linux switch behind a real telnetd and login, and once with a Cisco
IOS switch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from haas_rpcd.drivers.hostnet.parking import PARKING_BRIDGE

from ..face import SwitchFace
from ..frames import Wire
from ..hypervisor import BASE, Hypervisor
from ..master import Master
from ..matrix import TRUNK, Matrix
from ..story import Story
from ..topology import Lab, build

SITE = "site-{dialect}"
CHAPTERS = [
    *(SITE, "stage", "apply", "move", "disconnect", "release", "hand-over"),
    *("second-nic", "nic-leaves", "nic-returns", "delete-headnode-a", "delete-headnode-b"),
    "stage-again",
]

N, M = 104, 105
APPLIED = {
    N: {"node-1:ipmi-nic", "node-2:primary-nic", "headnode-a:nic0", "br-vlan104"},
    M: {
        *("node-1:primary-nic", "node-2:ipmi-nic", "node-3:primary-nic"),
        *("headnode-b:nic0", "br-vlan105"),
    },
}
"""The members of each network that `stage.haas` asks for."""

MOVED = {N: APPLIED[N] | {"node-2:ipmi-nic"}, M: APPLIED[M] - {"node-2:ipmi-nic"}}
DISCONNECTED = {N: MOVED[N], M: MOVED[M] - {"node-1:primary-nic"}}
RELEASED = {N: DISCONNECTED[N] - {"node-2:ipmi-nic", "node-2:primary-nic"}, M: DISCONNECTED[M]}
HANDED_OVER = {N: RELEASED[N], M: RELEASED[M] | {"node-2:primary-nic"}}
WITH_SECOND_NIC = {N: HANDED_OVER[N], M: HANDED_OVER[M] | {"headnode-a:nic1"}}
FIRST_NIC_LEFT = {N: {"node-1:ipmi-nic"}, M: WITH_SECOND_NIC[M]}
A_DELETED = {N: {"node-1:ipmi-nic"}, M: HANDED_OVER[M]}
B_DELETED = {N: {"node-1:ipmi-nic"}, M: {"node-2:primary-nic", "node-3:primary-nic"}}


BOTH = ["linux_bridge", pytest.param("cisco_ios", marks=pytest.mark.second_kernel)]


@pytest.fixture(scope="module", params=BOTH)
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def lab(dialect: str) -> Iterator[Lab]:
    """A lab whose switch is as its vendor ships it: all ports in VLAN 1."""
    built = build(default_vlan=1, telnet=dialect == "linux_bridge")
    yield built
    built.remove()


@pytest.fixture(scope="module")
def face(dialect: str, lab: Lab) -> Iterator[SwitchFace | None]:
    if dialect == "linux_bridge":
        yield None
        return
    started = SwitchFace(lab)
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def story(
    lab: Lab, wire: Wire, hypervisor: Hypervisor, face: SwitchFace | None, dialect: str
) -> Iterator[Story]:
    master = Master(Path(os.environ["HAAS_LAB_INSIDE"]) / dialect, lab)
    master.start()
    started = Story(lab, wire, hypervisor, master, dialect, CHAPTERS, face)
    yield started
    started.close()


def test_on_the_new_switch_everybody_hears_everybody(story: Story) -> None:
    names = {nic.name for nic in story.lab.nics}
    matrix = story.who_hears_whom("fresh from the vendor")
    for name in names:
        assert matrix.hearers(name) == (names | {TRUNK}) - {name}


def test_on_the_parked_site_nobody_hears_anybody(story: Story) -> None:
    story.play(SITE)
    assert story.who_hears_whom().differences({}) == []


def test_staged_changes_have_no_effect(story: Story) -> None:
    story.play("stage")
    assert story.who_hears_whom("before the first apply").differences({}) == []
    assert story.virtual_interfaces() == set()


HEADNODES = ("headnode-a:nic0", "headnode-b:nic0")


def test_apply_makes_the_networks(story: Story) -> None:
    story.play("apply")
    matrix = story.who_hears_whom("after apply", booting=HEADNODES)
    assert matrix.differences(APPLIED) == []
    assert matrix.rows["headnode-a:nic0"][TRUNK] == {(N,)}
    assert matrix.rows["headnode-b:nic0"][TRUNK] == {(M,)}
    assert story.haas_interfaces() == {"trunk0.104", "br-vlan104", "trunk0.105", "br-vlan105"}
    assert story.plans_are_empty()


def test_moving_a_nic_changes_nothing_for_the_others(story: Story) -> None:
    story.play_until("move")
    before = story.who_hears_whom()
    result = story.play("move")
    after = story.who_hears_whom("after the move")

    assert after.differences(MOVED) == []
    changed = before.cells() ^ after.cells()
    assert changed
    assert {cell for cell in changed if not cell.concerns("node-2:ipmi-nic")} == set()
    assert result.out.count("sw1: set ") == 1
    assert "master:" not in result.out
    assert "libvirt:" not in result.out


def test_a_disconnected_nic_is_parked(story: Story) -> None:
    story.play("disconnect")
    assert story.who_hears_whom().differences(DISCONNECTED) == []
    assert story.lab.switch.carried()[story.lab.nic("node-1:primary-nic").port] == (None, ())


def test_no_frame_leaks_while_a_node_changes_hands(story: Story) -> None:
    story.play_until("release")
    with story.wire.watch() as watch:
        story.play("release")
        watch.turn_page()
        story.play("hand-over")
    with_astro, with_bio = watch.pages
    assert leaks(with_astro, DISCONNECTED) == []
    assert leaks(with_bio, HANDED_OVER) == []
    print(f"{watch.rounds[0]} rounds of frames with astro, {watch.rounds[1]} with bio")
    assert "node-1:ipmi-nic" in with_astro.hearers("node-2:primary-nic"), "watched too late"
    assert "node-3:primary-nic" in with_bio.hearers("node-2:primary-nic"), "watched too briefly"
    matrix = story.who_hears_whom("after the hand-over")
    assert matrix.differences(HANDED_OVER) == []


def leaks(matrix: Matrix, networks: dict[int, set[str]]) -> list[str]:
    """Return only the leaks: members are deaf while their ports are parked on the way."""
    return [line for line in matrix.differences(networks) if line.startswith("LEAK")]


def test_a_running_headnode_gets_a_second_nic(story: Story) -> None:
    story.play("second-nic")
    assert story.who_hears_whom("a second nic").differences(WITH_SECOND_NIC) == []


def test_a_running_headnode_loses_a_nic(story: Story) -> None:
    story.play("nic-leaves")
    assert story.who_hears_whom("the first nic left").differences(FIRST_NIC_LEFT) == []
    assert story.haas_interfaces() == {"trunk0.105", "br-vlan105", PARKING_BRIDGE}


def test_a_running_headnode_gets_its_nic_back(story: Story) -> None:
    story.play("nic-returns")
    matrix = story.who_hears_whom("the first nic is back", booting=["headnode-a:nic0"])
    assert matrix.differences(HANDED_OVER) == []


def test_a_deleted_headnode_leaves_nothing_behind(story: Story) -> None:
    story.play_until("delete-headnode-a")
    taps = {nic.tap for nic in story.headnode_nics().values() if "headnode-a" in nic.domain}
    assert taps

    story.play("delete-headnode-a")

    assert story.who_hears_whom().differences(A_DELETED) == []
    assert not taps & story.virtual_interfaces()
    assert story.haas_interfaces() == {"trunk0.105", "br-vlan105"}
    assert not [name for name in story.hypervisor.domains() if "headnode-a" in name]
    assert not [name for name in story.hypervisor.disks() if "headnode-a" in name]


def test_nothing_is_left_on_the_master_after_the_last_headnode(story: Story) -> None:
    story.play("delete-headnode-b")
    assert story.virtual_interfaces() == set()
    assert story.hypervisor.domains() == {BASE}
    assert story.hypervisor.disks() == {f"{BASE}.qcow2"}
    assert story.who_hears_whom().differences(B_DELETED) == []


def test_a_killed_daemon_finishes_its_jobs_after_a_restart(story: Story) -> None:
    """It is killed twice: while it sets a port, and while it creates a headnode.

    The console keeps waiting for the first apply and then starts the second one. Nobody has to
    repeat an apply.
    """
    story.play("stage-again")
    earlier = story.jobs()
    with story.stall("node-2:primary-nic", N) as stalled:
        console = story.start_console("apply")
        stalled()
        story.master.kill()
    story.master.start()

    story.wait_for_disk("headnode-b")
    story.master.kill()
    assert "headnode-b" not in " ".join(story.hypervisor.running())
    story.master.start()

    result = console.wait()
    assert result.err.count("looking for it") == 2
    of_bio, of_astro = story.jobs()[: -len(earlier)]
    for job, kind in ((of_astro, "port.set"), (of_bio, "headnode.define")):
        assert job["state"] == "succeeded"
        steps = story.master.call("job.show", job=job["job"])["steps"]
        assert kind in {step["kind"] for step in steps if step["state"] == "interrupted"}
    matrix = story.who_hears_whom("killed twice and started again", booting=HEADNODES)
    assert matrix.differences(APPLIED) == []
    assert len(story.hypervisor.domains()) == len(story.hypervisor.disks()) == 3
    assert story.haas_interfaces() == {"trunk0.104", "br-vlan104", "trunk0.105", "br-vlan105"}
    assert story.plans_are_empty()
