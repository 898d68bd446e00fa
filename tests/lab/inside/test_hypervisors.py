"""Two hypervisors, the master and hv2, with headnodes of two projects on both.

hv2 loses its power and comes back. Then it is cut off from the master, retired, which switches it
off by its BMC, and taken back. Each test plays the story on; all that runs on hv2 is real: sshd,
libvirtd, QEMU, and its frames.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.hostnet.driver import HostNetworkDriver
from haas_rpcd.drivers.hostnet.taps import KernelTaps, Tap
from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver
from haas_rpcd.drivers.remote.host import RemoteHost
from haas_rpcd.drivers.remote.network import RemoteNetwork
from haas_rpcd.drivers.switch.transport.known_hosts import KnownHosts
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import BridgeSeen, SetBridge
from haas_rpcd.registered import RegisteredHypervisor
from tests.rpc.bmcs import PASSWORD as BMC_PASSWORD
from tests.rpc.bmcs import USER as BMC_USER

from ..attempts import print_table, try_all
from ..frames import Wire
from ..hypervisor import BASE, Hypervisor
from ..master import Master
from ..packets import SwitchPort, headnode_nic
from ..second_host import USER, SecondHost
from ..story import Story
from ..topology import MASTER_ADDRESS, Lab, add_bridge, build, ip, remove_bridge, run

SECONDS = 180.0
"""Time-out for what must be shown. The story prints how long it took."""

N, M = 104, 105
HERE_N = {"node-1:primary-nic", "here-a:nic0", "br-vlan104"}
HERE_M = {"node-2:primary-nic", "here-b:nic0", "br-vlan105"}
ON_BOTH = {
    N: HERE_N | {"there-a:nic0", "hv2:br-vlan104"},
    M: HERE_M | {"there-b:nic0", "hv2:br-vlan105"},
}
WITHOUT_HV2 = {N: HERE_N | {"node-3:primary-nic"}, M: HERE_M}
BACK = {N: ON_BOTH[N] | {"node-3:primary-nic"}, M: ON_BOTH[M]}
MOVED = {N: WITHOUT_HV2[N] | {"there-a:nic0"}, M: HERE_M | {"there-b:nic0"}}
MOVED_BACK = {N: MOVED[N] | {"hv2:br-vlan104"}, M: MOVED[M]}
THERE = ("there-a:nic0", "there-b:nic0")

REGISTER = """
hypervisor register hv2 {uri} {trunk_nic}
hypervisor trust hv2 --fingerprint {fingerprint}
hypervisor set-bmc hv2 ipmi 127.0.0.1 --port {bmc} --credential bmcs
port register sw1 {port} --role trunk
apply --site
"""

PROJECTS = """
project create astro
use astro
network create n --vlan 104
node allocate node-1
connect node-1:primary-nic n
headnode create here-a --hypervisor master
headnode connect here-a n
headnode create there-a --hypervisor hv2
headnode connect there-a n
apply

project create bio
use bio
network create m --vlan 105
node allocate node-2
connect node-2:primary-nic m
headnode create here-b --hypervisor master
headnode connect here-b m
headnode create there-b --hypervisor hv2
headnode connect there-b m
apply
"""

ANOTHER_NODE = """
use astro
node allocate node-3
connect node-3:primary-nic n
apply
"""

MOVED_AWAY = """
use astro
headnode move there-a master
apply
use bio
headnode move there-b master
apply
"""

MOVE_ONE = """
use astro
headnode move here-a {hypervisor}
apply
"""

OVER_TLS = """
hypervisor delete hv2
hypervisor register hv2 {uri} {trunk_nic} --ssh {user}@{address}
use bio
headnode create over-tls --hypervisor hv2
headnode connect over-tls m
apply
"""

SLOW_BMC = """
[bmc]
answer_timeout = 100.0
settle_timeout = 100.0
"""
"""There is one CPU, and ipmi_sim gets a turn after all that boots."""

SHOWN = "headnode list\nhypervisor list\nsystem health\n"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    built = build(hosts=["hv2"])
    yield built
    built.remove()


@pytest.fixture(scope="module")
def hv2(lab: Lab) -> Iterator[SecondHost]:
    """The second hypervisor, without any base image: HaaS copies it there."""
    installed = SecondHost(lab.hosts[0])
    installed.boot()
    yield installed
    installed.scrap()


class TwoHypervisors(Story):
    """The story, up to the stage that a test begins with."""

    def begin(self) -> None:
        """Register hv2, and give both projects a node and a headnode on each hypervisor."""
        if "begin" in self.results:
            return
        self.play("site-{dialect}")
        [hv2] = self.others
        register = REGISTER.format(
            uri=hv2.uri,
            trunk_nic=hv2.host.trunk_nic,
            fingerprint=hv2.fingerprint,
            port=hv2.host.port,
            bmc=hv2.bmc.port,
        )
        self.results["register"] = self.master.run("register", register)
        self.results["begin"] = self.master.run("projects", PROJECTS)

    def kill(self) -> None:
        """Let hv2 lose its power, and wait until that is shown."""
        if "killed" not in self.results:
            self.begin()
            self.others[0].fail()
            self.becomes({"there-a": "unknown", "there-b": "unknown"})
            self.results["killed"] = self.master.run("killed", f"{SHOWN}{ANOTHER_NODE}")

    def come_back(self) -> None:
        """Let hv2 boot again, and wait until all is restored."""
        if "back" not in self.results:
            self.kill()
            self.others[0].boot()
            self.becomes({"there-a": "running", "there-b": "running"})
            self.results["back"] = self.master.run("back", SHOWN)

    def cut_off(self) -> None:
        """Cut hv2 off from the master, and wait until that is shown."""
        if "cut off" not in self.results:
            self.come_back()
            self.others[0].cut_off()
            self.becomes({"there-a": "unknown", "there-b": "unknown"})
            self.results["cut off"] = self.master.run("cut-off", SHOWN)

    def retire(self) -> None:
        """Retire hv2, which its BMC switches off, and move its headnodes to the master."""
        if "retired" not in self.results:
            self.cut_off()
            began = time.monotonic()
            assert self.master.call("hypervisor.retire", hypervisor="hv2")["fenced"] == "bmc"
            print(f"hv2 is off, says its BMC, after {time.monotonic() - began:.1f} s")
            self.others[0].was_switched_off()
            self.results["retired"] = self.master.run("retired", MOVED_AWAY)

    def take_back(self) -> None:
        """Let hv2 boot, with what is left on its disk, and take it back."""
        if "taken back" not in self.results:
            self.retire()
            self.others[0].boot()
            self.results["taken back"] = self.master.run("taken-back", "hypervisor reinstate hv2\n")

    def move_there(self) -> None:
        """Move a headnode of the master's to hv2, with its disk: both are in service."""
        if "moved there" not in self.results:
            self.take_back()
            lines = MOVE_ONE.format(hypervisor="hv2")
            self.results["moved there"] = self.master.run("moved-there", lines)

    def move_home(self) -> None:
        """Move that headnode to the master again."""
        if "moved home" not in self.results:
            self.move_there()
            lines = MOVE_ONE.format(hypervisor="master")
            self.results["moved home"] = self.master.run("moved-home", lines)

    def states(self) -> dict[str, str]:
        """Return the states of all headnodes."""
        items = self.master.call("headnode.list")["items"]
        return {one["headnode"]: one["state"] for one in items}

    def becomes(self, wanted: dict[str, str]) -> None:
        """Wait until headnodes have these states, and nothing drifts; print how long it took."""
        began = time.monotonic()
        until(self, lambda: wanted.items() <= self.states().items() and not self.drifted())
        print(f"{wanted} after {time.monotonic() - began:.1f} s")

    def drifted(self) -> list[Any]:
        """Return what drifts."""
        items: list[Any] = self.master.call("drift.list")["items"]
        return items


def until(story: Story, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline, story.master.log()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def story(
    lab: Lab, wire: Wire, hypervisor: Hypervisor, hv2: SecondHost
) -> Iterator[TwoHypervisors]:
    master = Master(Path(os.environ["HAAS_LAB_INSIDE"]) / "hypervisors", lab)
    credentials = master.folder / "credentials.toml"
    credentials.write_text(
        f'{credentials.read_text()}\n[hv2]\nkey_file = "{hv2.key_file}"\n'
        f'\n[bmcs]\nusername = "{BMC_USER}"\npassword = "{BMC_PASSWORD}"\n'
    )
    config = master.folder / "haas.toml"
    config.write_text(f"{config.read_text()}{SLOW_BMC}")
    master.start()
    started = TwoHypervisors(
        lab, wire, hypervisor, master, "linux_bridge", ["site-{dialect}"], others=[hv2]
    )
    yield started
    started.close()


# --- its network, as of every hypervisor ----------------------------------------------------------

APART = 120
"""A VLAN of which the daemon knows nothing."""
TAP, NIC, BRIDGE = "vnet90", "52:54:00:aa:00:01", f"br-vlan{APART}"


async def macs(vlan: int) -> dict[str, bool]:
    return {NIC: True}


@pytest.fixture
async def network(hv2: SecondHost, tmp_path: Path) -> AsyncIterator[RemoteNetwork]:
    """The network of hv2, over SSH."""
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"{hv2.host.address} {hv2.public_key}\n")
    settings = SwitchSettings(connect_timeout=10.0, login_timeout=30.0)
    login = {"hv2": Credential(key_file=str(hv2.key_file))}
    remote = RemoteHost(
        RegisteredHypervisor("hv2", hv2.uri, hv2.host.trunk_nic),
        KnownHosts(known_hosts),
        settings,
        lambda: login,
        "credentials",
    )
    yield RemoteNetwork(remote)
    await remote.close()


async def test_no_tenants_frame_reaches_the_other_hypervisor(
    lab: Lab, wire: Wire, hv2: SecondHost, network: RemoteNetwork
) -> None:
    trunk_nic = hv2.host.trunk_nic
    trunk = SwitchPort(lab, APART, hv2.host.port)
    ip("hv2", f"address add {MASTER_ADDRESS}/32 dev lo")  # which some of the frames are sent to
    link = f"{trunk_nic}.{APART}"

    add_bridge(APART, trunk_nic, "hv2")
    with headnode_nic(TAP, NIC, BRIDGE, "hv2") as nic:
        ordinary = try_all(wire, nic, BRIDGE, trunk, link)
    remove_bridge(APART, trunk_nic, "hv2")

    driver = HostNetworkDriver(network, trunk_nic, macs)
    await driver.open()
    await driver.carry_out(SetBridge(APART, present=True), lambda line: None)
    with headnode_nic(TAP, NIC, BRIDGE, "hv2") as nic:
        await KernelTaps(sessions=network.session).admit([Tap(TAP, NIC, BRIDGE)])
        arrived = try_all(wire, nic, BRIDGE, trunk, link)
        assert await driver.observe([SetBridge(APART, present=True)]) == [BridgeSeen(present=True)]
    await driver.carry_out(SetBridge(APART, present=False), lambda line: None)
    await driver.close()
    trunk.close()
    ip("hv2", f"address delete {MASTER_ADDRESS}/32 dev lo")

    print_table("an ordinary bridge on hv2", ordinary)
    print_table("a bridge of HaaS on hv2", arrived)
    assert [name for name, senders in ordinary.items() if not any(senders.values())] == []
    assert {name: senders for name, senders in arrived.items() if any(senders.values())} == {}
    assert hv2.virtual_interfaces() == set()


# --- the story ------------------------------------------------------------------------------------


def test_headnodes_on_two_hypervisors_hear_exactly_their_own_networks(
    story: TwoHypervisors, hv2: SecondHost
) -> None:
    story.begin()
    matrix = story.who_hears_whom("two hypervisors", booting=THERE)
    assert matrix.differences(ON_BOTH) == []
    assert story.plans_are_empty()
    assert story.drifted() == []
    shown = story.master.call("hypervisor.show", hypervisor="hv2")
    assert (shown["libvirt"], shown["network"]) == (True, True)
    [copied] = hv2.libvirt.domains() - hv2.libvirt.running()
    assert copied.startswith(f"haas-image_{BASE}_")


def test_what_is_done_to_its_links_by_hand_is_noticed_and_undone(story: TwoHypervisors) -> None:
    story.begin()
    logged = len(story.master.log())
    run("tc", "-n", "hv2", "filter", "delete", "dev", "br-vlan104", "ingress")
    setting = "net/ipv6/conf/br-vlan105/disable_ipv6=0"  # of which the kernel tells nobody
    run("ip", "netns", "exec", "hv2", "sysctl", "-q", "-w", setting)

    def is_undone() -> bool:
        said = story.master.log_since(logged)
        return "filters" in said and "disable_ipv6" in said and not story.drifted()

    until(story, is_undone)
    assert story.who_hears_whom().differences(ON_BOTH) == []


def test_one_that_loses_its_power_holds_up_nobody(story: TwoHypervisors) -> None:
    story.kill()
    print(story.results["killed"].out)
    assert story.states() == {
        "here-a": "running",
        "here-b": "running",
        "there-a": "unknown",
        "there-b": "unknown",
    }
    assert "Hypervisor hv2 can't be reached" in story.results["killed"].out
    matrix = story.who_hears_whom("hv2 without power")
    assert matrix.differences(WITHOUT_HV2) == []


def test_what_it_lost_is_restored_when_it_is_back(story: TwoHypervisors) -> None:
    story.come_back()
    print(story.results["back"].out)
    matrix = story.who_hears_whom("hv2 back again")
    assert matrix.differences(BACK) == []
    assert story.plans_are_empty()


def test_the_headnodes_of_one_that_is_cut_off_run_on(story: TwoHypervisors) -> None:
    """So whoever starts them elsewhere must switch it off before."""
    story.cut_off()
    assert story.who_hears_whom("hv2 cut off", booting=THERE).differences(BACK) == []


def test_those_of_a_retired_one_are_made_anew_on_the_master(story: TwoHypervisors) -> None:
    story.retire()
    matrix = story.who_hears_whom("headnodes moved from hv2", booting=THERE)
    assert matrix.differences(MOVED) == []
    assert set(story.states().values()) == {"running"}
    assert story.plans_are_empty()


def test_what_was_moved_away_is_removed_from_one_that_is_taken_back(
    story: TwoHypervisors, hv2: SecondHost
) -> None:
    story.retire()
    hv2_disks = hv2.libvirt.disks()
    story.take_back()
    print(story.results["taken back"].out)
    assert {"haas_astro_there-a_vda.qcow2", "haas_bio_there-b_vda.qcow2"} <= hv2_disks
    assert not [name for name in hv2.libvirt.disks() if "there" in name]
    assert not [name for name in hv2.libvirt.domains() if "there" in name]
    assert hv2.virtual_interfaces() == set()
    assert story.who_hears_whom().differences(MOVED) == []
    shown = story.master.call("hypervisor.show", hypervisor="hv2")
    assert (shown["retired"], shown["headnodes"], shown["bridges"]) == (None, 0, 0)


def test_a_headnode_moves_between_two_that_are_in_service(
    story: TwoHypervisors, hypervisor: Hypervisor, hv2: SecondHost
) -> None:
    disk = "haas_astro_here-a_vda.qcow2"
    story.take_back()
    before = {one["headnode"]: one for one in story.master.call("headnode.list")["items"]}
    assert disk in hypervisor.disks()
    story.move_there()
    print(story.results["moved there"].out)
    after = {one["headnode"]: one for one in story.master.call("headnode.list")["items"]}
    assert after["here-a"]["hypervisor"] == "hv2"
    assert after["here-a"]["nics"] == before["here-a"]["nics"], "its MACs stay its own"
    assert disk in hv2.libvirt.disks()
    assert disk not in hypervisor.disks()
    assert "haas_astro_here-a" in hv2.libvirt.running()
    assert "haas_astro_here-a" not in hypervisor.domains()
    matrix = story.who_hears_whom("a headnode moved to hv2", booting=["here-a:nic0"])
    assert matrix.differences(MOVED_BACK) == []
    assert story.plans_are_empty()


async def test_its_libvirt_can_be_reached_by_tls(
    story: TwoHypervisors, hv2: SecondHost, tmp_path: Path
) -> None:
    story.move_home()
    stranger = LibvirtDriver(hv2.tls_uri.replace(str(hv2.pki), str(tmp_path)))
    with pytest.raises(DeviceError, match="can read the client's certificate"):
        await stranger.open()
    await stranger.close()

    host = hv2.host
    register = OVER_TLS.format(
        uri=hv2.tls_uri, trunk_nic=host.trunk_nic, user=USER, address=host.address
    )
    story.master.run("over-tls", register)
    networks = {N: MOVED[N], M: MOVED[M] | {"over-tls:nic0", "hv2:br-vlan105"}}
    matrix = story.who_hears_whom("hv2 by TLS", booting=["over-tls:nic0"])
    assert matrix.differences(networks) == []
    assert story.plans_are_empty()
