"""haas-console attached to a node's console: on a terminal, and in a script."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.config import Credential
from tests.rpc.bmcs import PASSWORD, USER, SerialLine, ipmi_sim
from tests.rpc.small_site import Prepared, SmallSite, small_site

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-m", "haas_console"]


@pytest.fixture
async def serial() -> AsyncIterator[SerialLine]:
    async with SerialLine() as serial:
        yield serial


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared, serial: SerialLine) -> AsyncIterator[SmallSite]:
    async with (
        ipmi_sim(tmp_path / "bmc", sol=serial.port) as bmc,
        small_site(tmp_path, prepared, bmc=BmcSettings(answer_timeout=10.0)) as site,
    ):
        site.credentials["node-1"] = Credential(username=USER, password=PASSWORD)
        await site.call("bmc.set", node="node-1", **bmc.params)
        yield site


async def test_a_terminal_is_raw_until_the_detach_key(site: SmallSite, serial: SerialLine) -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "--socket", site.settings.server.socket, "node", "console", "node-1",
        stdin=slave, stdout=slave, stderr=slave,
    )  # fmt: skip
    seen = Seen(master)
    await seen.until(b"[connected]")
    assert b"^] leaves it" in seen.text
    serial.say(b"\x1b[1mlogin:\x1b[0m ")
    await seen.until(b"\x1b[1mlogin:\x1b[0m ")
    os.write(master, b"\x03root\r")  # Ctrl-C is for the node
    await serial.until(b"\x03root\r")
    os.write(master, b"last\x1dnot this")
    await serial.until(b"last")
    assert await process.wait() == 0
    assert termios.tcgetattr(slave) == before
    assert b"not this" not in serial.heard
    os.close(slave)
    seen.close()


async def test_a_script_s_input_is_typed_and_the_answer_printed(
    site: SmallSite, serial: SerialLine
) -> None:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "--quiet", "--socket", site.settings.server.socket, "node", "console", "node-1",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(b"uptime\r")
    process.stdin.close()
    await serial.until(b"uptime\r")
    serial.say(b"up 3 days\r\n")
    out, err = await process.communicate()
    assert (out, err, process.returncode) == (b"up 3 days\r\n", b"", 0)


class Seen:
    """What a terminal shows."""

    def __init__(self, number: int) -> None:
        self.text = b""
        self._number = number
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(number, self._read)

    def _read(self) -> None:
        self.text += os.read(self._number, 4096)
        self._news.set()

    async def until(self, text: bytes) -> None:
        while text not in self.text:
            self._news.clear()
            async with asyncio.timeout(30):
                await self._news.wait()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._number)
        os.close(self._number)
