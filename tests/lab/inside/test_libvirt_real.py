"""Headnodes on a real libvirtd and QEMU. Their guest is firmware, which never cooperates."""

import json
import os
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from haas_rpcd.drivers.hostnet.driver import Host, HostNetworkDriver
from haas_rpcd.drivers.hostnet.netlink import netlink_driver
from haas_rpcd.drivers.hostnet.parking import PARKING_BRIDGE, KernelParking
from haas_rpcd.drivers.hostnet.taps import KernelTaps
from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver
from haas_rpcd.drivers.remote.network import RemoteNetwork
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
)

from ..frames import Wire
from ..hypervisor import BASE, IMAGES, Hypervisor
from ..reach import OVER_SSH
from ..topology import Lab, ip, run, show

pytestmark = pytest.mark.second_kernel

URI = "qemu:///system"
UUID = "0b7d8a3e-5f0c-4f0e-9a51-6a4f3f1d2c01"
HEADNODE, DOMAIN = "p1/headnode-a", "haas_p1_headnode-a"
OVERLAY = f"{DOMAIN}_vda.qcow2"
NIC0 = HeadnodeNic("nic0", "52:54:00:aa:00:01", 104)
NIC0_MOVED = HeadnodeNic("nic0", "52:54:00:aa:00:01", 105)
NIC1 = HeadnodeNic("nic1", "52:54:00:aa:00:02", 105)
NIC2 = HeadnodeNic("nic2", "52:54:00:aa:00:03", 105)
DEFINE = DefineHeadnode(HEADNODE, UUID, BASE, (NIC0,))
START = SetHeadnodePower(HEADNODE, UUID, running=True)
STOP = SetHeadnodePower(HEADNODE, UUID, running=False)
DELETE = DeleteHeadnode(HEADNODE, UUID)
VLANS = (104, 105)

FIRMWARE_ONLY = """
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    <boot dev='network'/>
  </os>
  <features><acpi/></features>
  <devices>
    <interface type='user'><model type='virtio'/></interface>
    <graphics type='vnc' port='5900' autoport='no'/>
    <serial type='file'><source path='/run/{name}.log'/></serial>
    <channel type='unix'>
      <source mode='bind' path='/run/{name}.sock'/>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
  </devices>
</domain>
"""


def ignore(line: str) -> None:
    """Ignore a line that was sent."""


def nics(*wanted: HeadnodeNic) -> SetHeadnodeNics:
    """Return the change that gives the headnode exactly these nics."""
    return SetHeadnodeNics(HEADNODE, UUID, wanted)


def on(running: bool, *connected: HeadnodeNic) -> HeadnodeSeen:
    """Return a headnode that is defined and has these nics."""
    return HeadnodeSeen(defined=True, running=running, nics=connected)


def taps() -> dict[str, str]:
    """Return the taps on the master, each with its bridge."""
    links = show("ip", None, "-details", "link", "show")
    return {
        one["ifname"]: one.get("master", "")
        for one in links
        if one.get("linkinfo", {}).get("info_kind") == "tun"
    }


async def macs(vlan: int) -> dict[str, bool]:
    """Return the MACs of the headnode's nics, any of which may be on any VLAN."""
    return {nic.mac: False for nic in (NIC0, NIC1, NIC2)}


def exists(name: str) -> bool:
    """Return whether the master has an interface with this name."""
    return name in {one["ifname"] for one in show("ip", None, "link", "show")}


async def observe(driver: LibvirtDriver) -> HeadnodeSeen:
    """Return the state of the headnode that the driver observes."""
    (seen,) = await driver.observe([DEFINE])
    assert isinstance(seen, HeadnodeSeen)
    return seen


@pytest.fixture(autouse=True)
async def master(lab: Lab) -> AsyncIterator[HostNetworkDriver]:
    """The bridges of two VLANs on the master."""
    driver = netlink_driver(lab.trunk_nic, macs)
    await driver.open()
    lab.switch.carry(lab.switch.trunk_port, tagged=VLANS)
    for vlan in VLANS:
        await driver.carry_out(SetBridge(vlan, present=True), ignore)
    yield driver
    for vlan in VLANS:
        await driver.carry_out(SetBridge(vlan, present=False), ignore)
    await driver.close()


def libvirt_driver(host: Host) -> LibvirtDriver:
    """The driver of the lab's libvirt, as of this machine's or as of another hypervisor's."""
    if not isinstance(host, RemoteNetwork):
        return LibvirtDriver(URI, shutdown_grace=0.5)
    return LibvirtDriver(
        host.machine.registered.uri,
        reach=host.machine.libvirt_uri,
        shutdown_grace=0.5,
        parking=KernelParking(host.session),
        taps=KernelTaps(sessions=host.session),
    )


@pytest.fixture
async def driver(
    master: HostNetworkDriver, hypervisor: Hypervisor, host: Host
) -> AsyncIterator[LibvirtDriver]:
    """The connected driver. It deletes the headnode after the test, which must leave nothing."""
    domains, disks, folder = hypervisor.domains(), hypervisor.disks(), set(os.listdir("/run"))
    connected = libvirt_driver(host)
    await connected.open()
    yield connected
    await connected.carry_out(DELETE, ignore)
    await connected.carry_out(DELETE, ignore)
    assert await observe(connected) == HeadnodeSeen(defined=False)
    await connected.close()
    assert (hypervisor.domains(), hypervisor.disks()) == (domains, disks)
    assert hypervisor.virsh("pool-list", "--all", "--name").split() == []
    assert set(os.listdir("/run")) <= folder
    assert taps() == {}
    assert not exists(PARKING_BRIDGE)


@pytest.fixture(params=["pc", "q35"])
def firmware_only(request: pytest.FixtureRequest, hypervisor: Hypervisor) -> Iterator[str]:
    """A base image without a disk, with each machine type."""
    name = f"base-{request.param}"
    hypervisor.define(FIRMWARE_ONLY.format(name=name, machine=request.param))
    yield name
    hypervisor.virsh("undefine", name)


async def test_a_headnode_boots_and_its_nics_move(
    wire: Wire, driver: LibvirtDriver, hypervisor: Hypervisor, firmware_only: str
) -> None:
    """At every stage its frames are heard on its networks only."""
    await driver.carry_out(DefineHeadnode(HEADNODE, UUID, firmware_only, (NIC0,)), ignore)
    assert await observe(driver) == on(False, NIC0)

    await driver.carry_out(START, ignore)
    assert await observe(driver) == on(True, NIC0)
    ((tap, bridge),) = taps().items()
    assert bridge == "br-vlan104"
    assert set(*wire.where_heard(NIC0.mac)) == {"br-vlan104", "trunk"}

    await driver.carry_out(nics(NIC0_MOVED), ignore)
    assert taps() == {tap: "br-vlan105"}
    assert await observe(driver) == on(True, NIC0_MOVED)
    assert set(*wire.where_heard(NIC0.mac)) == {"br-vlan105", "trunk"}

    await driver.carry_out(nics(NIC0_MOVED, NIC1, NIC2), ignore)
    assert list(taps().values()) == ["br-vlan105"] * 3
    assert await observe(driver) == on(True, NIC0_MOVED, NIC1, NIC2)

    began = time.monotonic()
    await driver.carry_out(nics(NIC1, NIC2), ignore)
    assert time.monotonic() - began < 3, "disconnecting a nic waited for the guest"
    assert taps()[tap] == PARKING_BRIDGE
    assert await observe(driver) == on(True, NIC1, NIC2)

    await driver.carry_out(nics(NIC0, NIC1), ignore)
    assert taps()[tap] == "br-vlan104"
    assert await observe(driver) == on(True, NIC0, NIC1)
    hypervisor.virsh("reset", DOMAIN)  # its firmware may have stopped sending on that nic
    assert set(*wire.where_heard(NIC0.mac)) == {"br-vlan104", "trunk"}

    await driver.carry_out(nics(NIC1), ignore)
    await driver.carry_out(STOP, ignore)
    assert taps() == {}
    assert not exists(PARKING_BRIDGE)
    assert await observe(driver) == on(False, NIC1)


@OVER_SSH
async def test_a_headnode_of_another_hypervisor_is_on_its_network_only(
    wire: Wire, driver: LibvirtDriver, hypervisor: Hypervisor
) -> None:
    """libvirt and the taps are reached through one SSH connection."""
    hypervisor.define(FIRMWARE_ONLY.format(name="base-pc", machine="pc"))
    try:
        capacity = await driver.capacity(["base-pc", "base-none"])
        assert capacity is not None
        assert 0 < capacity.free < capacity.memory
        assert set(capacity.images) == {"base-pc"}
        await driver.carry_out(DefineHeadnode(HEADNODE, UUID, "base-pc", (NIC0,)), ignore)
        await driver.carry_out(START, ignore)
        assert await observe(driver) == on(True, NIC0)
        assert set(*wire.where_heard(NIC0.mac)) == {"br-vlan104", "trunk"}
        await driver.carry_out(nics(), ignore)
        assert list(taps().values()) == [PARKING_BRIDGE]
        await driver.carry_out(STOP, ignore)
    finally:
        hypervisor.virsh("undefine", "base-pc")


async def test_a_headnode_has_its_own_disk(driver: LibvirtDriver, hypervisor: Hypervisor) -> None:
    base = IMAGES / f"{BASE}.qcow2"
    untouched = base.read_bytes()
    await driver.carry_out(DEFINE, ignore)
    overlay = json.loads(run("qemu-img", "info", "--output=json", str(IMAGES / OVERLAY)))
    assert overlay["backing-filename"] == str(base)
    assert overlay["backing-filename-format"] == "qcow2"
    assert overlay["virtual-size"] == 16 << 20

    run("qemu-img", "bench", "-w", "-c", "10", "-f", "qcow2", str(IMAGES / OVERLAY))
    before = (IMAGES / OVERLAY).read_bytes()
    await driver.carry_out(DEFINE, ignore)
    assert (IMAGES / OVERLAY).read_bytes() == before, "the headnode's disk was overwritten"
    await driver.carry_out(START, ignore)
    await driver.carry_out(START, ignore)
    await driver.carry_out(DEFINE, ignore)
    assert await observe(driver) == on(True, NIC0)
    await driver.carry_out(STOP, ignore)
    await driver.carry_out(STOP, ignore)
    assert base.read_bytes() == untouched


async def test_cloning_a_large_image_is_as_fast(
    driver: LibvirtDriver, hypervisor: Hypervisor
) -> None:
    base = IMAGES / f"{BASE}.qcow2"
    small = base.read_bytes()
    base.unlink()
    run("qemu-img", "create", "-q", "-f", "qcow2", str(base), "2T")
    try:
        await driver.carry_out(DEFINE, ignore)  # the first time, libvirt probes QEMU
        await driver.carry_out(DELETE, ignore)
        began = time.monotonic()
        await driver.carry_out(DEFINE, ignore)
        assert time.monotonic() - began < 2
        await driver.carry_out(DELETE, ignore)
    finally:
        base.write_bytes(small)


async def test_a_headnode_left_half_created_by_a_crash_is_completed(
    driver: LibvirtDriver, hypervisor: Hypervisor
) -> None:
    """The daemon died after it defined the domain, while it created the overlay."""
    await driver.carry_out(DEFINE, ignore)
    complete = hypervisor.virsh("dumpxml", DOMAIN, "--inactive")
    hypervisor.define(complete.replace('state="ready"', 'state="making"'))
    (IMAGES / OVERLAY).write_bytes(b"half an overlay")
    assert await driver.observe([DEFINE, DELETE]) == [
        HeadnodeSeen(defined=False),
        HeadnodeSeen(defined=True),
    ]
    with pytest.raises(DeviceError, match="only half made"):
        await driver.carry_out(START, ignore)

    await driver.carry_out(DEFINE, ignore)

    assert await observe(driver) == on(False, NIC0)
    run("qemu-img", "check", "-q", str(IMAGES / OVERLAY))


async def test_a_managed_save_is_discarded(driver: LibvirtDriver, hypervisor: Hypervisor) -> None:
    """A restored headnode would have its old nics, on what may now be another tenant's network."""
    await driver.carry_out(DEFINE, ignore)
    await driver.carry_out(START, ignore)
    hypervisor.virsh("managedsave", DOMAIN)
    await driver.carry_out(nics(NIC0_MOVED), ignore)
    await driver.carry_out(START, ignore)
    assert list(taps().values()) == ["br-vlan105"]
    assert await observe(driver) == on(True, NIC0_MOVED)


@pytest.mark.parametrize("firmware_only", ["pc"], indirect=True)
async def test_a_nic_plugged_in_by_hand_is_reported_and_removed(
    driver: LibvirtDriver, hypervisor: Hypervisor, firmware_only: str
) -> None:
    await driver.carry_out(DefineHeadnode(HEADNODE, UUID, firmware_only, (NIC0,)), ignore)
    await driver.carry_out(START, ignore)
    ip(None, "link add br-lan type bridge")
    try:
        mac = "52:54:00:bb:00:01"
        hypervisor.virsh(
            "attach-interface", DOMAIN, "bridge", "br-lan", "--mac", mac, "--model", "virtio"
        )
        assert await observe(driver) == on(True, HeadnodeNic(mac, mac, 0), NIC0)
        await driver.carry_out(nics(NIC0), ignore)
        assert await observe(driver) == on(True, NIC0)
        assert sorted(taps().values()) == ["br-vlan104", PARKING_BRIDGE]
    finally:
        ip(None, "link delete br-lan")


async def test_a_bridge_stays_while_a_headnode_uses_it(
    driver: LibvirtDriver, master: HostNetworkDriver
) -> None:
    await driver.carry_out(DEFINE, ignore)
    await driver.carry_out(START, ignore)
    with pytest.raises(DeviceError, match="br-vlan104 cannot be removed while vnet"):
        await master.carry_out(SetBridge(104, present=False), ignore)
    await driver.carry_out(nics(), ignore)
    await master.carry_out(SetBridge(104, present=False), ignore)
    assert await observe(driver) == on(True)


async def test_a_nic_that_could_not_be_plugged_in_is_reported(
    driver: LibvirtDriver, hypervisor: Hypervisor
) -> None:
    """Its bridge does not exist, so the nic is in the domain's definition only."""
    await driver.carry_out(DEFINE, ignore)
    await driver.carry_out(START, ignore)
    lacking = HeadnodeNic("nic1", NIC1.mac, 199)
    with pytest.raises(DeviceError, match="nic1 could not be plugged into"):
        await driver.carry_out(nics(NIC0, lacking), ignore)
    assert await observe(driver) == on(True, NIC0, HeadnodeNic("nic1", NIC1.mac, 0), lacking)

    hypervisor.virsh("domif-setlink", DOMAIN, NIC0.mac, "down")
    await driver.carry_out(nics(NIC0), ignore)
    assert await observe(driver) == on(True, NIC0)
    hypervisor.virsh("domif-setlink", DOMAIN, NIC0.mac, "down")
    assert await observe(driver) == on(True, HeadnodeNic("nic0", NIC0.mac, 0), NIC0)


async def test_a_headnode_does_not_start_without_its_bridge(driver: LibvirtDriver) -> None:
    await driver.carry_out(DEFINE, ignore)
    elsewhere = HeadnodeNic("nic0", NIC0.mac, 199)
    await driver.carry_out(nics(elsewhere), ignore)
    with pytest.raises(DeviceError, match=f"{DOMAIN} could not be started.*br-vlan199") as caught:
        await driver.carry_out(START, ignore)
    assert caught.value.reason == "refused"
    seen = await observe(driver)
    assert (seen.running, seen.nics) == (False, (elsewhere,))


async def test_a_missing_or_running_base_image_is_an_error(
    driver: LibvirtDriver, hypervisor: Hypervisor
) -> None:
    with pytest.raises(DeviceError, match="There is no domain base-x on qemu:///system") as caught:
        await driver.carry_out(DefineHeadnode(HEADNODE, UUID, "base-x"), ignore)
    assert caught.value.reason == "missing"

    hypervisor.virsh("start", BASE)
    try:
        with pytest.raises(DeviceError, match=f"{BASE} on .* is running; shut it down") as caught:
            await driver.carry_out(DEFINE, ignore)
        assert caught.value.reason == "refused"
    finally:
        hypervisor.virsh("destroy", BASE)
    assert await observe(driver) == HeadnodeSeen(defined=False)


async def test_a_missing_disk_of_the_base_image_is_an_error(driver: LibvirtDriver) -> None:
    disk = IMAGES / f"{BASE}.qcow2"
    moved = disk.rename(disk.with_suffix(".moved"))
    try:
        with pytest.raises(
            DeviceError, match=f"The disk {disk} of {BASE} does not exist"
        ) as caught:
            await driver.carry_out(DEFINE, ignore)
        assert caught.value.reason == "missing"
    finally:
        moved.rename(disk)


async def test_a_domain_that_haas_did_not_make_is_left_alone(
    driver: LibvirtDriver, hypervisor: Hypervisor
) -> None:
    template = (
        "<domain type='qemu'><name>{}</name>{}<memory unit='MiB'>64</memory>"
        "<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"
    )
    hypervisor.define(template.format("precious", f"<uuid>{UUID}</uuid>"))
    try:
        for change in (DEFINE, nics(), START, STOP, DELETE):
            with pytest.raises(DeviceError, match=r"precious .* HaaS did not make it"):
                await driver.carry_out(change, ignore)
        assert await observe(driver) == HeadnodeSeen(defined=False)
    finally:
        hypervisor.virsh("undefine", "precious")

    hypervisor.define(template.format(DOMAIN, ""))
    try:
        with pytest.raises(DeviceError, match=f"another domain {DOMAIN}"):
            await driver.carry_out(DEFINE, ignore)
    finally:
        hypervisor.virsh("undefine", DOMAIN)


async def test_the_driver_survives_a_restart_of_libvirt(
    driver: LibvirtDriver, hypervisor: Hypervisor
) -> None:
    await driver.carry_out(DEFINE, ignore)
    hypervisor.stop_libvirtd()
    try:
        with pytest.raises(DeviceError, match="cannot be reached") as caught:
            await driver.observe([DEFINE])
        assert caught.value.reason == "unreachable"
        fresh = LibvirtDriver(URI)
        with pytest.raises(DeviceError, match="systemctl start libvirtd") as caught:
            await fresh.open()
        assert caught.value.reason == "unreachable"
    finally:
        hypervisor.start()
    await driver.open()
    assert await observe(driver) == on(False, NIC0)
