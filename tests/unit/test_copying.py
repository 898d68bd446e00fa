"""A headnode's domain and disk are copied between two real libvirtds, through this process."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import libvirt
import pytest

from haas_rpcd.drivers import Outcome
from haas_rpcd.drivers.hypervisor import copying
from haas_rpcd.drivers.hypervisor.copying import CopyDriver, Libvirt
from haas_rpcd.drivers.hypervisor.image_copies import ImageCopies
from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver
from haas_rpcd.model import (
    CopyChange,
    CopyHeadnode,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeSeen,
    PrepareCopy,
    PresenceSeen,
)
from tests.unit.libvirtd import Libvirtd
from tests.unit.test_image_copies import (
    MIB,
    Site,
    daemons,
    pytestmark,
    site,
    write_disk,
)
from tests.unit.test_libvirt_driver import NoParking, TestHypervisorsTaps

__all__ = ["daemons", "pytestmark", "site"]  # these tests are slow as well, and use the fixtures

UUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
HEADNODE = "red/desk"
DISK = "haas_red_desk_vda.qcow2"
PREPARE = PrepareCopy(HEADNODE, UUID, "base", "master")
COPY = CopyHeadnode(HEADNODE, UUID, "base", "master", "token-1")


UEFI = """
<domain type='qemu'>
  <name>base</name>
  <uuid>7d3c1a52-91b5-4a0e-8d5c-3f2b6a9e0c11</uuid>
  <memory unit='MiB'>64</memory>
  <features><acpi/></features>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <loader readonly='yes' type='pflash'>{folder}/CODE.fd</loader>
    <nvram>{folder}/base_VARS.fd</nvram>
  </os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{folder}/base.img'/>
      <target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>
"""


@dataclass
class Followed:
    """What a driver reports; ``stop_at``: the job is cancelled once a line has this."""

    lines: list[str] = field(default_factory=list)
    stop_at: str | None = None

    def line_sent(self, change: int, line: str) -> None:
        self.lines.append(line)

    def cancelled(self) -> bool:
        return self.stop_at is not None and any(self.stop_at in line for line in self.lines)


class Move:
    """Red's desk on the master, and what copies it to either host."""

    def __init__(self, hosts: Site) -> None:
        self.site = hosts
        self.hosts = {"master": hosts.master, "hv2": hosts.hv2}

    async def find(self, name: str) -> Libvirt:
        return Libvirt(self.hosts[name].uri, f"libvirt of {name}")

    def copier(self, to: str = "hv2") -> CopyDriver:
        async def images() -> ImageCopies | None:
            return self.site.copies if to == "hv2" else None

        return CopyDriver(to, self.find, self.site.hashes, images)

    async def send(self, change: CopyChange, to: str = "hv2") -> Outcome:
        [outcome] = await self.copier(to).send([change], Followed())
        return outcome

    async def seen(self, change: CopyChange, to: str = "hv2") -> object:
        [seen] = await self.copier(to).observe([change])
        return seen

    def driver(self, name: str) -> LibvirtDriver:
        return LibvirtDriver(self.hosts[name].uri, parking=NoParking(), taps=TestHypervisorsTaps())

    def write(self, host: Libvirtd, content: str = "0xab", size: str = "256k") -> None:
        """Let the guest write something to its disk."""
        _run("qemu-io", "-f", "qcow2", "-c", f"write -P {content} 1M {size}", disk(host))
        host.hand_over(disk(host))

    def same_disks(self) -> bool:
        """Compare what the guest reads on both hosts."""
        files = [disk(host) for host in self.hosts.values()]
        return subprocess.run(["qemu-img", "compare", "-q", *files], check=False).returncode == 0


def disk(host: Libvirtd) -> Path:
    return host.images / DISK


def _run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


async def make(move: Move) -> None:
    driver = move.driver("master")
    await driver.open()
    await driver.carry_out(DefineHeadnode(HEADNODE, UUID, "base"), lambda line: None)
    await driver.close()


@pytest.fixture
async def move(site: Site) -> AsyncIterator[Move]:
    write_disk(site.master.images / "base.img", b"first", 512 * MIB)
    site.master.hand_over(site.master.images / "base.img")
    made = Move(site)
    await make(made)
    made.write(site.master)
    yield made


async def test_a_headnode_goes_there_and_back_with_what_was_written(move: Move) -> None:
    master, hv2 = move.hosts.values()
    assert await move.seen(PREPARE) == PresenceSeen(False)
    copier = move.copier()
    assert await copier.send([PREPARE], Followed()) == [Outcome("sent")]
    assert await copier.observe([PREPARE]) == [PresenceSeen(True)]
    assert await move.seen(COPY) == HeadnodeSeen(defined=False)
    assert not disk(hv2).exists()

    progress = Followed()
    [outcome] = await move.copier().send([COPY], progress)
    assert outcome == Outcome("sent")
    assert any(line.startswith(f"# copy {disk(master)} from master") for line in progress.lines)
    assert await move.seen(COPY) == HeadnodeSeen(defined=True)
    assert await move.seen(replace_token(COPY)) == HeadnodeSeen(defined=False), "of another move"
    assert move.same_disks()
    with hv2.open() as connection:
        domain = connection.lookupByUUIDString(UUID)
        assert domain.name() == "haas_red_desk"
        assert str(disk(hv2)) in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        assert str(master.folder) not in xml, "its CD-ROM and its kernel are those of hv2's image"

    await delete(move, "master")
    move.write(hv2, "0xcd")
    back = CopyHeadnode(HEADNODE, UUID, "base", "hv2", "token-2")
    assert (await move.send(PrepareCopy(HEADNODE, UUID, "base", "hv2"), "master")).state == "sent"
    assert await move.send(back, "master") == Outcome("sent")
    assert move.same_disks()
    await delete(move, "hv2")
    assert DISK not in hv2.files()


def replace_token(change: CopyHeadnode) -> CopyHeadnode:
    return CopyHeadnode(change.headnode, change.uuid, change.image, change.source, "another")


async def delete(move: Move, name: str) -> None:
    driver = move.driver(name)
    await driver.open()
    await driver.carry_out(DeleteHeadnode(HEADNODE, UUID), lambda line: None)
    await driver.close()


async def test_uefi_variables_go_with_the_disk(move: Move) -> None:
    """The image boots by UEFI on both hosts; what the guest stored there is its own."""
    await delete(move, "master")
    for host in move.hosts.values():
        for name, content in (("CODE.fd", b"code"), ("base_VARS.fd", b"image's")):
            (host.images / name).write_bytes(content)
            host.hand_over(host.images / name)
        write_disk(host.images / "base.img", b"first", 512 * MIB)
        host.hand_over(host.images / "base.img")
        with host.open() as connection:
            connection.defineXML(UEFI.format(folder=host.images))
    await make(move)
    variables = move.hosts["master"].images / "haas_red_desk_VARS.fd"
    variables.write_bytes(b"guest's")
    assert await move.send(COPY) == Outcome("sent")
    copied = move.hosts["hv2"].images / "haas_red_desk_VARS.fd"
    assert copied.read_bytes() == b"guest's"
    with move.hosts["hv2"].open() as connection:
        assert str(copied) in connection.lookupByUUIDString(UUID).XMLDesc(0)
    for host in move.hosts.values():
        with host.open() as connection:
            for domain in connection.listAllDomains():
                domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)


async def test_a_copy_that_is_cancelled_is_none_and_goes_away(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "TICK", 0.01)  # a fast machine copies the disk in half a second
    move.write(move.hosts["master"], size="300M")
    await move.send(PREPARE)
    [outcome] = await move.copier().send([COPY], Followed(stop_at="# copy"))
    assert outcome == Outcome("unfinished")
    assert await move.seen(COPY) == HeadnodeSeen(defined=False)
    driver = move.driver("hv2")
    await driver.open()
    assert await driver.observe([DeleteHeadnode(HEADNODE, UUID)]) == [HeadnodeSeen(defined=True)]
    await driver.close()
    await delete(move, "hv2")
    assert DISK not in move.hosts["hv2"].files()
    assert await move.send(COPY) == Outcome("sent")
    assert move.same_disks()


async def test_a_base_of_other_content_is_no_base(move: Move) -> None:
    """The image was changed on the master after the headnode was made from it."""
    await move.send(PREPARE)
    hv2 = move.hosts["hv2"]
    with hv2.open() as connection:
        for domain in connection.listAllDomains():
            domain.undefineFlags(0)
    write_disk(move.hosts["master"].images / "other.img", b"other")
    move.hosts["master"].hand_over(move.hosts["master"].images / "other.img")
    with move.hosts["master"].open() as connection:
        xml = connection.lookupByName("base").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        connection.defineXML(xml.replace("base.img", "other.img"))
    outcome = await move.send(PREPARE)
    assert outcome.state == "refused"
    assert outcome.error is not None
    assert "hv2 has no image base with the content that red/desk was made from" in (
        outcome.error.message
    )
    assert not disk(hv2).exists()


async def test_what_is_not_there_or_not_ours_is_not_copied(move: Move) -> None:
    gone = replace_uuid(COPY)
    outcome = await move.send(gone)
    assert outcome.error is not None
    assert "is gone from master" in outcome.error.message
    with move.hosts["hv2"].open() as connection:
        connection.defineXML(
            "<domain type='qemu'><name>haas_red_desk</name><memory unit='MiB'>8</memory>"
            "<os><type arch='x86_64'>hvm</type></os></domain>"
        )
    outcome = await move.send(PREPARE)
    assert outcome.error is not None
    assert "There is another domain haas_red_desk on hv2" in outcome.error.message


def replace_uuid(change: CopyHeadnode) -> CopyHeadnode:
    other = UUID.replace("6f", "7f", 1)
    return CopyHeadnode(change.headnode, other, change.image, change.source, change.token)


async def test_a_host_that_dies_while_it_is_copied_to_fails_the_copy(move: Move) -> None:
    move.write(move.hosts["master"], size="300M")
    await move.send(PREPARE)
    hv2 = move.hosts["hv2"]
    sending = asyncio.create_task(move.send(COPY))
    async with asyncio.timeout(20):
        while not disk(hv2).exists() and not sending.done():  # noqa: ASYNC110
            await asyncio.sleep(0.005)  # nothing tells
    hv2.stop()
    outcome = await sending
    hv2.start()
    assert outcome.error is not None
    assert outcome.error.reason in ("unreachable", "refused")
    assert await move.seen(COPY) == HeadnodeSeen(defined=False)
    await delete(move, "hv2")
    assert await move.send(COPY) == Outcome("sent")
    assert move.same_disks()
