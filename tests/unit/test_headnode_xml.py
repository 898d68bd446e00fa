"""The XML of headnodes: clones of base images, and their nics."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from haas_rpcd.drivers.hostnet.iplines import bridge_name
from haas_rpcd.drivers.hypervisor import clone_xml, domain_xml, nic_xml
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import HeadnodeNic
from tests.unit.base_images import NETWORK_BOOT, NIC0, NIC1, TWO_DISKS, UEFI, UUID


def clone(base: str, *nics: HeadnodeNic, **more: Any) -> ET.Element:
    """Return the XML of a clone, with overlays for all disks that need one."""
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


# --- identity -------------------------------------------------------------------------------------


def test_names_of_domains_are_unique_and_readable() -> None:
    names = {
        domain_xml.domain_name(headnode) for headnode in ("a/b-c", "a-b/c", "a.b/c", "a/b.c", "a/b")
    }
    assert len(names) == 5
    assert domain_xml.domain_name("astro/login-1") == "haas_astro_login-1"


@pytest.mark.parametrize("base", [UEFI, TWO_DISKS, NETWORK_BOOT])
def test_a_clone_keeps_nothing_of_the_base_s_identity(base: str) -> None:
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


def test_a_clone_s_mark_names_its_headnode() -> None:
    made = clone(UEFI, NIC0, NIC1)
    assert made.findtext("name") == "haas_p1_h.1-a"
    assert made.findtext("uuid") == UUID
    mark = domain_xml.read_mark(text(made))
    assert mark == domain_xml.Mark(
        headnode="p1/h.1-a",
        ready=False,
        nic_names={"52:54:00:aa:00:01": "nic0", "52:54:00:aa:00:02": "nic1"},
        overlays=("/images/haas_p1_h.1-a_vda.qcow2",),
        devices=frozenset({"disk vda", "filesystem 1"}),
    )
    ready = domain_xml.read_mark(domain_xml.mark_ready(text(made)))
    assert ready and ready.ready
    assert domain_xml.read_mark(UEFI) is None


def test_a_clone_of_a_headnode_has_its_own_mark() -> None:
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
def test_a_clone_has_the_machine_of_its_base(base: str, kind: str, machine: str) -> None:
    made = clone(base)
    assert made.get("type") == kind
    assert made.find("os/type").get("machine") == machine  # type: ignore[union-attr]
    assert "-no-hpet" in text(made) or kind == "qemu"


# --- a clone's own resources ----------------------------------------------------------------------


def test_uefi_variables_are_copied_from_the_base() -> None:
    """They contain the boot entries; many systems install no fallback."""
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


def test_uefi_variables_are_found_in_libvirt_s_default_folder() -> None:
    """libvirt 9 omits the path if it chose the firmware itself and the domain is off."""
    chosen = NETWORK_BOOT.replace("<os>", "<os firmware='efi'>")
    path = domain_xml.nvram_path(chosen)
    assert path == "/var/lib/libvirt/qemu/nvram/base-headnode_VARS.fd"
    own = domain_xml.variables_path("p1/h.1-a", path)
    assert clone(chosen, variables=own).findtext("os/nvram") == own
    assert clone(chosen).find("os/nvram") is None


def test_consoles_have_their_own_ports_and_paths() -> None:
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


def test_security_labels_are_removed_unless_the_base_wants_none() -> None:
    assert clone(UEFI).findall("seclabel") == []
    assert [label.get("type") for label in clone(TWO_DISKS).findall("seclabel")] == ["none"]


# --- disks ----------------------------------------------------------------------------------------


def test_writable_disks_get_overlays_and_others_are_unchanged() -> None:
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


def test_an_overlay_keeps_the_settings_of_its_disk() -> None:
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
def test_a_disk_that_cannot_have_an_overlay_is_refused(old: str, new: str, words: str) -> None:
    with pytest.raises(DeviceError, match=f"Disk vda of base-headnode .*{words}") as caught:
        domain_xml.disks_to_overlay(UEFI.replace(old, new))
    assert caught.value.reason == "refused"


# --- nics -----------------------------------------------------------------------------------------


def bridges(domain: ET.Element | str) -> list[tuple[str, str | None]]:
    xml = domain if isinstance(domain, str) else text(domain)
    return [(one.mac, one.bridge) for one in domain_xml.read_interfaces(xml)]


def test_the_wanted_nics_take_the_places_of_the_base_s() -> None:
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


def test_a_clone_may_have_more_nics_than_its_base() -> None:
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

    # The nic and the disk use ports 1 and 2; port 3 is free.
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


def test_a_parked_nic_s_link_goes_down_first_and_comes_back() -> None:
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
