"""The libvirt driver: what it makes of a base image's XML, and its manners with libvirt.

libvirt's own ``test:///default`` stands in for a hypervisor where it can; what it cannot do (nics
of running domains) is tested on a real libvirtd with QEMU in tests/lab/inside/test_libvirt_real.py.
"""

import asyncio
import socket
import subprocess
import sys
import textwrap
import time
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from haas_rpcd.drivers.hostnet.iplines import bridge_name
from haas_rpcd.drivers.hypervisor import clone_xml, domain_xml, nic_xml
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

UUID = "0b7d8a3e-5f0c-4f0e-9a51-6a4f3f1d2c01"
NIC0 = HeadnodeNic("nic0", "52:54:00:AA:00:01", 104)
NIC1 = HeadnodeNic("nic1", "52:54:00:aa:00:02", 105)


def nobody(line: str) -> None:
    """Hear the lines, and do nothing about it."""


# --- base images as people have them --------------------------------------------------------------

UEFI = """
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>base-headnode</name>
  <uuid>c7a5fdbd-cdaf-9455-926a-d65c16db1809</uuid>
  <genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://debian.org/debian/12"/>
    </libosinfo:libosinfo>
  </metadata>
  <memory unit='KiB'>2097152</memory>
  <vcpu placement='static'>2</vcpu>
  <sysinfo type='smbios'><system>
    <entry name='manufacturer'>Example</entry>
    <entry name='uuid'>c7a5fdbd-cdaf-9455-926a-d65c16db1809</entry>
  </system></sysinfo>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <loader readonly='yes' secure='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.ms.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.ms.fd'>/nvram/base-headnode_VARS.fd</nvram>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough' check='none' migratable='on'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' discard='unmap'/>
      <source file='/images/base-headnode.qcow2'/>
      <target dev='vda' bus='virtio'/>
      <boot order='2'/>
      <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>
    </disk>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'/>
    <controller type='pci' index='2' model='pcie-root-port'/>
    <controller type='pci' index='3' model='pcie-root-port'/>
    <interface type='network'>
      <mac address='52:54:00:00:be:ef'/>
      <source network='default'/>
      <model type='e1000e'/>
      <boot order='1'/>
      <filterref filter='clean-traffic'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </interface>
    <channel type='unix'>
      <source mode='bind' path='/var/lib/libvirt/qemu/channel/target/base.org.qemu.agent.0'/>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'>
      <source type='dir' path='/tpm/base'/>
    </backend></tpm>
    <graphics type='spice' port='5901' tlsPort='5902' autoport='no' listen='127.0.0.1'>
      <listen type='address' address='127.0.0.1'/>
    </graphics>
    <filesystem type='mount'><source dir='/srv/all'/><target dir='all'/></filesystem>
    <filesystem type='mount'>
      <source dir='/srv/tools'/><target dir='tools'/><readonly/>
    </filesystem>
    <shmem name='everybody'><model type='ivshmem-plain'/></shmem>
  </devices>
  <seclabel type='static' model='dac' relabel='yes'><label>+1000:+1000</label></seclabel>
  <qemu:commandline><qemu:arg value='-no-hpet'/></qemu:commandline>
</domain>
"""

TWO_DISKS = """
<domain type='qemu'>
  <name>base-headnode</name>
  <uuid>c7a5fdbd-cdaf-9455-926a-d65c16db1810</uuid>
  <memory unit='MiB'>512</memory>
  <os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type><boot dev='hd'/></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/images/system.qcow2'/>
      <backingStore type='file'><format type='raw'/><source file='/images/factory.img'/>
      </backingStore>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <source file='/images/data.img'/>
      <target dev='vdb' bus='virtio'/>
      <shareable/>
    </disk>
    <disk type='volume' device='disk'>
      <driver name='qemu' type='raw'/>
      <source pool='vg0' volume='scratch'/>
      <target dev='vdc' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='/images/tools.img'/>
      <target dev='vdd' bus='virtio'/>
      <readonly/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <source file='/images/install.iso'/>
      <target dev='hda' bus='ide'/>
    </disk>
    <disk type='file' device='cdrom'><target dev='hdb' bus='ide'/></disk>
    <interface type='bridge'>
      <mac address='52:54:00:00:be:01'/><source bridge='br-lan'/><model type='rtl8139'/>
    </interface>
    <interface type='bridge'>
      <mac address='52:54:00:00:be:02'/><source bridge='br-lan'/><model type='virtio'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>
    </interface>
    <serial type='tcp'>
      <source mode='bind' host='0.0.0.0' service='4555'/><protocol type='telnet'/>
      <log file='/var/log/base.log' append='on'/>
    </serial>
    <console type='pty' tty='/dev/pts/3'><source path='/dev/pts/3'/></console>
    <graphics type='vnc' port='5900' autoport='no' websocket='5700' listen='0.0.0.0'/>
  </devices>
  <seclabel type='none' model='apparmor'/>
</domain>
"""

NETWORK_BOOT = """
<domain type='qemu'>
  <name>base-headnode</name>
  <uuid>c7a5fdbd-cdaf-9455-926a-d65c16db1811</uuid>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><boot dev='network'/></os>
  <devices>
    <interface type='user'><mac address='52:54:00:00:be:ef'/></interface>
  </devices>
</domain>
"""


def clone(base: str, *nics: HeadnodeNic, **more: Any) -> ET.Element:
    """The clone's XML, with overlays for all disks that need one."""
    overlays = {
        disk.target: f"/images/{domain_xml.overlay_name('p1/h.1-a', disk.target)}"
        for disk in domain_xml.disks_to_overlay(base)
    }
    return ET.fromstring(
        clone_xml.clone(
            base,
            headnode="p1/h.1-a",
            uuid=UUID,
            nics=nics,
            overlays=overlays,
            bridge_name=bridge_name,
            **more,
        )
    )


def text(element: ET.Element) -> str:
    return ET.tostring(element, encoding="unicode")


# --- who a clone is -------------------------------------------------------------------------------


def test_names_of_domains_are_unique_and_readable() -> None:
    names = {
        domain_xml.domain_name(headnode) for headnode in ("a/b-c", "a-b/c", "a.b/c", "a/b.c", "a/b")
    }
    assert len(names) == 5
    assert domain_xml.domain_name("astro/login-1") == "haas_astro_login-1"


@pytest.mark.parametrize("base", [UEFI, TWO_DISKS, NETWORK_BOOT])
def test_nothing_that_is_the_bases_alone_is_left_in_a_clone(base: str) -> None:
    made = text(clone(base, NIC0))
    foreign = (
        "c7a5fdbd",
        "43dc0cf8",
        "be:ef",
        "be:01",
        "/nvram/base",
        "/tpm/",
        "+1000",
        "agent.0'",
    )
    assert [word for word in foreign if word in made] == []
    assert "base-headnode" not in made.replace("/images/base-headnode", "")


def test_a_clone_knows_whose_it_is() -> None:
    made = clone(UEFI, NIC0, NIC1)
    assert made.findtext("name") == "haas_p1_h.1-a"
    assert made.findtext("uuid") == UUID
    mark = domain_xml.read_mark(text(made))
    assert mark == domain_xml.Mark(
        headnode="p1/h.1-a",
        ready=False,
        nic_names={"52:54:00:aa:00:01": "nic0", "52:54:00:aa:00:02": "nic1"},
        overlays=("/images/haas_p1_h.1-a_vda.qcow2",),
    )
    ready = domain_xml.read_mark(domain_xml.mark_ready(text(made)))
    assert ready and ready.ready
    assert domain_xml.read_mark(UEFI) is None


def test_an_image_that_is_a_headnode_itself_gives_a_clone_of_its_own() -> None:
    first = text(clone(NETWORK_BOOT, NIC0))
    second = clone_xml.clone(
        first, headnode="p2/x", uuid=UUID, nics=[NIC1], overlays={}, bridge_name=bridge_name
    )
    mark = domain_xml.read_mark(second)
    assert mark and (mark.headnode, mark.nic_names) == ("p2/x", {NIC1.mac: "nic1"})


@pytest.mark.parametrize(
    ("base", "kind", "machine"),
    [(UEFI, "kvm", "pc-q35-7.2"), (TWO_DISKS, "qemu", "pc-i440fx-7.2")],
)
def test_the_machine_is_the_bases(base: str, kind: str, machine: str) -> None:
    made = clone(base)
    assert made.get("type") == kind
    assert made.find("os/type").get("machine") == machine  # type: ignore[union-attr]
    assert "-no-hpet" in text(made) or kind == "qemu"


# --- what a clone has for itself ------------------------------------------------------------------


def test_uefi_variables_are_a_copy_of_the_bases() -> None:
    """In the base's stands what it boots from; many systems install no fallback."""
    path = domain_xml.nvram_path(UEFI)
    assert path == "/nvram/base-headnode_VARS.fd"
    own = domain_xml.variables_path("p1/h.1-a", path)
    assert own == "/nvram/haas_p1_h.1-a_VARS.fd"
    made = clone(UEFI, variables=own)
    assert made.findtext("os/nvram") == own
    mark = domain_xml.read_mark(text(made))
    assert mark and mark.overlays == ("/images/haas_p1_h.1-a_vda.qcow2", own)

    assert clone(UEFI).findtext("os/nvram") == ""
    assert domain_xml.nvram_path(TWO_DISKS) is None


def test_uefi_variables_are_found_where_libvirt_puts_them_when_it_does_not_say() -> None:
    """libvirt 9 says nothing of firmware that it chose by itself while the domain is off."""
    chosen = NETWORK_BOOT.replace("<os>", "<os firmware='efi'>")
    path = domain_xml.nvram_path(chosen)
    assert path == "/var/lib/libvirt/qemu/nvram/base-headnode_VARS.fd"
    own = domain_xml.variables_path("p1/h.1-a", path)
    assert clone(chosen, variables=own).findtext("os/nvram") == own
    assert clone(chosen).find("os/nvram") is None


def test_consoles_take_ports_and_paths_of_their_own() -> None:
    vnc = clone(TWO_DISKS).find("devices/graphics")
    assert vnc is not None
    assert vnc.attrib == {
        "type": "vnc",
        "port": "-1",
        "autoport": "yes",
        "websocket": "-1",
        "listen": "0.0.0.0",
    }
    spice = clone(UEFI).find("devices/graphics")
    assert spice is not None
    assert (spice.get("port"), spice.get("tlsPort"), spice.get("autoport")) == ("-1", None, "yes")

    serial = clone(TWO_DISKS).find("devices/serial")
    assert serial is not None
    assert (serial.get("type"), list(serial)) == ("pty", [])
    console = clone(TWO_DISKS).find("devices/console")
    assert console is not None
    assert (console.attrib, list(console)) == ({"type": "pty"}, [])
    agent = clone(UEFI).find("devices/channel")
    assert agent is not None
    assert [child.tag for child in agent] == ["target"]


def test_a_clone_shares_nothing_writable_with_other_clones() -> None:
    devices = clone(UEFI).find("devices")
    assert devices is not None
    assert [folder.find("source").get("dir") for folder in devices.findall("filesystem")] == [  # type: ignore[union-attr]
        "/srv/tools"
    ]
    assert devices.find("shmem") is None
    assert devices.find("tpm/backend/source") is None


def test_labels_of_the_bases_process_go_and_the_wish_for_none_stays() -> None:
    assert clone(UEFI).findall("seclabel") == []
    assert [label.get("type") for label in clone(TWO_DISKS).findall("seclabel")] == ["none"]


# --- disks ----------------------------------------------------------------------------------------


def test_writable_disks_get_overlays_and_the_others_stay() -> None:
    assert [
        (disk.target, disk.format, disk.path or (disk.pool, disk.volume))
        for disk in domain_xml.disks_to_overlay(TWO_DISKS)
    ] == [
        ("vda", "qcow2", "/images/system.qcow2"),
        ("vdb", "raw", "/images/data.img"),
        ("vdc", "raw", ("vg0", "scratch")),
    ]
    disks = {
        disk.find("target").get("dev"): disk  # type: ignore[union-attr]
        for disk in clone(TWO_DISKS).findall("devices/disk")
    }
    for target in ("vda", "vdb", "vdc"):
        disk = disks[target]
        path = f"/images/haas_p1_h.1-a_{target}.qcow2"
        assert disk.get("type") == "file"
        assert [source.attrib for source in disk.findall("source")] == [{"file": path}]
        assert [driver.get("type") for driver in disk.findall("driver")] == ["qcow2"]
        assert disk.find("backingStore") is None
        assert disk.find("shareable") is None
    base = {
        disk.find("target").get("dev"): disk  # type: ignore[union-attr]
        for disk in ET.fromstring(TWO_DISKS).findall("devices/disk")
    }
    for target in ("vdd", "hda", "hdb"):
        assert text(disks[target]) == text(base[target])


def test_settings_of_a_disk_stay_with_its_overlay() -> None:
    disk = clone(UEFI).find("devices/disk")
    assert disk is not None
    assert disk.find("driver").attrib == {"name": "qemu", "type": "qcow2", "discard": "unmap"}  # type: ignore[union-attr]
    assert disk.find("boot").get("order") == "2"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<disk type='file' device='disk'>", "<disk type='network' device='disk'>", "type network"),
        ("<disk type='file' device='disk'>", "<disk type='block' device='lun'>", "handed through"),
        ("<boot order='2'/>", "<encryption format='luks'/>", "encrypted"),
    ],
)
def test_a_disk_that_no_overlay_goes_over_is_refused(old: str, new: str, words: str) -> None:
    with pytest.raises(DeviceError, match=f"Disk vda of base-headnode .*{words}") as caught:
        domain_xml.disks_to_overlay(UEFI.replace(old, new))
    assert caught.value.reason == "refused"


# --- nics -----------------------------------------------------------------------------------------


def bridges(domain: ET.Element | str) -> list[tuple[str, str | None]]:
    xml = domain if isinstance(domain, str) else text(domain)
    return [(one.mac, one.bridge) for one in domain_xml.read_interfaces(xml)]


def test_the_wanted_nics_stand_in_the_places_of_the_bases() -> None:
    made = clone(TWO_DISKS, NIC1, NIC0)
    assert bridges(made) == [
        ("52:54:00:aa:00:01", "br-vlan104"),
        ("52:54:00:aa:00:02", "br-vlan105"),
    ]
    first, second = made.findall("devices/interface")
    assert first.find("model").get("type") == "rtl8139"  # type: ignore[union-attr]
    assert second.find("model").get("type") == "virtio"  # type: ignore[union-attr]
    assert second.find("address").get("slot") == "0x05"  # type: ignore[union-attr]

    (uefi,) = clone(UEFI, NIC0).findall("devices/interface")
    assert {child.tag for child in uefi} == {"mac", "source", "model", "boot", "address"}
    assert uefi.find("model").get("type") == "e1000e"  # type: ignore[union-attr]


def test_a_clone_without_networks_has_no_nic() -> None:
    for base in (UEFI, TWO_DISKS, NETWORK_BOOT):
        assert bridges(clone(base)) == []


def test_more_nics_than_the_base_has() -> None:
    many = [HeadnodeNic(f"nic{n}", f"52:54:00:aa:00:0{n}", 100 + n) for n in range(5)]
    made = clone(TWO_DISKS, *many)
    assert len(bridges(made)) == 5
    models = [nic.find("model").get("type") for nic in made.findall("devices/interface")]  # type: ignore[union-attr]
    assert models == ["rtl8139", "virtio", "rtl8139", "rtl8139", "rtl8139"]


def test_a_nic_without_a_model_is_virtio() -> None:
    (nic,) = clone(NETWORK_BOOT, NIC0).findall("devices/interface")
    assert nic.find("model").get("type") == "virtio"  # type: ignore[union-attr]


def test_a_q35_clone_has_free_ports_to_plug_nics_into() -> None:
    def root_ports(domain: ET.Element) -> int:
        return len(domain.findall("devices/controller[@model='pcie-root-port']"))

    # Ports 1 and 2 are taken by the nic and the disk, port 3 is free.
    assert root_ports(clone(UEFI, NIC0)) == 2 + nic_xml.SPARE_SLOTS
    assert root_ports(clone(UEFI, NIC0, NIC1)) == 2 + 1 + nic_xml.SPARE_SLOTS
    assert root_ports(clone(TWO_DISKS, NIC0)) == 0
    again = text(clone(text(clone(UEFI, NIC0)), NIC0))
    assert again.count("pcie-root-port") >= 2 + nic_xml.SPARE_SLOTS


def test_a_nic_keeps_its_place_when_its_network_changes() -> None:
    before = text(clone(TWO_DISKS, NIC0, NIC1))
    moved = HeadnodeNic("nic1", NIC1.mac, 199)
    after = nic_xml.with_nics(before, [moved], bridge_name)
    assert bridges(after) == [("52:54:00:aa:00:02", "br-vlan199")]
    (nic,) = ET.fromstring(after).findall("devices/interface")
    assert nic.find("address").get("slot") == "0x05"  # type: ignore[union-attr]
    mark = domain_xml.read_mark(after)
    assert mark and mark.nic_names == {NIC1.mac: "nic1"}
    assert mark.overlays == domain_xml.read_mark(before).overlays  # type: ignore[union-attr]


LIVE = """
<domain><devices><interface type='bridge'>
  <mac address='52:54:00:aa:00:02'/><source bridge='haas-parked'/><target dev='vnet0'/>
  <model type='virtio'/><link state='down'/><port isolated='yes'/><alias name='net0'/>
</interface></devices></domain>
"""


def test_a_nic_is_parked_link_first_and_comes_back() -> None:
    (parked,) = domain_xml.read_interfaces(LIVE)
    assert (parked.bridge, parked.link_up, parked.isolated) == ("haas-parked", False, True)

    back = ET.fromstring(nic_xml.moved_interface_xml(parked, "br-vlan105"))
    (live,) = domain_xml.read_interfaces(f"<domain><devices>{text(back)}</devices></domain>")
    assert (live.bridge, live.link_up, live.isolated) == ("br-vlan105", True, False)
    assert back.find("link").get("state") == "up"  # type: ignore[union-attr]

    down = ET.fromstring(nic_xml.unplugged_interface_xml(live))
    assert down.find("source").get("bridge") == "br-vlan105"  # type: ignore[union-attr]
    assert down.find("link").get("state") == "down"  # type: ignore[union-attr]
    again = ET.fromstring(nic_xml.parked_interface_xml(live, "haas-parked"))
    (there,) = domain_xml.read_interfaces(f"<domain><devices>{text(again)}</devices></domain>")
    assert (there.bridge, there.link_up, there.isolated) == ("haas-parked", False, True)


# --- the driver on libvirt's own test hypervisor --------------------------------------------------

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
    """The test hypervisor has no running nics to park."""

    bridge = "haas-parked"

    async def provide(self) -> None:
        raise AssertionError("nothing is parked here")

    async def tidy(self) -> None:
        """Nothing to tidy."""


@pytest.fixture
def hypervisor() -> Iterator[Any]:
    """The test hypervisor with the base image, seen by other eyes than the driver's."""
    connection = libvirt.open("test:///default")
    before = {domain.name() for domain in connection.listAllDomains()}
    pool = connection.storagePoolCreateXML(POOL, 0)
    pool.createXML(BASE_DISK, 0)
    connection.defineXML(BASE)
    yield connection
    # It is the process's only one, and lives on while anything (a traceback) holds a connection.
    for domain in connection.listAllDomains():
        if domain.name() not in before:
            if domain.isActive():
                domain.destroy()
            domain.undefine()
    pool.destroy()
    connection.close()


@pytest.fixture
async def driver(hypervisor: Any) -> AsyncIterator[LibvirtDriver]:
    connected = LibvirtDriver("test:///default", parking=NoParking(), shutdown_grace=0.1)
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


async def test_a_headnode_is_made_used_and_deleted(driver: LibvirtDriver, hypervisor: Any) -> None:
    said: list[str] = []
    await driver.send(DEFINE, said.append)
    assert said == driver.preview(DEFINE)
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
    await driver.send(SetHeadnodePower("p1/h1", UUID, running=True), said.append)
    assert (await seen(driver)).running
    await driver.send(SetHeadnodePower("p1/h1", UUID, running=False), said.append)
    await driver.send(SetHeadnodeNics("p1/h1", UUID, (NIC1,)), said.append)
    assert await seen(driver) == HeadnodeSeen(defined=True, running=False, nics=(NIC1,))
    await driver.send(DeleteHeadnode("p1/h1", UUID), said.append)
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
        await driver.send(change, nobody)
        await driver.send(change, said.append)
        assert said == []


async def test_two_projects_may_call_a_headnode_the_same(
    driver: LibvirtDriver, hypervisor: Any
) -> None:
    other = DefineHeadnode("p2/h1", UUID.replace("01", "02"), "base-headnode", (NIC1,))
    await driver.send(DEFINE, nobody)
    await driver.send(other, nobody)
    assert await driver.observe([other, DEFINE]) == [
        HeadnodeSeen(defined=True, nics=(NIC1,)),
        HeadnodeSeen(defined=True, nics=(SEEN_NIC0,)),
    ]
    await driver.send(DeleteHeadnode(other.headnode, other.uuid), nobody)
    assert volumes(hypervisor) == ["base.qcow2", "haas_p1_h1_vda.qcow2"]


async def test_libvirts_complaints_are_raised_and_not_printed(
    driver: LibvirtDriver, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DeviceError, match="There is no domain base-x on test:///default"):
        await driver.send(DefineHeadnode("p1/h1", UUID, "base-x"), nobody)
    assert capfd.readouterr() == ("", "")


async def test_a_running_image_is_not_cloned(driver: LibvirtDriver, hypervisor: Any) -> None:
    hypervisor.lookupByName("base-headnode").create()
    with pytest.raises(DeviceError, match="is running; shut it down") as caught:
        await driver.send(DEFINE, nobody)
    assert caught.value.reason == "refused"
    assert volumes(hypervisor) == ["base.qcow2"]


async def test_an_image_whose_disk_is_gone_is_not_cloned(
    driver: LibvirtDriver, hypervisor: Any
) -> None:
    hypervisor.storageVolLookupByPath("/images/base.qcow2").delete(0)
    with pytest.raises(DeviceError, match=r"The disk /images/base\.qcow2 of base-headnode") as why:
        await driver.send(DEFINE, nobody)
    assert why.value.reason == "missing"
    assert await seen(driver) == HeadnodeSeen(defined=False)


async def test_what_is_gone_cannot_be_started(driver: LibvirtDriver) -> None:
    with pytest.raises(DeviceError, match="haas_p1_h1 is gone") as caught:
        await driver.send(SetHeadnodePower("p1/h1", UUID, running=True), nobody)
    assert caught.value.reason == "missing"


async def test_a_closed_driver_says_so() -> None:
    driver = LibvirtDriver("test:///default", parking=NoParking())
    with pytest.raises(DeviceError, match="no connection") as caught:
        await driver.observe([DEFINE])
    assert caught.value.reason == "unreachable"
    await driver.close()


# --- when libvirt is not what it should be --------------------------------------------------------


async def test_without_the_binding_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "libvirt", None)
    with pytest.raises(UnavailableError, match=r"^the libvirt driver is not installed: ") as caught:
        await LibvirtDriver("test:///default").open()
    assert "apt-get install libvirt-dev" in caught.value.message
    assert "pip install 'haas[libvirt]'" in caught.value.message


async def test_libvirt_is_down(tmp_path: Path) -> None:
    driver = LibvirtDriver(f"qemu+unix:///system?socket={tmp_path}/nobody")
    with pytest.raises(DeviceError, match=r"cannot be reached.*systemctl start libvirtd") as caught:
        await driver.open()
    assert caught.value.reason == "unreachable"
    await driver.close()


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """A libvirtd that takes connections and never says a word; it hangs up at the end."""
    path = tmp_path / "silent"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(16)
        yield f"qemu+unix:///system?socket={path}"


async def test_a_silent_libvirt_holds_nobody_up(silent: str) -> None:
    driver = LibvirtDriver(silent, timeout=0.2)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    with pytest.raises(DeviceError, match=r"did not answer within 0\.2 s") as caught:
        await driver.open()
    ticking.cancel()
    assert caught.value.reason == "timeout"
    assert ticks > 3, "the loop went on meanwhile"
    await driver.close()


async def test_hanging_calls_do_not_pile_up(silent: str) -> None:
    said = []
    for _ in range(MAX_HANGING + 1):
        with pytest.raises(DeviceError) as caught:
            await LibvirtDriver(silent, timeout=0.05).open()
        said.append(caught.value.reason)
    assert said[-1] == "unreachable"
    assert "is not asked again" in caught.value.message


def test_a_silent_libvirt_keeps_no_program_from_ending(silent: str) -> None:
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
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert ended.stdout == "timeout\n"
    assert time.monotonic() - began < 10
