"""A small site whose daemon is a process that can be hurt, and what is applied there."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import aiohttp
import msgspec

from haas_rpcd.config import CredentialsSettings, DriftSettings
from haas_rpcd.sim.cli import LineRecord
from haas_rpcd.sim.host import SimHost
from tests.campaigns.shim import Shim
from tests.campaigns.zygote import HOST, LOG, SETTINGS, load_host, save_host
from tests.rpc.small_site import (
    CREDENTIALS,
    DATABASE,
    NOTHING,
    Prepared,
    SmallSite,
    access,
    register,
    small_site,
    tagged,
)

ROOT = Path(__file__).parents[2]
DAY = 86400.0
ALIVE = 30.0
"""Seconds in which a daemon must start, and a job must end."""


class Died(Exception):
    """The daemon was killed before it served anybody."""


class Zygote:
    """The process that starts daemons, see ``zygote.py``."""

    def __init__(self, shim: Shim) -> None:
        self.shim = shim
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.campaigns.zygote"],
            cwd=ROOT,
            env=os.environ | shim.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def _start(self, folder: Path) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{folder}\n".encode())
        self._process.stdin.flush()
        mine = ""
        while True:
            pid, _, said = self._process.stdout.readline().decode().strip().partition(" ")
            if said == "forked":
                mine = pid
            elif pid != mine:
                continue  # an earlier one has ended
            elif said == "serving":
                return int(pid)
            elif said == "gone":
                raise Died
            else:
                raise AssertionError(f"the daemon did not start: {said}")

    async def start(self, folder: Path) -> Process:
        """Start the daemon of a folder. Raises Died if it is killed before it serves."""
        async with asyncio.timeout(ALIVE):
            return Process(await asyncio.to_thread(self._start, folder))


class Process:
    """A daemon that runs, or did."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended = asyncio.Event()
        self._watched = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._watched, self._end)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._watched)
        os.close(self._watched)
        self.ended.set()

    def kill(self) -> None:
        """End it at once, by SIGKILL."""
        if not self.ended.is_set():
            signal.pidfd_send_signal(self._watched, signal.SIGKILL)

    async def stop(self) -> None:
        """Let it end as systemd does."""
        if not self.ended.is_set():
            signal.pidfd_send_signal(self._watched, signal.SIGTERM)
        async with asyncio.timeout(ALIVE):
            await self.ended.wait()


@dataclass
class HurtSite(SmallSite):
    """The site; its daemon is a process. The simulated master is kept in a file."""

    zygote: Zygote = None  # type: ignore[assignment]
    process: Process = None  # type: ignore[assignment]

    @property
    def shim(self) -> Shim:
        return self.zygote.shim

    async def start(self) -> None:
        self.process = await self.zygote.start(self.folder)
        connector = aiohttp.UnixConnector(self.settings.server.socket)
        self.http = aiohttp.ClientSession(connector=connector)

    async def stop(self) -> None:
        await self.http.close()
        await self.process.stop()
        if self.watch is not None:
            self.watch.forget()

    def log(self) -> str:
        """Return what the daemons logged."""
        return (self.folder / LOG).read_text()

    def on_line(self, number: int, act: Callable[[], None], *, after: bool = False) -> None:
        """Act when the switches receive the line of this number, or have executed it."""
        passed = 0

        def passing() -> None:
            nonlocal passed
            passed += 1
            if passed - 1 == number:
                act()

        for switch in self.switches.values():
            watch_lines(switch, passing, after=after)


def watch_lines(switch: Any, passing: Callable[[], None], *, after: bool) -> None:
    """Have a simulated switch call ``passing`` when it gets a line, or has executed it."""
    record, settle = type(switch).record, type(switch).settle

    def recorded(line: LineRecord) -> LineRecord:
        noted: LineRecord = record(switch, line)
        if not after:
            passing()
        return noted

    def settled(line: LineRecord | None = None) -> None:
        settle(switch, line)
        if after and line is not None:
            passing()

    vars(switch).update(record=recorded, settle=settled)


@dataclass(frozen=True)
class Staged:
    """A site in which a project has staged changes of all kinds; each point begins with a copy."""

    site: Prepared
    host: SimHost


def stage(folder: Path) -> Staged:
    """Prepare what is applied at each point.

    Red has node-1, node-3 and node-4 on its network ``old``, VLAN 100, and the headnode head-1
    there; node-3 until tomorrow. It wants node-1 and node-2 on a new network, node-3 on one more,
    node-4 disconnected, head-1 on one more, and a second headnode.
    """

    async def make() -> Staged:
        async with small_site(folder) as site:
            await register(site)
            await site.succeeds()
            await site.hold_nodes("red", "node-1", "node-2", "node-3", "node-4")
            tomorrow = datetime.now(UTC) + timedelta(days=1)
            await site.call("node.extend", node="node-3", until=tomorrow.isoformat())
            assert await site.network("red", "old") == 100
            for node in ("node-1", "node-3", "node-4"):
                await site.connect(node, "old")
            await site.call("headnode.create", project="red", headnode="head-1")
            await site.call("headnode.connect", project="red", headnode="head-1", network="old")
            await site.succeeds("red")
            assert await site.network("red", "new") == 101
            assert await site.network("red", "more") == 102
            await site.call("nic.disconnect", node="node-1", nic="eth0")
            await site.connect("node-1", "new")
            await site.connect("node-2", "new")
            await site.connect("node-3", "more", tagged=True)
            await site.call("nic.disconnect", node="node-4", nic="eth0")
            await site.call("headnode.create", project="red", headnode="head-2")
            await site.call("headnode.connect", project="red", headnode="head-2", network="more")
            await site.call("headnode.connect", project="red", headnode="head-1", network="new")
            configs = {name: switch.running.copy() for name, switch in site.switches.items()}
            host = site.host
        return Staged(Prepared((folder / DATABASE).read_bytes(), configs), host)

    return asyncio.run(make())


@asynccontextmanager
async def hurt_site(folder: Path, staged: Staged, zygote: Zygote) -> AsyncIterator[HurtSite]:
    """Run a copy of the staged site."""
    credentials = folder / "credentials.toml"
    credentials.touch(mode=0o600)
    known = msgspec.structs.asdict(CREDENTIALS["lab"])
    text = "".join(f'{key} = "{value}"\n' for key, value in known.items() if value)
    credentials.write_text(f"[lab]\n{text}")

    def before(site: SmallSite) -> None:
        for switch in site.switches.values():
            switch.booted -= DAY  # so that a restart shows: it counts its uptime in minutes
        save_host(folder, staged.host)
        (folder / SETTINGS).write_bytes(msgspec.json.encode(site.settings))
        zygote.shim.watch(folder / DATABASE)

    def make(folder: Path, settings: Any) -> HurtSite:
        return HurtSite(folder, settings, zygote=zygote)

    quiet = {
        "credentials": CredentialsSettings(file=str(credentials)),
        "drift": DriftSettings(interval=0),
    }
    async with small_site(folder, staged.site, before=before, make=make, **quiet) as site:
        assert isinstance(site, HurtSite)
        try:
            yield site
        finally:
            zygote.shim.lift()


async def jobs_end(site: HurtSite) -> list[dict[str, Any]]:
    """Wait until every job has ended; return the jobs."""
    jobs = (await site.call("job.list", limit=1000))["items"]
    return [await site.finished(job["job"]) for job in jobs]


async def converges(site: HurtSite) -> None:
    """Check that whatever happened, applying leads to what red wants, and isolation held."""
    await jobs_end(site)
    await site.succeeds("red")
    wanted = {
        "node-1": access(101), "node-2": access(101), "node-3": tagged(102, untagged=100),
        "node-4": NOTHING,
    }  # fmt: skip
    assert {node: site.carried(node) for node in wanted} == wanted
    report = await site.call("drift.check")
    assert (report["items"], report["unreachable"]) == ([], [])
    for switch in site.switches.values():
        assert not switch.modified
    host = load_host(site.folder)
    assert host.bridges == {100, 101, 102}
    assert sorted(d.headnode for d in host.domains.values() if d.running) == [
        "red/head-1",
        "red/head-2",
    ]
    assert not site.watch.violations, site.watch.violations
    assert "Traceback" not in site.log(), site.log()
    assert (site.folder / HOST).exists()
