"""The daemon under systemd: what it notifies, and what SIGHUP takes over."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


class Service:
    """A daemon, and the socket on which it notifies systemd: sd_notify(3)."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "haas.toml"
        self._folder = folder
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(folder / "notify"))
        self._notify.setblocking(False)

    def configure(self, more: str) -> None:
        self.config.write_text(
            f'[server]\nsocket = "{self._folder}/s"\n[store]\npath = "{self._folder}/haas.db"\n'
            f'[credentials]\nfile = "{self._folder}/credentials.toml"\n{more}'
        )

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "haas_rpcd", "--config", str(self.config),
            env={
                **os.environ,
                "NOTIFY_SOCKET": str(self._folder / "notify"),
                "WATCHDOG_USEC": "200000",
            },
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def told(self, wanted: str) -> None:
        """Wait until systemd is notified of a state."""
        async with asyncio.timeout(30):
            while True:
                message = await asyncio.get_running_loop().sock_recv(self._notify, 4096)
                if message.decode().split("\n")[0] == wanted:
                    return

    async def logged(self, wanted: str) -> str:
        """Wait for a line of the log."""
        assert self.process.stderr is not None
        async with asyncio.timeout(30):
            while wanted not in (line := (await self.process.stderr.readline()).decode()):
                assert line, f"the log ended without {wanted!r}"
        return line

    async def stop(self) -> None:
        if self.process.returncode is None:
            self.process.terminate()
        assert await self.process.wait() == 0
        self._notify.close()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    service = Service(tmp_path)
    service.configure("")
    await service.start()
    yield service
    await service.stop()


async def test_it_is_ready_feeds_the_watchdog_and_says_when_it_stops(service: Service) -> None:
    await service.told("READY=1")
    await service.told("WATCHDOG=1")
    await service.told("WATCHDOG=1")
    service.process.terminate()
    await service.told("STOPPING=1")
    assert await service.process.wait() == 0  # a second signal would find it at its very end


async def test_a_hangup_takes_the_log_over_and_names_what_wants_a_restart(service: Service) -> None:
    await service.told("READY=1")
    service.configure('[log]\nformat = "json"\n[vlans]\npool = "200-299"\n')
    service.process.send_signal(signal.SIGHUP)
    await service.told("RELOADING=1")
    await service.told("READY=1")
    line = json.loads(await service.logged("a restart takes over"))
    assert line["message"] == "a restart takes over what changed in [vlans]"


async def test_a_configuration_that_is_wrong_changes_nothing(service: Service) -> None:
    await service.told("READY=1")
    service.configure('[log]\nlevel = "loud"\n')
    service.process.send_signal(signal.SIGHUP)
    await service.told("READY=1")
    assert "the configuration stays as it was: " in await service.logged("stays as it was")
    await service.told("WATCHDOG=1")
