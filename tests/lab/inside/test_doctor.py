"""``haas-rpcd doctor`` on real interfaces of a kernel with VLANs, and on a real libvirtd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from haas_rpcd.config import Master, Settings, StoreSettings
from haas_rpcd.doctor import Finding, World, host
from haas_rpcd.doctor.hypervisor import hypervisor as libvirt_check

from ..hypervisor import BASE, IMAGES, Hypervisor
from ..topology import ip, run

pytestmark = pytest.mark.second_kernel

TRUNK = "doctor0"


@pytest.fixture
def trunk() -> Iterator[str]:
    """A trunk nic as it should be: up, with a carrier, without addresses."""
    ip(None, f"link add {TRUNK} type veth peer name {TRUNK}p")
    ip(None, f"link set {TRUNK} addrgenmode none", f"link set {TRUNK} up")
    ip(None, f"link set {TRUNK}p up")
    yield TRUNK
    ip(None, f"link delete {TRUNK}")


def master(tmp_path: Path, **settings: object) -> World:
    wanted = Master(**{"trunk_nic": TRUNK, **settings})  # type: ignore[arg-type]
    store = StoreSettings(path=str(tmp_path / "haas.db"))
    return World(Settings(master=wanted, store=store), tmp_path / "haas.toml", root=tmp_path)


def levels(findings: list[Finding]) -> list[str]:
    return [one.level for one in findings]


async def test_a_trunk_nic_as_it_should_be_is_ok(tmp_path: Path, trunk: str) -> None:
    assert levels(await host.trunk_nic(master(tmp_path))) == ["ok"]


@pytest.mark.parametrize(
    ("line", "level", "said"),
    [
        ("addr add 192.0.2.1/24 dev doctor0", "fault", "192.0.2.1/24"),
        ("addr add 2001:db8::1/64 dev doctor0", "fault", "2001:db8::1/64"),
        ("addr add fe80::1/64 dev doctor0", "warning", "fe80::1/64"),
        ("link set doctor0 down", "warning", "is down"),
        ("link set doctor0p down", "fault", "no carrier"),
        ("link set doctor0 master br-doctor", "fault", "port of a bridge"),
    ],
)
async def test_what_is_wrong_with_a_trunk_nic_is_named(
    tmp_path: Path, trunk: str, line: str, level: str, said: str
) -> None:
    ip(None, "link add br-doctor type bridge")
    try:
        ip(None, line)
        (found,) = await host.trunk_nic(master(tmp_path))
    finally:
        ip(None, "link delete br-doctor")
    assert (found.level, said in found.text, bool(found.mend)) == (level, True, True)


async def test_a_trunk_nic_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    (found,) = await host.trunk_nic(master(tmp_path, trunk_nic="none0"))
    assert found.level == "fault"


async def test_others_that_manage_the_trunk_nic_are_a_fault(tmp_path: Path, trunk: str) -> None:
    """Their state files are as they write them; test-install has a real networkd."""
    (link,) = json.loads(run("ip", "-json", "link", "show", "dev", trunk))
    networkd = tmp_path / "run/systemd/netif/links" / str(link["ifindex"])
    manager = tmp_path / "run/NetworkManager/devices" / str(link["ifindex"])
    for file in (networkd, manager):
        file.parent.mkdir(parents=True)
    networkd.write_text("ADMIN_STATE=unmanaged\n")
    manager.write_text("[device]\nmanaged=false\n")
    assert levels(await host.trunk_nic(master(tmp_path))) == ["ok"]
    networkd.write_text("ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/all.network\n")
    manager.write_text("[device]\nmanaged=true\n")
    found = await host.trunk_nic(master(tmp_path))
    assert levels(found) == ["fault", "fault"]
    assert "all.network" in found[0].text


def test_the_labs_kernel_has_vlans_and_bridges(tmp_path: Path) -> None:
    assert levels(host.modules(World(master(tmp_path).settings, tmp_path))) == ["ok"]


async def test_a_good_base_image_is_ok(tmp_path: Path, hypervisor: Hypervisor) -> None:
    found = await libvirt_check(master(tmp_path))
    assert "fault" not in levels(found), found
    assert "powered off" in found[1].text
    assert "are free for overlays" in found[2].text


async def test_a_base_image_without_its_disk_is_a_fault(
    tmp_path: Path, hypervisor: Hypervisor
) -> None:
    disk = IMAGES / f"{BASE}.qcow2"
    away = disk.rename(IMAGES / "away.qcow2")
    try:
        found = await libvirt_check(master(tmp_path))
    finally:
        away.rename(disk)
    assert levels(found) == ["ok", "fault"]
    assert f"{disk} of {BASE} does not exist" in found[1].text
