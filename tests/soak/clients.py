"""The clients of the load story: readers, appliers, and watchers of events.

A call may fail while the daemon restarts, and at no other time. So each failure is kept with its
time, and judged when the story is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import WSMsgType

GONE = (aiohttp.ClientError, ConnectionError, TimeoutError)
PAUSE = 0.2
"""Seconds until a client that was disconnected tries again."""

FINAL = ("succeeded", "failed", "cancelled")


class Failed(Exception):
    """The daemon answered with an error."""


@dataclass
class Seen:
    """What all clients saw. Times are those of the monotonic clock."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """How long the calls of each method took, and the applies."""

    failures: list[tuple[float, str]] = field(default_factory=list)
    jobs: list[tuple[float, float, str, str]] = field(default_factory=list)
    """Of each job: when it was started and had ended, its number, and its final state."""

    watched: list[Watched] = field(default_factory=list)


@dataclass
class Watched:
    """What a watcher received in one connection, from ``since`` to ``until``."""

    since: float
    until: float = float("inf")
    told: str = ""
    """Why the daemon closed it."""

    received: int = 0
    missing: int = 0
    """Gaps in the numbers of the notifications."""

    jobs: set[str] = field(default_factory=set)
    """The jobs of whose end it heard."""


class Caller:
    """Calls the daemon on a connection of its own, and measures that.

    Without a ``token`` it is an admin, as the daemon's own OS user.
    """

    def __init__(self, http: aiohttp.ClientSession, seen: Seen, token: str | None = None) -> None:
        self.http = http
        self.seen = seen
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    @property
    def is_admin(self) -> bool:
        return not self._headers

    async def text(self, method: str, **params: Any) -> bytes:
        """Call a method; return the answer as it came. Raises Failed, and those of ``GONE``."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        begun = time.monotonic()
        async with self.http.post("http://haas/rpc", data=body, headers=self._headers) as response:
            answer = await response.read()
        self.seen.seconds[method].append(time.monotonic() - begun)
        if response.status != 200 or b'"error":{"code"' in answer[:200]:
            raise Failed(f"{method}: HTTP {response.status}: {answer[:300].decode()}")
        return answer

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method; return its result."""
        return json.loads(await self.text(method, **params))["result"]

    def fail(self, error: Exception) -> None:
        self.seen.failures.append((time.monotonic(), f"{type(error).__name__}: {error}"))


async def read(
    caller: Caller, project: str, nodes: list[str], dice: random.Random, pause: float
) -> None:
    """Read now this, now that, with pauses, until cancelled."""
    calls: list[tuple[int, Callable[[], tuple[str, dict[str, Any]]]]] = [
        (4, lambda: ("node.show", {"node": dice.choice(nodes)})),
        (1, lambda: ("node.list", {"limit": 1000})),
        (4, lambda: ("node.list", {"project": project})),
        (2, lambda: ("network.list", {"project": project})),
        (2, lambda: ("job.list", {"limit": 50})),
        (2, lambda: ("plan.show", {"project": project})),
        (2, lambda: ("system.info", {})),
    ]
    if caller.is_admin:
        calls += [(2, lambda: ("switch.list", {})), (1, lambda: ("system.health", {}))]
    while True:
        await asyncio.sleep(dice.uniform(0, 2 * pause))
        [(_, choose)] = dice.choices(calls, [weight for weight, _ in calls])
        method, params = choose()
        try:
            await caller.text(method, **params)
        except (Failed, *GONE) as error:
            caller.fail(error)
            await asyncio.sleep(PAUSE)


class Applier:
    """Moves the nodes of its project between the project's two networks, one by one."""

    def __init__(self, caller: Caller, project: str, nodes: list[str]) -> None:
        self._caller = caller
        self._project = project
        self.nodes = nodes

    async def prepare(self) -> None:
        """Make the networks, and let the project hold its nodes."""
        call, project = self._caller.call, self._project
        for network in ("a", "b"):
            await call("network.create", project=project, network=network)
        for node in self.nodes:
            await call("node.allocate", project=project, node=node)

    async def run(self, dice: random.Random, pause: float, rounds: int | None = None) -> None:
        """Move a node and apply, with pauses, until cancelled or so many times."""
        done = 0
        while rounds is None or done < rounds:
            await asyncio.sleep(dice.uniform(0, 2 * pause))
            node = dice.choice(self.nodes)
            try:
                await self._move(node)
                await self._apply()
                done += 1
            except (Failed, *GONE) as error:
                self._caller.fail(error)
                await asyncio.sleep(PAUSE)

    async def _move(self, node: str) -> None:
        call = self._caller.call
        shown = await call("node.show", node=node)
        [there] = [nic["networks"] for nic in shown["nics"] if nic["nic"] == "eth0"]
        on = there[0]["network"].split("/")[-1] if there else None
        if on is not None:
            await call("nic.disconnect", node=node, nic="eth0")
        await call("nic.connect", node=node, nic="eth0", network="b" if on == "a" else "a")

    async def _apply(self) -> None:
        begun = time.monotonic()
        job = (await self._caller.call("apply.start", project=self._project))["job"]
        while True:
            try:
                ended = await self._caller.call("job.wait", job=job, timeout=60)
            except (Failed, *GONE) as error:  # the next daemon goes on with it
                self._caller.fail(error)
                await asyncio.sleep(PAUSE)
                continue
            if ended["finished"]:
                break
        now = time.monotonic()
        self._caller.seen.seconds["apply"].append(now - begun)
        self._caller.seen.jobs.append((begun, now, str(job), ended["state"]))


async def watch(http: aiohttp.ClientSession, seen: Seen) -> None:
    """Subscribe to all events, again and again if disconnected, until cancelled."""
    while True:
        watched: Watched | None = None
        try:
            async with http.ws_connect("http://haas/rpc", max_msg_size=0) as socket:
                await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "events.subscribe"})
                watched = Watched(time.monotonic())
                seen.watched.append(watched)
                await _receive(socket, watched)
        except GONE as error:
            if watched is not None:
                watched.told = watched.told or f"{type(error).__name__}"
            seen.failures.append((time.monotonic(), f"a watcher: {type(error).__name__}: {error}"))
        finally:
            if watched is not None:
                watched.until = min(watched.until, time.monotonic())
        await asyncio.sleep(PAUSE)


async def _receive(socket: aiohttp.ClientWebSocketResponse, watched: Watched) -> None:
    expected = 1
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        data = json.loads(message.data)
        if "method" not in data:
            watched.since = time.monotonic()  # it is subscribed now
            continue
        event = data["params"]
        watched.received += 1
        watched.missing += event["seq"] - expected
        expected = event["seq"] + 1
        if event["noun"] == "job" and event["verb"] in FINAL:
            watched.jobs.add(event["name"])
    watched.until = time.monotonic()
    watched.told = f"{socket.close_code}"


@contextlib.asynccontextmanager
async def connection(socket: str) -> Any:
    """A connection of a client's own to the daemon's socket."""
    async with aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(socket, limit=2),
        timeout=aiohttp.ClientTimeout(total=120),
    ) as http:
        yield http
