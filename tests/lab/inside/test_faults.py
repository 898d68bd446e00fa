"""Faults of real parts: libvirt is down, the base image or trunk nic is missing, a wrong password.

In each test, a project wants a node and a login machine on its network, and one device fails. Its
step fails with a message that says what to do, and the other devices do their part. The changes
stay pending: once the fault is repaired, the same apply does the rest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ..credentials import PASSWORD
from ..frames import Wire
from ..hypervisor import BASE, Hypervisor
from ..master import Master
from ..story import Story
from ..topology import Lab, ip

N = 104
NETWORK = {N: {"node-1:primary-nic", "login:nic0", "br-vlan104"}}
"""The members of the network after a complete apply."""

LOCATION = re.compile(r"want-login\.haas:\d+: job \d+ failed: ")


@pytest.fixture(scope="module")
def story(lab: Lab, wire: Wire, hypervisor: Hypervisor) -> Iterator[Story]:
    """A project with a node and a network, which has no members yet."""
    master = Master(Path(os.environ["HAAS_LAB_INSIDE"]) / "faults", lab)
    master.start()
    started = Story(
        lab, wire, hypervisor, master, "linux_bridge", ["site-{dialect}", "found-astro"]
    )
    yield started
    started.close()


@contextmanager
def libvirt_is_down(story: Story) -> Iterator[None]:
    story.hypervisor.stop_libvirtd()
    try:
        yield
    finally:
        story.hypervisor.start()


@contextmanager
def the_base_image_is_missing(story: Story) -> Iterator[None]:
    story.hypervisor.virsh("undefine", BASE)
    try:
        yield
    finally:
        story.hypervisor.define_base()


@contextmanager
def the_base_image_runs(story: Story) -> Iterator[None]:
    story.hypervisor.virsh("start", BASE)
    try:
        yield
    finally:
        story.hypervisor.virsh("destroy", BASE)


@contextmanager
def the_trunk_nic_is_missing(story: Story) -> Iterator[None]:
    name = story.lab.trunk_nic
    ip(None, f"link set {name} down", f"link set {name} name elsewhere")
    try:
        yield
    finally:
        ip(None, f"link set elsewhere name {name}", f"link set {name} up")


@contextmanager
def the_password_is_wrong(story: Story) -> Iterator[None]:
    story.master.set_password("guessed")
    story.lab.hang_up()  # otherwise the daemon uses a session that is still open
    try:
        yield
    finally:
        story.master.set_password(PASSWORD)


Fault = Callable[[Story], AbstractContextManager[None]]

FAULTS = {
    libvirt_is_down: (
        {"headnode.define": "failed", "headnode.start": "skipped"},
        r"libvirt on qemu:///system cannot be reached: .*systemctl start libvirtd",
    ),
    the_base_image_is_missing: (
        {"headnode.define": "failed", "headnode.start": "skipped"},
        rf"libvirt: There is no domain {BASE} on qemu:///system: define the base image there",
    ),
    the_base_image_runs: (
        {"headnode.define": "failed", "headnode.start": "skipped"},
        rf"libvirt: The domain {BASE} on qemu:///system is running; shut it down \(virsh shutdown",
    ),
    the_trunk_nic_is_missing: (
        {"bridge.create": "failed", "headnode.start": "failed"},
        r"^The master has no trunk nic trunk0: plug it in, or name the right one as trunk",
    ),
    the_password_is_wrong: (
        {"port.set": "failed"},
        r"sw1\b.* refused the login.*credentials",
    ),
}
"""For each fault: the steps that are not done, and the job's error."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.__name__)
def test_other_devices_do_their_part_and_a_second_apply_does_the_rest(
    story: Story, fault: Fault
) -> None:
    undone, sentence = FAULTS[fault]
    story.play("found-astro")

    with fault(story):
        result = story.start_console("want-login").wait(code=5)
        job = story.master.call("job.show", job=story.jobs()[0]["job"])

    assert job["state"] == "failed"
    kinds = ["port.set", "bridge.create", "headnode.define", "headnode.start"]
    assert {step["kind"]: step["state"] for step in job["steps"]} == {
        kind: undone.get(kind, "done") for kind in kinds
    }
    assert re.search(sentence, job["error"])
    assert LOCATION.search(result.err)
    assert job["error"] in result.err
    still_to_do = {
        step["kind"] for step in story.master.call("plan.show", project="astro")["steps"]
    }
    assert still_to_do >= undone.keys()

    story.start_console("apply-astro").wait()

    assert story.who_hears_whom().differences(NETWORK) == []
    assert story.plans_are_empty()

    story.start_console("give-up-login").wait()

    assert story.hypervisor.domains() == {BASE}
    assert story.virtual_interfaces() == set()
    assert story.who_hears_whom().differences({}) == []
