"""How long the event loop of a daemon is held at most, by the largest of each kind of work.

The daemon runs in this process, so that its loop, its threads and its collections can be watched;
those who call it are processes of their own.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import multiprocessing
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from haas_rpcd import garbage
from haas_rpcd.config import Master
from haas_rpcd.store.database import Tx
from tests.bench.big_site import site as site_of
from tests.bench.held import Held, collections_counted, steps_counted, watch_waits
from tests.bench.table import Row
from tests.rpc.small_site import SmallSite, small_site

LIMIT = 50.0
"""Milliseconds."""

WATCHERS = 50
HEADNODES = 2000
ALLOCATED = 1000
RECORDS = 20_000


class Unix(http.client.HTTPConnection):
    """HTTP on a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("haas")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def post(path: str, body: Any) -> Any:
    """Post a call or a batch; return the answer."""
    connection = Unix(path)
    connection.request("POST", "/rpc", json.dumps(body).encode())
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def ask(path: str, method: str, params: dict[str, Any]) -> Any:
    """Call a method; return of the result only what is small."""
    answer = post(path, {"jsonrpc": "2.0", "method": method, "params": params, "id": 1})
    if "error" in answer:
        raise RuntimeError(f"{method}: {answer['error']['message'][:300]}")
    return {
        name: len(value) if isinstance(value, list | str) and len(value) > 100 else value
        for name, value in answer["result"].items()
    }


def ask_many(path: str, method: str, many: list[dict[str, Any]]) -> None:
    """Call a method once with each of the params, in batches."""
    for begin in range(0, len(many), 500):
        calls = [
            {"jsonrpc": "2.0", "method": method, "params": params, "id": number}
            for number, params in enumerate(many[begin : begin + 500])
        ]
        for answer in post(path, calls):
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message'][:300]}")


def import_site(path: str, nodes: int) -> Any:
    """Import a site of so many nodes, none of whose switches exists."""
    return ask(path, "site.import", {"site": site_of(nodes, 999)})


def at_once(
    path: str, count: int, client: Callable[[aiohttp.ClientSession], Awaitable[bool]]
) -> int:
    """Run so many clients at the same time; return how many of them ended well."""

    async def run() -> int:
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as session:
            return sum(await asyncio.gather(*(client(session) for _ in range(count))))

    return asyncio.run(run())


def watch(path: str, job: int, count: int) -> int:
    """Follow a job on so many connections until its end; return how many heard of that."""

    async def follow(session: aiohttp.ClientSession) -> bool:
        async with session.ws_connect("http://haas/rpc") as socket:
            for number, (method, params) in enumerate(
                (("events.subscribe", {}), ("job.subscribe", {"job": job}))
            ):
                await socket.send_json(
                    {"jsonrpc": "2.0", "method": method, "params": params, "id": number}
                )
            async for message in socket:
                said = json.loads(message.data)
                last = said.get("params") or said.get("result") or {}
                ended = last.get("step") is None and last.get("state") in ("succeeded", "failed")
                if last.get("job") == job and ended:
                    return True
        return False

    return at_once(path, count, follow)


def hear(path: str, nodes: int, count: int) -> int:
    """Hear on so many connections that so many nodes were allocated; return how many did."""

    async def listen(session: aiohttp.ClientSession) -> bool:
        async with session.ws_connect("http://haas/rpc") as socket:
            await socket.send_json({"jsonrpc": "2.0", "method": "events.subscribe", "id": 0})
            heard = 0
            async for message in socket:
                said = json.loads(message.data)
                heard += said.get("params", {}).get("verb") == "allocated"
                if heard == nodes:
                    return True
        return False

    return at_once(path, count, listen)


class Measured:
    """A daemon in this process, and the rows of the table so far."""

    def __init__(self, site: SmallSite, pool: ProcessPoolExecutor, held: Held) -> None:
        self._path = str(site.settings.server.socket)
        self._pool = pool
        self._held = held
        self.rows: list[Row] = []

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function with the daemon's socket in another process."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(function, self._path, *args))

    async def call(self, method: str, **params: Any) -> Any:
        return await self.run(ask, method, params)

    async def row(self, what: str, work: Awaitable[Any]) -> Any:
        """Add a row for some work: what held the loop longest meanwhile."""
        held = self._held
        held.clear()
        begun = time.monotonic()
        result = await work
        await asyncio.sleep(0.01)
        note = (
            f"step {held.step * 1000:.0f}, collection {held.collection * 1000:.0f}, any thread"
            f" {held.wait * 1000:.0f}; {time.monotonic() - begun:.1f} s {held.where}"
        )
        print(f"  {held.worst * 1000:4.0f} ms  {what}: {note}", file=sys.stderr, flush=True)
        self.rows.append(Row(what, held.worst * 1000, "ms", LIMIT, asserted=False, note=note))
        return result


@asynccontextmanager
async def measured(
    folder: Path, master: Master | None
) -> AsyncIterator[tuple[SmallSite, Measured]]:
    """Provide a daemon that is watched, as the service runs it."""
    held = Held()
    folder.mkdir()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        async with small_site(folder, master=master) as site:
            collecting = asyncio.create_task(garbage.collect_when_cheap())
            with garbage.no_full_collections(), steps_counted(held), collections_counted(held):
                waits = asyncio.create_task(watch_waits(held))
                try:
                    yield site, Measured(site, pool, held)
                finally:
                    waits.cancel()
                    collecting.cancel()


async def _job(made: Measured, what: str, project: str | None = None) -> None:
    """Measure a job, followed by many."""
    job = (await made.row(f"start of {what}", made.call("apply.start", project=project)))["job"]
    watching = asyncio.create_task(made.run(watch, job, WATCHERS))
    ended = await made.row(
        f"{what}, and {WATCHERS} watchers", made.call("job.wait", job=job, timeout=600)
    )
    await watching
    await made.row(f"job.show: {ended['total']:,} steps", made.call("job.show", job=job))
    await made.row("job.transcript", made.call("job.transcript", job=job))


async def _large_site(folder: Path, nodes: int) -> list[Row]:
    async with measured(folder, None) as (site, made):
        await made.row(f"site.import of {nodes:,} nodes", made.run(import_site, nodes))
        await made.row("site.import of the same", made.run(import_site, nodes))
        plan = await made.row("plan.show", made.call("plan.show"))
        steps = plan["steps"] + plan["more"]
        await _job(made, f"a job whose {steps:,} steps all fail")

        def differ(tx: Tx) -> None:
            tx.execute(
                "INSERT INTO drift (device, kind, target, applied, observed, since)"
                " SELECT switch.name, 'port', port.name, 'parked', 'access 7', 0"
                " FROM port JOIN switch ON switch.id = port.switch_id"
            )

        await site.daemon.store.write(differ)
        many = [{"node": f"node-{at % nodes:05}", "tags": [str(at)]} for at in range(RECORDS)]
        await made.run(ask_many, "node.set", many)
        for method, params in (
            ("site.export", {}), ("node.list", {"limit": 1000}), ("audit.list", {"limit": 1000}),
            ("audit.verify", {}), ("switch.list", {"limit": 1000}), ("drift.list", {"limit": 1000}),
            ("drift.check", {}), ("cabling.check", {}), ("system.health", {}), ("system.pulse", {}),
            ("job.list", {}), ("rpc.discover", {}),
        ):  # fmt: skip
            await made.row(method, made.call(method, **params))
        return made.rows


async def _many_allocated(folder: Path, count: int) -> list[Row]:
    async with measured(folder, None) as (site, made):
        await made.call("project.create", project="p")
        await made.run(
            ask_many, "node.register", [{"node": f"n{at:04}", "nics": []} for at in range(count)]
        )
        listening = asyncio.create_task(made.run(hear, count, WATCHERS))
        while len(site.daemon.events._inventory) < WATCHERS:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.1)
        work = made.call("node.allocate", project="p", count=count)

        async def allocate() -> None:
            await work
            await listening

        await made.row(f"node.allocate of {count:,} nodes, and {WATCHERS} watchers", allocate())
        return made.rows


async def _many_headnodes(folder: Path, count: int) -> list[Row]:
    async with measured(folder, Master(trunk_nic="eth0")) as (_site, made):
        await made.call("project.create", project="p")
        await made.call("network.create", project="p", network="net")
        names = [{"project": "p", "headnode": f"h{at:04}"} for at in range(count)]
        await made.run(ask_many, "headnode.create", names)
        await made.run(ask_many, "headnode.connect", [{**name, "network": "net"} for name in names])
        await made.row(f"plan.show of {count:,} headnodes", made.call("plan.show", project="p"))
        await _job(made, f"an apply of {count:,} headnodes", "p")
        await made.row("headnode.list", made.call("headnode.list", limit=1000))
        return made.rows


def measure(folder: Path, nodes: int) -> Iterator[Row]:
    """Measure a site of many nodes, one that allocates them, and a project of many headnodes."""
    yield from asyncio.run(_large_site(folder / "site", nodes))
    yield from asyncio.run(_many_allocated(folder / "allocated", ALLOCATED))
    yield from asyncio.run(_many_headnodes(folder / "headnodes", HEADNODES))
