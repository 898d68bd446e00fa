"""The main job, seen in frames on the wire: two projects, their nodes, networks and headnodes.

Told once with a Linux switch behind a real telnetd and login, and once with a Cisco IOS switch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..frames import Wire
from ..hypervisor import Hypervisor
from ..ios_face import IosFace
from ..master import Master
from ..matrix import TRUNK
from ..story import Story
from ..topology import Lab, build

SITE = "site-{dialect}"
CHAPTERS = [SITE, "stage", "apply"]

N, M = 104, 105
APPLIED = {
    N: {"node-1:ipmi-nic", "node-2:primary-nic", "headnode-a:nic0", "br-vlan104"},
    M: {
        *("node-1:primary-nic", "node-2:ipmi-nic", "node-3:primary-nic"),
        *("headnode-b:nic0", "br-vlan105"),
    },
}
"""Who is on which network, as `stage.haas` wants it."""


@pytest.fixture(scope="module", params=["linux_bridge", "cisco_ios"])
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def lab(dialect: str) -> Iterator[Lab]:
    """A switch as its vendor ships it: all ports in VLAN 1."""
    built = build(default_vlan=1, telnet=dialect == "linux_bridge")
    yield built
    built.remove()


@pytest.fixture(scope="module")
def face(dialect: str, lab: Lab) -> Iterator[IosFace | None]:
    if dialect == "linux_bridge":
        yield None
        return
    started = IosFace(lab)
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def story(
    lab: Lab, wire: Wire, hypervisor: Hypervisor, face: IosFace | None, dialect: str
) -> Iterator[Story]:
    master = Master(Path(os.environ["HAAS_LAB_INSIDE"]) / dialect, lab)
    master.start()
    told = Story(lab, wire, hypervisor, master, dialect, CHAPTERS, face)
    yield told
    told.close()


def test_on_the_fresh_switch_everybody_hears_everybody(story: Story) -> None:
    names = {nic.name for nic in story.lab.nics}
    matrix = story.who_hears_whom("fresh from the vendor")
    for name in names:
        assert matrix.hearers(name) == (names | {TRUNK}) - {name}


def test_once_the_site_is_parked_nobody_hears_anybody(story: Story) -> None:
    story.after(SITE)
    assert story.who_hears_whom().differences({}) == []


def test_what_is_only_staged_is_not_heard(story: Story) -> None:
    story.after("stage")
    assert story.who_hears_whom("before the first apply").differences({}) == []
    assert story.on_the_master() == set()


def test_after_apply_the_networks_are_the_matrix(story: Story) -> None:
    story.after("apply")
    headnodes = ("headnode-a:nic0", "headnode-b:nic0")
    matrix = story.who_hears_whom("after apply", booting=headnodes)
    assert matrix.differences(APPLIED) == []
