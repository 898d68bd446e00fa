"""A busy site: many readers, appliers and watchers for minutes, with a restart in the middle.

The real program, with its database on the disk, and simulated switches that take 10 ms for a line.
Apart from the restart, no call may fail; no job may; every watcher hears of the end of every job,
or is told that it was too slow; and the daemon may not grow.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import statistics
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.bench.switchyard import CREDENTIAL, Switchyard
from tests.bench.table import Row, show
from tests.soak.clients import Applier, Caller, Seen, connection, read, watch
from tests.tui.harness.processes import Daemon, memory

LINE = 0.01
"""Seconds that a switch takes for a line."""

SAMPLE = 2.0
"""Seconds between two measurements of the memory."""

GRACE = 3.0
"""Seconds after a restart in which clients may still find out about it."""

LATE = 1.0
"""Seconds that an event may come after the answer that its job has ended."""

WAL = 64
"""MB that the write-ahead log may have: readers must not keep it from being begun anew."""

GROWTH = 1.15
"""How much larger the daemon may be at the end of its run than after its first third."""


@dataclass(frozen=True)
class Scale:
    """How large the site is, and how many clients there are; pauses are their mean seconds."""

    nodes: int = 1000
    switches: int = 48
    readers: int = 100
    appliers: int = 20
    watchers: int = 50
    minutes: float = 10.0
    reader_pause: float = 1.0
    applier_pause: float = 1.0
    alone: int = 20
    """Applies that are measured before there is any load."""


SMALL = Scale(
    nodes=48, switches=3, readers=8, appliers=3, watchers=4, minutes=0.06,
    reader_pause=0.2, applier_pause=0.2, alone=3,
)  # fmt: skip
"""For `make test`."""


@dataclass
class Story:
    """What was seen."""

    scale: Scale
    seen: Seen = field(default_factory=Seen)
    alone: list[float] = field(default_factory=list)
    restarted: list[float] = field(default_factory=list)
    """When the daemon was asked to stop, and when the next one answered."""

    resident: list[tuple[float, int]] = field(default_factory=list)
    wal: list[int] = field(default_factory=list)
    """Bytes in the write-ahead log."""

    ran: float = 0.0
    """Seconds that the daemons' threads were on a CPU, and ``waited`` for one."""

    waited: float = 0.0
    metrics: str = ""
    """``/metrics`` as scraped at the end."""

    log: str = ""

    @property
    def wrong(self) -> list[str]:
        """The failures that no restart explains."""
        stop, again = self.restarted
        found = [text for when, text in self.seen.failures if not stop <= when <= again + GRACE]
        found += [f"job {job} {state}" for _, _, job, state in self.seen.jobs if state != FINE]
        if "Traceback" in self.log:
            found.append(f"the log has a stack: {self.log[-3000:]}")
        return found

    @property
    def lost(self) -> tuple[int, int]:
        """The ends of jobs that watchers should have heard of, and how many they did not."""
        expected = missing = 0
        for watched in self.seen.watched:
            if watched.told == TOO_SLOW:
                continue
            missing += watched.missing
            for begun, ended, job, _ in self.seen.jobs:
                if watched.since < begun and ended + LATE < watched.until:
                    expected += 1
                    missing += job not in watched.jobs
        return expected, missing

    def growth(self) -> float:
        """How much larger the two daemons were at their ends than after a third of their runs."""
        stop, again = self.restarted
        grown = []
        for life in (
            [size for when, size in self.resident if when < stop],
            [size for when, size in self.resident if when > again],
        ):
            third = len(life) // 3
            if third:
                grown.append(
                    statistics.mean(life[-third:]) / statistics.mean(life[third : 2 * third])
                )
        return max(grown, default=1.0)


FINE = "succeeded"
TOO_SLOW = "1013"
"""The close code of a watcher that was too slow (RFC 6455, IANA's registry: try again later)."""


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def project(number: int) -> str:
    return f"p{number:02}"


def configure(folder: Path, metrics: int) -> Path:
    """Write the daemon's configuration."""
    credentials = folder / "credentials.toml"
    credentials.touch(mode=0o600)
    known = "".join(f'{key} = "{value}"\n' for key, value in CREDENTIAL.items())
    credentials.write_text(f"[bench]\n{known}")
    file = folder / "haas.toml"
    file.write_text(
        f'[store]\npath = "{folder}/haas.db"\n[credentials]\nfile = "{credentials}"\n'
        f'[vlans]\npool = "100-999"\n[metrics]\nlisten = "127.0.0.1:{metrics}"\n'
        '[log]\nlevel = "warning"\n'
    )
    return file


def site(scale: Scale, yard: Switchyard) -> dict[str, Any]:
    """Return the site: each node has one nic on one of the switches."""
    each = -(-scale.nodes // scale.switches)
    return {
        "switches": {
            f"sw{at:02}": {
                "dialect": "cisco_ios", "host": "127.0.0.1", "port": port, "credential": "bench",
                "access": yard.names[:each],
            }
            for at, port in enumerate(yard.ports)
        },
        "nodes": {
            f"node-{number:04}": {
                "nics": {
                    "eth0": {
                        "switch": f"sw{number % scale.switches:02}",
                        "port": yard.names[number // scale.switches],
                    }
                }
            }
            for number in range(scale.nodes)
        },
    }  # fmt: skip


async def play(folder: Path, scale: Scale, seed: int) -> Story:
    """Play the story; return what was seen."""
    story, port = Story(scale), free_port()
    file = configure(folder, port)
    with contextlib.ExitStack() as stack:
        yard = stack.enter_context(Switchyard(scale.switches, ports=48))
        daemon = Daemon(folder, "--config", str(file))
        stack.enter_context(daemon)
        daemon.call("site.import", site=site(scale, yard))
        assert daemon.apply()["state"] == FINE
        yard.set(line_delay=LINE)
        async with _clients(story, str(daemon.socket), seed) as crowd:
            await crowd.begin()
            await _pass(story, daemon, scale.minutes * 30)
            story.restarted.append(time.monotonic())
            await asyncio.to_thread(daemon.__exit__)
            await asyncio.to_thread(daemon.__enter__)
            story.restarted.append(time.monotonic())
            await _pass(story, daemon, scale.minutes * 30)
            story.metrics = await asyncio.to_thread(_scrape, port)
        story.log = (folder / "rpcd.log").read_text()
    return story


async def _pass(story: Story, daemon: Daemon, seconds: float) -> None:
    """Let the clients work, until some jobs have ended; measure the daemon meanwhile."""
    begun, pid = time.monotonic(), daemon.process.pid
    before = scheduled(pid)
    while time.monotonic() < begun + seconds or _jobs(story, begun) < story.scale.appliers:
        await asyncio.sleep(min(SAMPLE, seconds / 9))
        story.resident.append((time.monotonic(), memory(pid)[0]))
        story.wal.append((daemon.folder / "haas.db-wal").stat().st_size)
    after = scheduled(pid)
    story.ran += after[0] - before[0]
    story.waited += after[1] - before[1]


def _jobs(story: Story, since: float) -> int:
    """Return how many jobs have begun since a time, and ended long enough ago to be heard of."""
    heard = time.monotonic() - 2 * LATE
    return sum(begun > since and ended < heard for begun, ended, _, _ in story.seen.jobs)


def scheduled(pid: int) -> tuple[float, float]:
    """Return the seconds that a process was on a CPU, and that it waited for one.

    The threads that have ended do not count. See the kernel's scheduler/sched-stats.rst.
    """
    threads = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    ran, waited = (sum(int(each[column]) for each in threads) / 1e9 for column in (0, 1))
    return ran, waited


def _scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text: str = answer.read().decode()
    return text


class _Crowd:
    """The clients; they begin to work at :meth:`begin`."""

    def __init__(
        self, story: Story, path: str, seed: int, stack: contextlib.AsyncExitStack
    ) -> None:
        self._story = story
        self._path = path
        self._seed = seed
        self._stack = stack
        self._tasks: list[asyncio.Task[None]] = []

    async def _caller(self, token: str | None = None) -> Caller:
        http = await self._stack.enter_async_context(connection(self._path))
        return Caller(http, self._story.seen, token)

    async def _member(self, admin: Caller, user: str, of: str, role: str) -> Caller:
        """Return a new user of a project."""
        await admin.call("user.create", user=user)
        await admin.call("project.add_member", project=of, user=user, role=role)
        made = await admin.call("token.create", user=user, label="soak")
        return await self._caller(made["token"])

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def begin(self) -> None:
        """Measure applies alone; then let everybody work."""
        scale, seen = self._story.scale, self._story.seen
        share = min(10, scale.nodes // scale.appliers)
        appliers, admin = [], await self._caller()
        for number in range(scale.appliers):
            nodes = [f"node-{number * share + at:04}" for at in range(share)]
            await admin.call("project.create", project=project(number))
            owner = await self._member(admin, f"owner-{number}", project(number), "owner")
            appliers.append(Applier(owner, project(number), nodes))
            await appliers[-1].prepare()
        await appliers[0].run(random.Random(self._seed), 0.0, scale.alone)
        self._story.alone = seen.seconds.pop("apply")
        seen.seconds.clear()
        for _ in range(scale.watchers):
            self._start(watch((await self._caller()).http, seen))
        for number, applier in enumerate(appliers):
            self._start(applier.run(random.Random(f"{self._seed} {number}"), scale.applier_pause))
        readers = []
        for number in range(scale.readers):
            dice = random.Random(f"{self._seed} reader {number}")
            of = number % scale.appliers
            if number % 5 == 0:
                reader = await self._caller()
            else:
                reader = await self._member(admin, f"reader-{number}", project(of), "reader")
            readers.append((reader, of, dice))
        for reader, of, dice in readers:
            self._start(read(reader, project(of), appliers[of].nodes, dice, scale.reader_pause))

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                self._story.seen.failures.append((0.0, f"a client failed: {ended!r}"))


@contextlib.asynccontextmanager
async def _clients(story: Story, path: str, seed: int) -> AsyncIterator[_Crowd]:
    async with contextlib.AsyncExitStack() as stack:
        crowd = _Crowd(story, path, seed, stack)
        try:
            yield crowd
        finally:
            await crowd.end()


def rows(story: Story) -> list[Row]:
    """Return what was measured, with its budgets."""
    seen, scale = story.seen, story.scale
    expected, missing = story.lost
    stop, again = story.restarted
    during = [text for when, text in seen.failures if stop <= when <= again + GRACE]
    told = sum(watched.told == TOO_SLOW for watched in seen.watched)
    received = sum(watched.received for watched in seen.watched)
    calls = sum(len(times) for what, times in seen.seconds.items() if what != "apply")
    sizes = [size for _, size in story.resident]
    alone, busy = statistics.median(story.alone), sorted(seen.seconds["apply"])
    pages = sorted(seen.seconds["node.list"])
    return [
        Row("calls", calls, "", note=f"{calls / scale.minutes / 60:.0f} a second"),
        Row("calls and jobs that failed, but for the restart", len(story.wrong), "", 0),
        Row("calls that failed in the restart", len(during), ""),
        Row("restart, until it answers", again - stop, "s"),
        Row("applies", len(busy), "", note=f"{scale.appliers} projects at a time"),
        Row("apply of one port alone, median", alone * 1000, "ms"),
        Row(
            "apply of one port under load, median", statistics.median(busy) * 1000, "ms",
            (2 * alone + 0.1) * 1000, asserted=False, note=_spread(busy),
        ),
        *(
            _reads(what, sorted(seen.seconds[what])) for what in READS if seen.seconds[what]
        ),
        Row("node.list, largest", pages[-1] * 1000, "ms"),
        Row("events received", received, "", note=f"by {scale.watchers} watchers"),
        Row("ends of jobs that watchers heard of", expected - missing, ""),
        Row("events that were lost, and nobody was told", missing, "", 0),
        Row("watchers that were told that they were too slow", told, ""),
        Row("daemon's time on a CPU", story.ran, "s"),
        Row("daemon's time in wait of a CPU", story.waited, "s", note="others use the machine"),
        Row("write-ahead log, largest", max(story.wal) / 1e6, "MB", WAL),
        Row("daemon's RSS, largest", max(sizes) / 1e6, "MB", 150),
        Row("daemon's growth from its first third on", story.growth(), "", GROWTH),
    ]  # fmt: skip


READS = ("node.show", "node.list", "network.list", "job.list", "switch.list", "plan.show",
         "system.health", "system.info")  # fmt: skip


def _reads(what: str, times: list[float]) -> Row:
    note = f"{_spread(times)} of {len(times)}"
    return Row(f"{what}, median", statistics.median(times) * 1000, "ms", note=note)


def _spread(times: list[float]) -> str:
    at = [times[int(len(times) * part)] * 1000 for part in (0.95, 0.99)]
    return f"p95 {at[0]:.0f} ms, p99 {at[1]:.0f} ms"


def run(minutes: float, seed: int) -> int:
    """Play the story and print the table; return 1 if something is wrong."""
    scale = replace(Scale(), minutes=minutes)
    print(
        f"{scale.nodes:,} nodes, {scale.switches} switches, {scale.readers} readers,"
        f" {scale.appliers} appliers, {scale.watchers} watchers for {minutes:g} minutes,"
        f" seed {seed} …",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="haas-soak-") as folder:
        story = asyncio.run(play(Path(folder), scale, seed))
    table = rows(story)
    print(show(table))
    print(
        "MB resident:",
        *(f"{size / 1e6:.0f}" for _, size in story.resident[:: 1 + len(story.resident) // 30]),
    )
    for text in story.wrong[:20]:
        print(f"wrong: {text}")
    return int(any(row.over and row.asserted for row in table))
