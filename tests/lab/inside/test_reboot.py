"""What restarts on the master, and what somebody does to a headnode by hand.

The state shown becomes true by itself, and what was applied comes back or can be brought back.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..frames import Wire
from ..hypervisor import IMAGES, Hypervisor
from ..master import Master
from ..story import Story
from ..topology import CommandFailed, Lab, ip, run, show

SECONDS = 60.0
"""Time-out for what must be shown. It takes a few seconds; the story prints how many."""

N = 104
NETWORK = {N: {"node-1:primary-nic", "login:nic0", "br-vlan104"}}
DOMAIN = "haas_astro_login"
LISTS = "headnode list\ndrift list\njob list --limit 3\n"


@pytest.fixture(scope="module")
def story(lab: Lab, wire: Wire, hypervisor: Hypervisor) -> Iterator[Story]:
    """A project with a node and a running login machine on its network."""
    master = Master(Path(os.environ["HAAS_LAB_INSIDE"]) / "reboot", lab)
    master.start()
    chapters = ["site-{dialect}", "found-astro", "want-login"]
    started = Story(lab, wire, hypervisor, master, "linux_bridge", chapters)
    yield started
    started.close()


def state(story: Story) -> str:
    shown = story.master.call("headnode.show", project="astro", headnode="login")
    return str(shown["state"])


def becomes(story: Story, wanted: str) -> None:
    """Wait until the headnode's state is shown; print after how long."""
    began = time.monotonic()
    while (shown := state(story)) != wanted:
        assert time.monotonic() < began + SECONDS, f"{shown}, not {wanted}:\n{story.master.log()}"
        time.sleep(0.05)
    print(f"{wanted} is shown after {time.monotonic() - began:.1f} s")


def links(story: Story) -> dict[str, tuple[str, str]]:
    """Return, for each interface of the network, which one it is and how often it went down."""
    names = [*story.virtual_interfaces(), story.lab.trunk_nic]
    return {
        name: tuple(  # type: ignore[misc]
            (Path("/sys/class/net") / name / entry).read_text()
            for entry in ("ifindex", "carrier_down_count")
        )
        for name in names
    }


def test_restarts_of_the_daemon_and_of_libvirtd_touch_no_link(story: Story) -> None:
    """An upgrade is a restart of the daemon, too: see docs/operating.md."""
    story.play("want-login")
    jobs, before = story.jobs(), links(story)
    machine = story.hypervisor.pid(DOMAIN)
    taps = {name: nic.tap for name, nic in story.headnode_nics().items()}

    story.master.stop()
    matrix = story.wire.who_hears_whom(tags=(N,), taps=taps)
    assert matrix.differences(NETWORK) == []
    story.master.start()
    assert state(story) == "running"
    story.hypervisor.stop_libvirtd()
    becomes(story, "unknown")
    story.hypervisor.start()
    becomes(story, "running")

    assert story.hypervisor.pid(DOMAIN) == machine
    assert links(story) == before
    assert story.jobs() == jobs
    assert story.who_hears_whom().differences(NETWORK) == []


def paused(story: Story) -> None:
    story.hypervisor.virsh("suspend", DOMAIN)


def crashed(story: Story) -> None:
    story.hypervisor.kill(DOMAIN)


def missing(story: Story) -> None:
    story.hypervisor.virsh("destroy", DOMAIN)
    story.hypervisor.virsh("undefine", DOMAIN)


def edited(story: Story) -> None:
    """Its nic's link is taken down: libvirt has no event for that."""
    [nic] = story.hypervisor.nics(DOMAIN)
    story.hypervisor.virsh("domif-setlink", DOMAIN, nic["mac"], "down")


@pytest.mark.parametrize("deed", [paused, crashed, missing, edited], ids=lambda each: each.__name__)
def test_what_is_done_by_hand_is_shown_and_an_apply_brings_it_back(
    story: Story, deed: Callable[[Story], None]
) -> None:
    story.play("want-login")
    deed(story)
    becomes(story, deed.__name__)
    [item] = story.master.call("drift.list", project="astro")["items"]
    assert item["target"] == "astro/login"

    story.master.run("start-again", "headnode start astro login\nuse astro\napply\n")

    assert state(story) == "running"
    assert DOMAIN in story.hypervisor.running()
    assert story.plans_are_empty()
    assert story.master.call("drift.list")["items"] == []


def test_a_disk_that_somebody_plugs_in_is_noticed_and_taken_away(story: Story) -> None:
    """The guest is firmware, which gives nothing back while it runs."""
    story.play("want-login")
    disk = IMAGES / "of-somebody-else.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", str(disk), "1M")
    plug_in = ("attach-disk", DOMAIN, str(disk), "vdb", "--subdriver", "qcow2")
    story.hypervisor.virsh(*plug_in, "--live", "--config")
    becomes(story, "edited")
    [item] = story.master.call("drift.list", project="astro")["items"]
    assert "somebody added another disk" in item["observed"]

    for word in ("stop", "start"):
        story.master.run(word, f"headnode {word} astro login\nuse astro\napply\n")

    assert state(story) == "running"
    assert "vdb" not in story.hypervisor.virsh("domblklist", DOMAIN)
    assert story.plans_are_empty()
    assert story.master.call("drift.list")["items"] == []
    assert disk.exists()


def test_a_bridge_removed_by_hand_comes_back_with_its_headnode(story: Story) -> None:
    story.play("want-login")
    ip(None, "link delete br-vlan104")
    until(lambda: "br-vlan104" in story.virtual_interfaces() and not drifted(story), story)
    assert story.who_hears_whom().differences(NETWORK) == []


def test_who_is_put_into_a_bridge_by_hand_is_taken_out_or_admitted(story: Story) -> None:
    story.play("want-login")
    ip(
        None,
        "link add uplink type veth peer name elsewhere",
        "link set uplink master br-vlan104 up",
    )
    until(lambda: not _in_a_bridge("uplink") and not drifted(story), story)
    ip(None, "link delete uplink")

    story.hypervisor.virsh("destroy", DOMAIN)
    story.hypervisor.virsh("start", DOMAIN)
    until(lambda: _admitted(story), story)
    until(lambda: state(story) == "running" and not drifted(story), story)
    assert story.who_hears_whom().differences(NETWORK) == []


BY_HAND = {
    "a filter of the bridge is removed": ("tc filter delete dev br-vlan104 ingress", "filters"),
    "a filter of the tap is removed": ("tc filter delete dev {tap} ingress", "filters"),
    "the bridge gets an address": ("ip address add 10.4.0.1/24 dev br-vlan104", "10.4.0.1"),
    "the bridge may have IPv6": ("sysctl -q -w net/ipv6/conf/br-vlan104/disable_ipv6=0", "ipv6"),
    "the tap is taken off its VLAN": ("bridge vlan delete dev {tap} vid 1", "admitted"),
}


@pytest.mark.parametrize("deed", BY_HAND)
def test_what_is_done_to_a_link_by_hand_is_noticed_and_undone(story: Story, deed: str) -> None:
    """The kernel has no event for some of it; a check of everything comes in 15 minutes only."""
    story.play("want-login")
    [nic] = story.headnode_nics().values()
    command, said = BY_HAND[deed]
    began, logged = time.monotonic(), len(story.master.log())
    run(*command.format(tap=nic.tap).split())
    until(lambda: said in story.master.log_since(logged) and not drifted(story), story)
    print(f"{deed}: undone after {time.monotonic() - began:.1f} s")
    assert story.who_hears_whom().differences(NETWORK) == []


def _admitted(story: Story) -> bool:
    ports = {entry["ifname"] for entry in show("bridge", None, "vlan", "show") if entry["vlans"]}
    return {nic.tap for nic in story.headnode_nics().values()} <= ports


def _in_a_bridge(name: str) -> bool:
    return (Path("/sys/class/net") / name / "master").exists()


BOOT_ID = "/proc/sys/kernel/random/boot_id"


@contextlib.contextmanager
def rebooted(story: Story) -> Iterator[None]:
    """Reboot the master: in the block, its daemon is to be started; libvirtd runs already."""
    story.master.kill()
    story.hypervisor.fail()
    for name in sorted(story.virtual_interfaces()):
        with contextlib.suppress(CommandFailed):  # a tap goes with its machine, as it likes
            ip(None, f"link delete {name}")
    assert story.virtual_interfaces() == set()
    boot = Path("/run/boot_id")
    boot.write_text(f"{uuid.uuid4()}\n")
    run("mount", "--bind", str(boot), BOOT_ID)
    try:
        story.hypervisor.start()
        yield
    finally:
        run("umount", BOOT_ID)


def test_after_a_reboot_of_the_master_all_is_back(story: Story) -> None:
    story.play("want-login")
    report = ["before the reboot", story.master.run("before", LISTS).out]
    with rebooted(story):
        began = time.monotonic()
        story.master.start()
        first = state(story)
        report += [f"the daemon serves: login is {first}", story.master.run("first", LISTS).out]
        until(lambda: state(story) == "running" and not drifted(story), story)
        report += [
            f"{time.monotonic() - began:.1f} s after the daemon's start",
            story.master.run("after", LISTS).out,
        ]

    print("\n".join(report))
    assert first in ("stopped", "running", "unknown")
    assert story.plans_are_empty()
    assert story.who_hears_whom("after a reboot").differences(NETWORK) == []


def test_after_a_reboot_without_the_trunk_nic_all_is_back_once_it_is(story: Story) -> None:
    """Nobody applies or repairs anything; until then it is shown what is missing."""
    story.play("want-login")
    trunk = story.lab.trunk_nic
    with rebooted(story):
        ip(None, f"link set {trunk} down", f"link set {trunk} name unplugged")
        story.master.start()
        until(lambda: not_restored(story) is not None, story)
        missing = story.master.run("missing", f"system health\n{LISTS}").out
        began = time.monotonic()
        ip(None, f"link set unplugged name {trunk}", f"link set {trunk} up")
        until(lambda: state(story) == "running" and not drifted(story), story)
        took = time.monotonic() - began

    print(f"{missing}\nall is back {took:.1f} s after the trunk nic")
    assert f"The master has no trunk nic {trunk}" in missing
    assert not_restored(story) is None
    assert story.who_hears_whom().differences(NETWORK) == []


def not_restored(story: Story) -> Any:
    return story.master.call("system.health")["not_restored"]


def drifted(story: Story) -> bool:
    return bool(story.master.call("drift.list")["items"])


def until(reached: Callable[[], bool], story: Story) -> None:
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline, story.master.log()
        time.sleep(0.05)
