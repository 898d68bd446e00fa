"""Base images that are copied from the master's libvirt to another one, by two real libvirtds."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import libvirt
import pytest

from haas_rpcd.drivers import Transferred
from haas_rpcd.drivers.hypervisor.image_copies import ImageCopies, ImageSource
from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver
from haas_rpcd.drivers.hypervisor.transfer import FileKey
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import DefineHeadnode, DeleteHeadnode
from tests.unit.libvirtd import Libvirtd, libvirtd
from tests.unit.test_libvirt_driver import NoParking, TestHypervisorsTaps

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("libvirtd") is None, reason="libvirtd is not installed"),
]

MIB = 2**20

BASE = """
<domain type='qemu'>
  <name>base</name>
  <uuid>7d3c1a52-91b5-4a0e-8d5c-3f2b6a9e0c11</uuid>
  <memory unit='MiB'>{memory}</memory>
  <os><type arch='x86_64'>hvm</type><kernel>{folder}/vmlinuz</kernel></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{folder}/base.img'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <source file='{folder}/seed.iso'/>
      <target dev='sda' bus='sata'/>
      <readonly/>
    </disk>
  </devices>
</domain>
"""


class Kept:
    """Hashes in memory, as the daemon keeps them in its store."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[FileKey, str]] = {}

    async def load(self, hypervisor: str) -> Mapping[FileKey, str]:
        return dict(self.kept.get(hypervisor, {}))

    async def save(self, hypervisor: str, hashes: Mapping[FileKey, str]) -> None:
        self.kept.setdefault(hypervisor, {}).update(hashes)


def write_disk(path: Path, content: bytes, size: int = 32 * MIB) -> None:
    """Write a disk that is mostly a hole."""
    with path.open("wb") as file:
        file.write(content)
        file.truncate(size)


def define_base(host: Libvirtd, content: bytes, memory: int = 64) -> None:
    """Give a host the image: with a disk, a CD-ROM and a kernel."""
    write_disk(host.images / "base.img", content)
    for name in ("seed.iso", "vmlinuz"):
        (host.images / name).write_bytes(name.encode())
    for path in host.images.iterdir():
        host.hand_over(path)
    with host.open() as connection:
        connection.defineXML(BASE.format(memory=memory, folder=host.images))


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def daemons() -> Iterator[tuple[Libvirtd, Libvirtd]]:
    with libvirtd() as master, libvirtd() as hv2:
        for one in (master, hv2):
            one.define_pool()
        yield master, hv2


class Site:
    """The master with its image, and hv2."""

    def __init__(self, master: Libvirtd, hv2: Libvirtd) -> None:
        self.master = master
        self.hv2 = hv2
        self.hashes = Kept()
        self.synced: list[set[str]] = []
        self.copies = self.made_anew()
        self.reported: list[Transferred] = []
        self.providing: asyncio.Task[str]

    def made_anew(self) -> ImageCopies:
        """Return what a daemon that was just started has."""

        async def reach() -> str:
            return self.hv2.uri

        source = ImageSource("master", self.master.uri, self.hashes)
        return ImageCopies("hv2", self.hv2.uri, reach, source, self.sync)

    async def sync(self) -> None:
        """Note what a power failure at this moment would leave."""
        self.synced.append(self.hv2.files())

    async def provide(self, stopped: Callable[[], bool] = lambda: False) -> str:
        """Have the image on hv2; return the domain that clones are made from."""
        self.reported.clear()
        await self.copies.provide("base", self.reported.append, stopped)
        return self.copies.domain_of("base")

    async def begin_copy(self) -> None:
        """Begin to copy an image that takes a while; return once some of it is there."""
        write_disk(self.master.images / "base.img", os.urandom(128 * MIB), 128 * MIB)
        self.providing = asyncio.create_task(self.provide())
        await until(
            lambda: any(
                now.what.startswith("copy") and now.done for _, now in self.copies.under_way()
            )
        )

    def driver(self) -> LibvirtDriver:
        """Return a driver of hv2's libvirt."""
        return LibvirtDriver(
            self.hv2.uri,
            parking=NoParking(),
            taps=TestHypervisorsTaps(),
            images=self.copies,
        )

    def copied_disk(self) -> bytes:
        """Return what the disk of the newest copy begins with."""
        domain = self.copies.domain_of("base")
        with self.hv2.open() as connection:
            xml = connection.lookupByName(domain).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        path = xml.split("<disk type='file' device='disk'>")[1].split("file='")[1].split("'")[0]
        return Path(path).read_bytes()


@pytest.fixture
async def site(daemons: tuple[Libvirtd, Libvirtd]) -> AsyncIterator[Site]:
    for host in daemons:
        with host.open() as connection:
            for domain in connection.listAllDomains():
                domain.undefineFlags(0)
        for path in host.images.iterdir():
            path.unlink()
    define_base(daemons[0], b"first")
    made = Site(*daemons)
    yield made
    await made.copies.close()


async def test_an_image_is_copied_once_with_all_that_it_consists_of(site: Site) -> None:
    domain = await site.provide()
    assert domain.startswith("haas-image_base_")
    assert site.hv2.domains() == {domain}
    files = site.hv2.files()
    assert len(files) == 3
    assert site.synced == [files], "it is on the disk before it counts as ready"
    assert site.copied_disk() == (site.master.images / "base.img").read_bytes()
    stat = next(
        path.stat() for path in site.hv2.images.iterdir() if path.stat().st_size == 32 * MIB
    )
    assert stat.st_blocks * 512 < MIB, "its hole stays a hole"

    assert await site.provide() == domain
    site.copies = site.made_anew()
    assert await site.provide() == domain, "a daemon that is started again finds it"
    assert site.hv2.files() == files


async def test_a_clone_is_made_from_the_copy(site: Site) -> None:
    domain = await site.provide()
    driver = site.driver()
    await driver.open()
    uuid = "0b7d8a3e-5f0c-4f0e-9a51-6a4f3f1d2c01"
    await driver.carry_out(DefineHeadnode("p1/h1", uuid, "base", ()), lambda line: None)
    assert site.hv2.domains() == {domain, "haas_p1_h1"}
    assert "haas_p1_h1_vda.qcow2" in site.hv2.files()
    capacity = await driver.capacity(["base"])
    assert capacity is not None
    assert capacity.has("base")
    assert capacity.promised == 64 * MIB, "that of the clone: copies never run"
    await driver.close()


async def test_a_changed_image_gets_a_new_copy_and_old_clones_keep_theirs(site: Site) -> None:
    old = await site.provide()
    driver = site.driver()
    await driver.open()
    uuids = [f"0b7d8a3e-5f0c-4f0e-9a51-6a4f3f1d2c0{n}" for n in range(2)]

    async def clone(name: str, uuid: str) -> None:
        await driver.carry_out(DefineHeadnode(f"p1/{name}", uuid, "base", ()), lambda line: None)

    await clone("old", uuids[0])
    write_disk(site.master.images / "base.img", b"second")
    new = await site.provide()
    assert new != old
    assert site.copied_disk()[:6] == b"second"
    await clone("new", uuids[1])
    assert {old, new} <= site.hv2.domains()

    await driver.carry_out(DeleteHeadnode("p1/old", uuids[0]), lambda line: None)
    assert site.hv2.domains() == {new, "haas_p1_new"}, "nobody needs the older copy any more"
    assert len(site.hv2.files()) == 4, "three files and an overlay"
    await driver.close()


async def test_only_what_a_changed_definition_changes_is_sent_again(site: Site) -> None:
    await site.provide()
    files = site.hv2.files()
    define_again = BASE.format(memory=128, folder=site.master.images)
    with site.master.open() as connection:
        connection.defineXML(define_again)
    domain = await site.provide()
    assert site.hv2.files() == files
    with site.hv2.open() as connection:
        assert connection.lookupByName(domain).maxMemory() == 128 * 1024


async def test_an_image_that_somebody_put_there_is_used_if_it_is_the_same(site: Site) -> None:
    define_base(site.hv2, b"first")
    assert await site.provide() == "base"
    assert site.hv2.domains() == {"base"}

    write_disk(site.master.images / "base.img", b"second")
    assert (await site.provide()).startswith("haas-image_base_"), "it has another content now"


async def test_an_image_over_another_file_is_not_copied_but_used_where_it_is(site: Site) -> None:
    with site.master.open() as connection:
        connection.storagePoolLookupByName("default").createXML(
            f"""<volume><name>top.qcow2</name><capacity>{32 * MIB}</capacity>
            <target><format type='qcow2'/></target>
            <backingStore><path>{site.master.images}/base.img</path><format type='raw'/>
            </backingStore></volume>"""
        )
        over = BASE.format(memory=64, folder=site.master.images).replace(
            f"type='raw'/>\n      <source file='{site.master.images}/base.img'",
            f"type='qcow2'/>\n      <source file='{site.master.images}/top.qcow2'",
        )
        connection.defineXML(over)
    with pytest.raises(DeviceError, match=r"top.qcow2 of base is over another file, .*base\.img"):
        await site.provide()
    assert site.hv2.domains() == set()

    define_base(site.hv2, b"whatever")
    assert await site.provide() == "base"


async def test_all_who_want_an_image_share_one_copy(site: Site) -> None:
    domains = await asyncio.gather(*(site.provide() for _ in range(3)))
    assert len(set(domains)) == 1
    assert len(site.hv2.domains()) == 1


async def test_a_copy_that_nobody_waits_for_is_removed(site: Site) -> None:
    await site.begin_copy()
    site.providing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await site.providing
    assert site.hashes.kept["master"], "what was read need not be read again"
    await site.provide()
    assert len(site.hv2.domains()) == 1
    assert len(site.hv2.files()) == 3


async def test_what_an_interrupted_copy_left_is_not_used_and_is_removed(site: Site) -> None:
    domain = await site.provide()
    with site.hv2.open() as connection:
        xml = connection.lookupByName(domain).XMLDesc(0)
        connection.defineXML(xml.replace("state='ready'", "state='making'").replace(
            'state="ready"', 'state="making"'
        ))  # fmt: skip
    for path in site.hv2.images.iterdir():
        if path.stat().st_size == 32 * MIB:
            path.write_bytes(b"half")
    site.copies = site.made_anew()
    assert await site.provide() == domain
    assert site.copied_disk() == (site.master.images / "base.img").read_bytes()


async def test_a_daemon_that_is_started_again_removes_what_it_left(site: Site) -> None:
    domain = await site.provide()
    with site.hv2.open() as connection:
        xml = connection.lookupByName(domain).XMLDesc(0)
        connection.defineXML(xml.replace("'ready'", "'making'").replace('"ready"', '"making"'))
    site.copies = site.made_anew()
    site.copies.tidy_once()
    await until(lambda: not site.hv2.domains())
    assert site.hv2.files() == set()


async def test_a_copy_whose_file_was_cut_is_made_anew(site: Site) -> None:
    domain = await site.provide()
    for path in site.hv2.images.iterdir():
        path.write_bytes(b"")
    assert await site.provide() == domain
    assert site.copied_disk() == (site.master.images / "base.img").read_bytes()


async def test_a_host_that_dies_during_a_copy_gets_a_whole_one_when_it_is_back(site: Site) -> None:
    await site.begin_copy()
    site.hv2.stop()
    with pytest.raises(DeviceError) as died:
        await site.providing
    assert died.value.reason == "unreachable"

    site.hv2.start()
    assert len(site.hv2.domains()) == 1, "what is left of the copy"
    await site.provide()
    assert site.copied_disk() == (site.master.images / "base.img").read_bytes()
    assert len(site.hv2.domains()) == 1


async def test_an_image_that_nobody_has_is_said_so(site: Site) -> None:
    with site.master.open() as connection:
        connection.lookupByName("base").undefineFlags(0)
    with pytest.raises(DeviceError, match="There is no domain base on"):
        await site.provide()
    assert site.hv2.domains() == set()
    assert site.hv2.files() == set()
