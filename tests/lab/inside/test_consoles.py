"""The console of a headnode on a real libvirtd: its guest prints, and echoes what is typed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from haas_rpcd.drivers.hypervisor.console import Console, HeadnodeLine
from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import DefineHeadnode, DeleteHeadnode, SetHeadnodePower

from ..hypervisor import IMAGES, Hypervisor
from ..topology import Lab, run

pytestmark = pytest.mark.second_kernel

URI = "qemu:///system"
UUID = "5d0c1c1e-9f0c-4b36-8a53-0f4f3f1d2c02"
HEADNODE, BASE = "p1/talker", "base-talking"

BOOT_SECTOR = bytes.fromhex(
    "31c08ed88ed0bc007cbe3c7cac84c07405e81700ebf6bafd03eca8017504fbf4"
    "ebf4baf803ece80200ebeb88c4bafd03eca82074f888e0baf803eec368656164"
    "6e6f64652072656164790d0a3e2000"
)
"""Prints "headnode ready" on COM1, and then echoes. In 16-bit code: lodsb and out to 0x3f8 until
the end of the text; then sti, hlt, and in from 0x3f8 while 0x3fd says that there is something."""

BASE_XML = """
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/local/bin/lab-qemu</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{image}'/><target dev='hda' bus='ide'/>
    </disk>
    <serial type='pty'><target port='0'/></serial>
    <console type='pty'><target type='serial' port='0'/></console>
  </devices>
</domain>
"""


async def reach(uuid: str) -> str:
    """Return the URI of the lab's libvirt."""
    return URI


def ignore(line: str) -> None:
    """Ignore a line that was sent."""


@pytest.fixture
def base(lab: Lab, hypervisor: Hypervisor) -> Iterator[str]:
    """A base image that talks on its serial line."""
    Path("/run/lock").mkdir(exist_ok=True)  # where libvirt locks the terminal, as on any master
    raw, image = IMAGES / f"{BASE}.raw", IMAGES / f"{BASE}.qcow2"
    raw.write_bytes(BOOT_SECTOR.ljust(510, b"\0") + b"\x55\xaa" + bytes(2**20 - 512))
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(image))
    hypervisor.define(BASE_XML.format(name=BASE, image=image))
    yield BASE
    hypervisor.virsh("undefine", BASE)
    raw.unlink()
    image.unlink()


@pytest.fixture
async def driver(base: str) -> AsyncIterator[LibvirtDriver]:
    """A driver whose headnode is defined, and off."""
    connected = LibvirtDriver(URI, shutdown_grace=0.5)
    await connected.open()
    await connected.carry_out(DefineHeadnode(HEADNODE, UUID, base, ()), ignore)
    yield connected
    await connected.carry_out(DeleteHeadnode(HEADNODE, UUID), ignore)
    await connected.carry_out(DeleteHeadnode(HEADNODE, UUID), ignore)
    await connected.close()


async def read_until(line: HeadnodeLine, text: bytes) -> bytes:
    said = b""
    async with asyncio.timeout(60):
        while text not in said:
            data = await line.read()
            assert data, f"the line ended after {said!r}"
            said += data
    return said


async def test_a_headnode_prints_and_echoes_until_it_stops(driver: LibvirtDriver) -> None:
    console = Console(reach)
    with pytest.raises(DeviceError, match="can't open the console of headnode p1/talker"):
        async with console.open(UUID, HEADNODE):
            pass  # it is off
    await driver.carry_out(SetHeadnodePower(HEADNODE, UUID, running=True), ignore)
    async with console.open(UUID, HEADNODE) as line:
        await line.write(b"hello\r")
        assert b"hello\r" in await read_until(line, b"hello\r")
        async with console.open(UUID, HEADNODE) as second:
            assert await line.read() == b"", "one at a time: the second takes the line over"
            await second.write(b"here\r")
            await read_until(second, b"here\r")
            await driver.carry_out(SetHeadnodePower(HEADNODE, UUID, running=False), ignore)
            async with asyncio.timeout(30):
                while await second.read():
                    pass
