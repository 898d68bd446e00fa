"""The libvirt driver, on libvirt's own test hypervisor (``test:///default``) as far as it goes.

What that lacks (nics of running domains) is tested on a real libvirtd with QEMU in the lab:
tests/lab/inside/test_libvirt_real.py.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import libvirt
import pytest

from haas_rpcd.drivers.hostnet.taps import Tap
from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver
from haas_rpcd.drivers.hypervisor.worker import MAX_HANGING
from haas_rpcd.errors import DeviceError, UnavailableError
from haas_rpcd.model import (
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    SetHeadnodeNics,
    SetHeadnodePower,
)
from tests.unit.base_images import NIC0, NIC1, UUID


def ignore(line: str) -> None:
    """Ignore a line."""


BASE = """
<domain type='test'>
  <name>base-headnode</name>
  <memory unit='MiB'>64</memory>
  <os><type>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/images/base.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='bridge'>
      <mac address='52:54:00:00:be:ef'/><source bridge='br-lan'/><model type='e1000'/>
    </interface>
  </devices>
</domain>
"""
POOL = "<pool type='dir'><name>images</name><target><path>/images</path></target></pool>"
BASE_DISK = """
<volume><name>base.qcow2</name><capacity unit='GiB'>5</capacity>
  <target><format type='qcow2'/></target></volume>
"""
DEFINE = DefineHeadnode("p1/h1", UUID, "base-headnode", (NIC0,))
SEEN_NIC0 = HeadnodeNic("nic0", NIC0.mac.lower(), 104)


class NoParking:
    """No parking: the test hypervisor has no nics of running domains."""

    bridge = "haas-parked"

    async def provide(self) -> None:
        raise AssertionError("nothing is parked here")

    async def tidy(self) -> None:
        """Do nothing."""


class TestHypervisorsTaps:
    """The taps of the test hypervisor, which exist in its XML only."""

    __test__ = False

    def __init__(self) -> None:
        self.admitted: set[Tap] = set()

    async def admit(self, taps: Sequence[Tap]) -> None:
        self.admitted |= set(taps)

    async def not_admitted(self, taps: Sequence[Tap]) -> frozenset[str]:
        return frozenset(tap.name for tap in taps if tap not in self.admitted)


@pytest.fixture
def hypervisor() -> Iterator[Any]:
    """Set up the test hypervisor with the base image; give a connection besides the driver's."""
    connection = libvirt.open("test:///default")
    before = {domain.name() for domain in connection.listAllDomains()}
    pool = connection.storagePoolCreateXML(POOL, 0)
    pool.createXML(BASE_DISK, 0)
    connection.defineXML(BASE)
    yield connection
    # The process has only one, and it survives while anything (a traceback) holds a connection.
    for domain in connection.listAllDomains():
        if domain.name() not in before:
            if domain.isActive():
                domain.destroy()
            domain.undefine()
    pool.destroy()
    connection.close()


@pytest.fixture
async def driver(hypervisor: Any) -> AsyncIterator[LibvirtDriver]:
    connected = LibvirtDriver(
        "test:///default", parking=NoParking(), taps=TestHypervisorsTaps(), shutdown_grace=0.1
    )
    await connected.open()
    yield connected
    await connected.close()


async def seen(driver: LibvirtDriver) -> HeadnodeSeen:
    (one,) = await driver.observe([DEFINE])
    assert isinstance(one, HeadnodeSeen)
    return one


def volumes(hypervisor: Any) -> list[str]:
    pool = hypervisor.storagePoolLookupByName("images")
    return sorted(volume.name() for volume in pool.listAllVolumes())


async def test_a_headnode_is_created_used_and_deleted(
    driver: LibvirtDriver, hypervisor: Any
) -> None:
    said: list[str] = []
    await driver.carry_out(DEFINE, said.append)
    assert said == driver.preview([DEFINE])[0]
    assert await seen(driver) == HeadnodeSeen(defined=True, running=False, nics=(SEEN_NIC0,))
    overlay = hypervisor.storageVolLookupByPath("/images/haas_p1_h1_vda.qcow2")
    backing = ET.fromstring(overlay.XMLDesc(0)).find("backingStore")
    assert backing is not None
    assert (backing.findtext("path"), backing.find("format").get("type")) == (  # type: ignore[union-attr]
        "/images/base.qcow2",
        "qcow2",
    )
    assert overlay.info()[1] == 5 << 30

    said.clear()
    await driver.carry_out(SetHeadnodePower("p1/h1", UUID, running=True), said.append)
    assert (await seen(driver)).running
    await driver.carry_out(SetHeadnodePower("p1/h1", UUID, running=False), said.append)
    await driver.carry_out(SetHeadnodeNics("p1/h1", UUID, (NIC1,)), said.append)
    assert await seen(driver) == HeadnodeSeen(defined=True, running=False, nics=(NIC1,))
    await driver.carry_out(DeleteHeadnode("p1/h1", UUID), said.append)
    assert said == [
        "start haas_p1_h1",
        "stop haas_p1_h1",
        f"detach {SEEN_NIC0.mac}",
        f"attach nic1 {NIC1.mac} to br-vlan105",
        "delete haas_p1_h1 and its overlays",
    ]
    assert await seen(driver) == HeadnodeSeen(defined=False)
    assert volumes(hypervisor) == ["base.qcow2"]
    assert "haas_p1_h1" not in [domain.name() for domain in hypervisor.listAllDomains()]


async def test_everything_can_be_sent_twice(driver: LibvirtDriver, hypervisor: Any) -> None:
    for change in (
        DEFINE,
        SetHeadnodePower("p1/h1", UUID, running=True),
        SetHeadnodePower("p1/h1", UUID, running=False),
        SetHeadnodeNics("p1/h1", UUID, ()),
        DeleteHeadnode("p1/h1", UUID),
    ):
        said: list[str] = []
        await driver.carry_out(change, ignore)
        await driver.carry_out(change, said.append)
        assert said == []


async def test_two_projects_may_use_the_same_name_for_a_headnode(
    driver: LibvirtDriver, hypervisor: Any
) -> None:
    other = DefineHeadnode("p2/h1", UUID.replace("01", "02"), "base-headnode", (NIC1,))
    await driver.carry_out(DEFINE, ignore)
    await driver.carry_out(other, ignore)
    assert await driver.observe([other, DEFINE]) == [
        HeadnodeSeen(defined=True, nics=(NIC1,)),
        HeadnodeSeen(defined=True, nics=(SEEN_NIC0,)),
    ]
    await driver.carry_out(DeleteHeadnode(other.headnode, other.uuid), ignore)
    assert volumes(hypervisor) == ["base.qcow2", "haas_p1_h1_vda.qcow2"]


async def test_errors_of_libvirt_are_raised_and_not_printed(
    driver: LibvirtDriver, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DeviceError, match="There is no domain base-x on test:///default"):
        await driver.carry_out(DefineHeadnode("p1/h1", UUID, "base-x"), ignore)
    assert capfd.readouterr() == ("", "")


async def test_a_running_image_is_not_cloned(driver: LibvirtDriver, hypervisor: Any) -> None:
    hypervisor.lookupByName("base-headnode").create()
    with pytest.raises(DeviceError, match="is running; shut it down") as caught:
        await driver.carry_out(DEFINE, ignore)
    assert caught.value.reason == "refused"
    assert volumes(hypervisor) == ["base.qcow2"]


async def test_an_image_without_its_disk_is_not_cloned(
    driver: LibvirtDriver, hypervisor: Any
) -> None:
    hypervisor.storageVolLookupByPath("/images/base.qcow2").delete(0)
    with pytest.raises(DeviceError, match=r"The disk /images/base\.qcow2 of base-headnode") as why:
        await driver.carry_out(DEFINE, ignore)
    assert why.value.reason == "missing"
    assert await seen(driver) == HeadnodeSeen(defined=False)


async def test_a_deleted_headnode_cannot_be_started(driver: LibvirtDriver) -> None:
    with pytest.raises(DeviceError, match="haas_p1_h1 is gone") as caught:
        await driver.carry_out(SetHeadnodePower("p1/h1", UUID, running=True), ignore)
    assert caught.value.reason == "missing"


async def test_a_headnode_that_somebody_else_started_is_not_on_its_network(
    driver: LibvirtDriver, hypervisor: Any
) -> None:
    await driver.carry_out(DEFINE, ignore)
    hypervisor.lookupByUUIDString(UUID).create()
    off_network = HeadnodeNic(SEEN_NIC0.nic, SEEN_NIC0.mac, 0)
    assert await seen(driver) == HeadnodeSeen(True, True, (off_network, SEEN_NIC0))
    await driver.carry_out(SetHeadnodePower("p1/h1", UUID, running=True), ignore)
    assert await seen(driver) == HeadnodeSeen(True, True, (SEEN_NIC0,))


async def test_a_closed_driver_is_unreachable() -> None:
    driver = LibvirtDriver("test:///default", parking=NoParking())
    with pytest.raises(DeviceError, match="no connection") as caught:
        await driver.observe([DEFINE])
    assert caught.value.reason == "unreachable"
    await driver.close()


# --- trouble with libvirt -------------------------------------------------------------------------


async def test_without_the_binding_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "libvirt", None)
    with pytest.raises(UnavailableError, match=r"^the libvirt driver is not installed: ") as caught:
        await LibvirtDriver("test:///default").open()
    assert "apt-get install libvirt-dev" in caught.value.message
    assert "pip install 'haas[libvirt]'" in caught.value.message


async def test_a_stopped_libvirtd_is_unreachable(tmp_path: Path) -> None:
    driver = LibvirtDriver(f"qemu+unix:///system?socket={tmp_path}/ignore")
    with pytest.raises(DeviceError, match=r"cannot be reached.*systemctl start libvirtd") as caught:
        await driver.open()
    assert caught.value.reason == "unreachable"
    await driver.close()


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """Run a libvirtd that accepts connections and never answers; it disconnects at the end."""
    path = tmp_path / "silent"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(16)
        yield f"qemu+unix:///system?socket={path}"


async def test_a_silent_libvirtd_times_out(silent: str) -> None:
    driver = LibvirtDriver(silent, timeout=0.2)
    with pytest.raises(DeviceError, match=r"did not answer within 0\.2 s") as caught:
        await driver.open()
    assert caught.value.reason == "timeout"
    await driver.close()


async def test_a_silent_libvirtd_does_not_block_the_loop(silent: str) -> None:
    driver = LibvirtDriver(silent, timeout=60)
    opening = asyncio.create_task(driver.open())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not opening.done()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await driver.close()


async def test_the_number_of_hanging_calls_is_limited(silent: str) -> None:
    said = []
    for _ in range(MAX_HANGING + 1):
        with pytest.raises(DeviceError) as caught:
            await LibvirtDriver(silent, timeout=0.05).open()
        said.append(caught.value.reason)
    assert said[-1] == "unreachable"
    assert "is not asked again" in caught.value.message


async def test_a_silent_libvirtd_does_not_keep_another_from_being_asked(silent: str) -> None:
    for _ in range(MAX_HANGING):
        with pytest.raises(DeviceError, match="did not answer"):
            await LibvirtDriver(silent, timeout=0.05).open()
    other = LibvirtDriver("test:///default")
    await other.open()
    await other.close()


def test_a_silent_libvirtd_does_not_keep_the_program_from_ending(silent: str) -> None:
    program = f"""
        import asyncio
        from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver
        from haas_rpcd.errors import DeviceError

        async def main():
            driver = LibvirtDriver({silent!r}, timeout=0.2)
            try:
                await driver.open()
            except DeviceError as error:
                print(error.reason)
            await driver.close()

        asyncio.run(main())
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert ended.stdout == "timeout\n"


async def test_changes_of_domains_are_reported_and_shown(
    driver: LibvirtDriver, hypervisor: Any
) -> None:
    """What somebody does to a headnode by hand, and how it reads."""
    await driver.carry_out(DEFINE, ignore)
    await driver.carry_out(SetHeadnodePower("p1/h1", UUID, running=True), ignore)
    reports: asyncio.Queue[None] = asyncio.Queue()
    watcher = LibvirtDriver("test:///default", parking=NoParking())
    watch = asyncio.create_task(watcher.watch(lambda: reports.put_nowait(None)))
    domain = hypervisor.lookupByUUIDString(UUID)
    try:
        async with asyncio.timeout(20):
            await reports.get()  # the watch is in place
            for by_hand, condition in (
                (domain.suspend, "paused"),
                (domain.resume, None),
                (domain.destroy, None),
            ):
                by_hand()
                await reports.get()
                shown = await seen(driver)
                assert shown.condition == condition
                assert shown.running == (by_hand == domain.resume)
            domain.undefine()
            await reports.get()
        assert await seen(driver) == HeadnodeSeen(defined=False)
    finally:
        watch.cancel()
        await asyncio.wait([watch])
        await watcher.close()


async def test_a_paused_headnode_runs_on_when_it_is_started(
    driver: LibvirtDriver, hypervisor: Any
) -> None:
    start = SetHeadnodePower("p1/h1", UUID, running=True)
    await driver.carry_out(DEFINE, ignore)
    await driver.carry_out(start, ignore)
    hypervisor.lookupByUUIDString(UUID).suspend()
    assert not (await seen(driver)).running
    said: list[str] = []
    await driver.carry_out(start, said.append)
    assert said == ["resume haas_p1_h1, which is paused"]
    assert (await seen(driver)).running


ADDED = {
    "a device of the master": """<hostdev mode='subsystem' type='pci' managed='yes'><source>
        <address domain='0x0000' bus='0x03' slot='0x00' function='0x0'/></source></hostdev>""",
    "another disk": """<disk type='block' device='disk'><driver name='qemu' type='raw'/>
        <source dev='/dev/sda'/><target dev='vdb' bus='virtio'/></disk>""",
    "a folder of the master": """<filesystem type='mount'><source dir='/srv'/>
        <target dir='srv'/></filesystem>""",
    "shared memory": "<shmem name='between'><size unit='M'>4</size></shmem>",
}


def edit(hypervisor: Any, device: str) -> None:
    """Give the headnode a device, as ``virsh edit`` does."""
    inactive = hypervisor.lookupByUUIDString(UUID).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    hypervisor.defineXML(inactive.replace("</devices>", f"{device}</devices>"))


@pytest.mark.parametrize("what", ADDED)
async def test_what_somebody_adds_by_hand_is_seen_and_taken_away_again(
    driver: LibvirtDriver, hypervisor: Any, what: str
) -> None:
    await driver.carry_out(DEFINE, ignore)
    edit(hypervisor, ADDED[what])
    assert await seen(driver) == HeadnodeSeen(True, False, (SEEN_NIC0,), added=(what,))
    lines: list[str] = []
    await driver.carry_out(SetHeadnodeNics("p1/h1", UUID, (NIC0,)), lines.append)
    assert lines == ["take from haas_p1_h1 what was added to it by hand"]
    assert await seen(driver) == HeadnodeSeen(True, False, (SEEN_NIC0,))


async def test_a_cdrom_more_memory_and_what_the_image_has_are_nobodys_business(
    driver: LibvirtDriver, hypervisor: Any
) -> None:
    image = hypervisor.lookupByName("base-headnode").XMLDesc(0)
    hypervisor.defineXML(
        image.replace("</devices>", f"{ADDED['a device of the master']}</devices>")
    )
    await driver.carry_out(DEFINE, ignore)
    edit(hypervisor, "<disk type='file' device='cdrom'><target dev='sdx' bus='sata'/></disk>")
    domain = hypervisor.lookupByUUIDString(UUID)
    domain.setAutostart(1)
    xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    hypervisor.defineXML(xml.replace("65536</memory>", "131072</memory>"))
    assert await seen(driver) == HeadnodeSeen(True, False, (SEEN_NIC0,))
