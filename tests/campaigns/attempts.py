"""The ways in which the daemon is hurt while it applies. Each is tried at every point there is.

An attempt gets the site and the number of the point. It returns False if the apply ended before
that point was reached; otherwise the daemon has recovered, all that was staged is applied, and
isolation held at every line.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import aiohttp

from haas_schemas.job import FINAL_JOB_STATES
from tests.campaigns.hurt import ALIVE, Died, HurtSite, converges
from tests.campaigns.shim import FILES, Fault, Operation, recorded
from tests.campaigns.zygote import load_host, save_host
from tests.rpc.small_site import DATABASE, RpcError

Attempt = Callable[[HurtSite, int], Awaitable[bool]]

HOUR, YEAR = 3600, 365 * 86400
JUMPS = (HOUR, -HOUR, 10 * YEAR, -10 * YEAR)
SECTOR = 512
"""Bytes that a disk writes at once."""

LEAVING = {"end", "exit"}
"""Lines by which a session ends."""

SENTENCES = {
    "I/O error": "can't be read or written (disk I/O error): check the disk and its log",
    "disk full": "is full: free some space",
    "locked": "is locked by another process: end whatever has it open",
}


async def _dies(site: HurtSite) -> tuple[bool, int | None]:
    """Apply; return whether the daemon died of it, and the job's number if it could tell."""
    job: int | None = None
    try:
        job = await site.begin("red")
        await site.finished(job)
    except (aiohttp.ClientError, ConnectionError):
        async with asyncio.timeout(ALIVE):
            await site.process.ended.wait()
    return site.process.ended.is_set(), job


async def _resumes(site: HurtSite, job: int | None) -> None:
    """Start the next daemon; what it took over ends well."""
    site.shim.lift()
    await site.restart()
    if job is not None:
        ended = await site.finished(job)
        assert ended["state"] == "succeeded", ended["error"]
    await converges(site)


async def killed_at_write(site: HurtSite, number: int) -> bool:
    """SIGKILL before a write or sync of the database, or beside a change of the master."""
    site.shim.strike("kill", number)
    died, job = await _dies(site)
    if died:
        await _resumes(site, job)
    return died


async def killed_at_line(site: HurtSite, number: int, *, after: bool) -> bool:
    """SIGKILL when a switch receives a line, or has executed it."""
    site.on_line(number, site.process.kill, after=after)
    died, job = await _dies(site)
    if died:
        await _resumes(site, job)
    return died


async def killed_again(site: HurtSite, number: int, *, first: int) -> bool:
    """SIGKILL at one point, and once more at a point of what the next daemon does to recover."""
    site.shim.strike("kill", first)
    died, job = await _dies(site)
    assert died, f"the apply ended before point {first}"
    site.shim.strike("kill", number)
    try:
        await site.restart()
        if job is not None:
            await site.finished(job)
        await site.succeeds("red")
    except (Died, aiohttp.ClientError, ConnectionError):
        await _resumes(site, job)
        return True
    site.shim.lift()
    await converges(site)
    return False


# --- the store ------------------------------------------------------------------------------------


async def store_fails(site: HurtSite, number: int, *, fault: Fault, lasting: bool) -> bool:
    """A write or sync fails, or all do from there on until the fault is lifted."""
    site.shim.strike(fault, number, -1 if lasting else 1)
    try:
        job = await site.begin("red")
    except RpcError as error:
        assert error.kind == "unavailable", error.message
        assert SENTENCES[fault] in error.message
    else:
        ended = await site.finished(job)
        assert ended["state"] in FINAL_JOB_STATES
        if ended["state"] == "failed":
            assert SENTENCES[fault] in ended["error"], ended["error"]
        else:
            assert ended["state"] == "succeeded"
    struck = site.shim.struck > 0
    if struck and lasting:
        lines = {name: len(switch.lines) for name, switch in site.switches.items()}
        refused = await site.refused("network.create", project="blue", network="own")
        assert refused.kind == "unavailable", refused.message
        assert SENTENCES[fault] in refused.message
        for name, switch in site.switches.items():
            sent = {line.text for line in switch.lines[lines[name] :]}
            assert sent <= LEAVING, f"{name} was sent {sorted(sent)} after the job had ended"
    site.shim.lift()
    if struck:
        await converges(site)
    return struck


# --- power ----------------------------------------------------------------------------------------


async def power_cut(site: HurtSite, number: int) -> bool:
    """The power goes before a write or sync: of what was not synced, any part is lost.

    With every other cut the switches lose their power as well.
    """
    database = site.folder / DATABASE
    image = Image(database)
    site.shim.strike("kill", number)
    site.shim.record(site.folder / "record")
    died, job = await _dies(site)
    if not died:
        return False
    record = site.folder / "record"
    image.write(list(recorded(record)) if record.exists() else [], random.Random(number))
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        stored = [row[0] for row in db.execute("SELECT id FROM job WHERE finished IS NULL")]
    assert job is None or stored == [job]  # what a caller was told is on the disk
    host = load_host(site.folder)
    host.reboot()
    save_host(site.folder, host)
    if number % 2:
        for switch in site.switches.values():
            switch.reload()
    await _resumes(site, job)
    return True


class Image:
    """The files of a database as they were, onto which recorded operations are done."""

    def __init__(self, database: Path) -> None:
        self._paths = {ending: Path(f"{database}{ending}") for ending in FILES}
        self._shared = Path(f"{database}-shm")
        self._before = {
            ending: bytearray(path.read_bytes()) if path.exists() else bytearray()
            for ending, path in self._paths.items()
        }

    def write(self, operations: list[Operation], dice: random.Random) -> None:
        """Write the files as a power cut after these operations leaves them.

        What was synced is there. Of what was not, each sector is there or not, at random.
        """
        synced = {
            operation.file: at
            for at, operation in enumerate(operations)
            if operation.kind == "sync"
        }
        for at, operation in enumerate(operations):
            durable = at < synced.get(operation.file, -1)
            self._carry_out(operation, (lambda: True) if durable else partial(_lucky, dice))
        self._shared.unlink(missing_ok=True)
        for ending, path in self._paths.items():
            path.unlink(missing_ok=True)
            if self._before[ending]:
                path.write_bytes(self._before[ending])

    def _carry_out(self, operation: Operation, kept: Callable[[], bool]) -> None:
        file = self._before[operation.file]
        if operation.kind == "truncate" and kept():
            del file[operation.offset :]
        for start in range(0, len(operation.data), SECTOR):
            piece = operation.data[start : start + SECTOR]
            if kept():
                end = operation.offset + start + len(piece)
                file.extend(bytes(max(0, end - len(file))))
                file[operation.offset + start : end] = piece


def _lucky(dice: random.Random) -> bool:
    return dice.random() < 0.5


# --- the clock ------------------------------------------------------------------------------------


async def clock_jumps(site: HurtSite, number: int) -> bool:
    """Somebody sets the clock by an hour or by ten years while a switch gets a line."""
    jump = JUMPS[number % len(JUMPS)]
    jumped = asyncio.Event()

    def act() -> None:
        site.shim.set_clock(jump)
        jumped.set()

    site.on_line(number, act)
    job = await site.begin("red")
    ended = await site.finished(job)
    assert ended["state"] == "succeeded", ended["error"]
    if jumped.is_set():
        if number % 3 == 0:
            await site.call("project.create", project="green")  # audited with a wrong time
            await site.restart()
        await converges(site)
        assert (await site.call("job.show", job=job))["state"] == "succeeded"  # it is not old
        node = await site.call("node.show", node="node-3")
        assert node["project"] == "red"  # its lease did not end in the jump
        assert (await site.call("audit.verify"))["ok"]
        site.shim.set_clock(0)
        await converges(site)
    return jumped.is_set()


KILLS: dict[str, Attempt] = {
    "killed before a write, a sync, a change of the master": killed_at_write,
    "killed as a switch receives a line": partial(killed_at_line, after=False),
    "killed after a switch executed a line": partial(killed_at_line, after=True),
    "killed early, and again while it recovers": partial(killed_again, first=70),
    "killed late, and again while it recovers": partial(killed_again, first=210),
}
STORE: dict[str, Attempt] = {
    f"{fault}, {'until lifted' if lasting else 'once'}": partial(
        store_fails, fault=fault, lasting=lasting
    )
    for fault in SENTENCES
    for lasting in (False, True)
}
POWER: dict[str, Attempt] = {"power cut before a write or a sync": power_cut}
CLOCK: dict[str, Attempt] = {"clock set by an hour or ten years": clock_jumps}

ALL = {"kills": KILLS, "store": STORE, "power": POWER, "clock": CLOCK}
