"""Keeps the inventory current: connects, fetches, listens, and finds a lost daemon again.

Nothing here raises into a front end: what goes wrong becomes a :class:`Status` with a sentence.
aiohttp, and what else only a connection needs, is imported when the first is made, so that a screen
can be painted before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from haas_console.core.errors import ConsoleError, NoDaemonError
from haas_console.core.fetch import Fetcher
from haas_console.core.inventory import Inventory
from haas_console.core.log import CallRecord, Log
from haas_console.core.refresh import Refresher
from haas_console.core.tasks import cancel_and_wait

if TYPE_CHECKING:
    from pathlib import Path

    from haas_console.core.affected import Affected
    from haas_console.core.client import Client, Inbox, Notification
    from haas_console.core.config import Endpoint
    from haas_console.core.language import Language

FIRST_WAIT, LAST_WAIT = 0.25, 8.0  # seconds between two tries to connect
GATHER = 0.03  # seconds in which the news of a burst are put together
POLL = 0.5  # seconds between two looks at jobs under way
_log = logging.getLogger(__name__)

Changes = frozenset[str]
"""What changed, in nouns: node, network, headnode, project, switch, job, info, status, ..."""

Watcher = Callable[[Changes], None]


class Status(msgspec.Struct, frozen=True):
    """How the connection stands: ``connecting``, ``live`` or ``stale``, and since when (epoch)."""

    state: str
    since: float
    reason: str = ""


class Target(msgspec.Struct, frozen=True):
    """Which daemon, and how to talk to it; without an ``endpoint`` a demo daemon is started.

    ``site``: the site file that the demo daemon serves a copy of.
    """

    endpoint: Endpoint | None
    token: str | None = None
    timeout: float = 60.0
    site: Path | None = None


class InventorySync:
    """One daemon's inventory, kept current for as long as :meth:`run` runs."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.inventory = Inventory()
        self.log = Log()
        self.status = Status("connecting", time.time())
        self.client: Client | None = None
        self._refresher: Refresher | None = None
        self._language: Language | None = None
        self._endpoint = target.endpoint
        self._watchers: list[Watcher] = []

    @property
    def language(self) -> Language:
        """The daemon's commands; until it told us, those this console was released with."""
        if self._language is None:
            from haas_console.core.api import packaged_api
            from haas_console.core.language import Language

            self._language = Language(packaged_api())
        return self._language

    # --- being told ---

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` with what changed, from now on; the function given back ends that."""
        self._watchers.append(watcher)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._watchers.remove(watcher)

        return stop

    def notify(self, *nouns: str) -> None:
        """Tell the watchers that something changed."""
        changes = frozenset(nouns)
        for watcher in tuple(self._watchers):
            watcher(changes)

    def _set_status(self, state: str, reason: str = "") -> None:
        if (state, reason) != (self.status.state, self.status.reason):
            since = time.time() if state != self.status.state else self.status.since
            self.status = Status(state, since, reason)
            self.notify("status")

    # --- asking ---

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        quiet: bool = False,
    ) -> Any:
        """Call a method: the one place through which every call of the screen goes.

        Raises ConsoleError: the daemon's refusal, or that there is no daemon now.
        """
        client = self.client
        if client is None:
            raise NoDaemonError("There is no connection to the daemon now; it is looked for.")
        began = time.perf_counter()
        outcome, ok = "ok", True
        try:
            return await client.call(method, params, timeout=timeout)
        except ConsoleError as error:
            outcome, ok = str(error), False
            raise
        finally:
            ms = (time.perf_counter() - began) * 1000
            self.log.calls.append(
                CallRecord(time.time(), method, dict(params or {}), ms, outcome, ok, quiet)
            )
            if not quiet:
                self.notify("call")

    async def fetch_ports(self, switch: str) -> None:
        """Fetch a switch's ports, which are kept current from then on; raises ConsoleError."""
        await self._fetcher().ports(switch, quiet=True)
        self.notify("switch")

    def _fetcher(self) -> Fetcher:
        return Fetcher(self.inventory, self.call, self.language.api.methods)

    async def read(self, affected: Iterable[Affected]) -> None:
        """Bring the inventory up to date with what a command has changed.

        Raises ConsoleError when that cannot be read.
        """
        if self._refresher is not None:
            await self._refresher.read(affected)

    # --- staying connected ---

    async def run(self) -> None:
        """Stay connected until cancelled."""
        async with contextlib.AsyncExitStack() as stack:
            wait = FIRST_WAIT
            while True:
                began = time.monotonic()
                try:
                    await self._start_demo(stack)
                    await self._once()
                except ConsoleError as error:
                    reason = str(error)
                except Exception as error:  # noqa: BLE001 - a bug of ours: survive it, and say so
                    _log.exception("the inventory could not be kept current")
                    reason = f"the console failed while it read the inventory: {error!r}"
                self._set_status("stale" if self.inventory.info else "connecting", reason)
                if time.monotonic() - began > LAST_WAIT:
                    wait = FIRST_WAIT  # it was well for a while, so it is soon again
                await asyncio.sleep(wait)
                wait = min(wait * 2, LAST_WAIT)

    async def _start_demo(self, stack: contextlib.AsyncExitStack) -> None:
        if self._endpoint is not None:
            return
        from haas_console.core.demo import demo_daemon

        self._set_status("connecting", "starting the embedded data centre")
        self._endpoint = await stack.enter_async_context(demo_daemon(self.target.site))

    async def _once(self) -> None:
        """Connect, fetch everything, and follow the news until the connection breaks."""
        module = await asyncio.to_thread(_import_client)
        from haas_console.core.language import Language

        endpoint = self._endpoint
        if endpoint is None:
            raise NoDaemonError("The demo daemon is not started.")
        token = self.target.token if endpoint.url else None
        client: Client = await module.Client.connect(
            endpoint, token=token, timeout=self.target.timeout
        )
        try:
            self.client = client
            with client.notifications() as inbox:
                await self.call("events.subscribe", quiet=True)
                self._language = Language(await client.discover())
                refresher = Refresher(self.inventory, self._fetcher(), self.log, self.notify)
                self._refresher = refresher
                await refresher.load()
                self._set_status("live")
                await self._follow(inbox, refresher)
        finally:
            self.client = self._refresher = None
            await client.close()

    async def _follow(self, inbox: Inbox, refresher: Refresher) -> None:
        """Fetch again what the news name, a burst of them at once; raises LostDaemonError."""
        reader = _next_of(inbox)
        polled = time.monotonic()
        try:
            while True:
                timeout = POLL if self.inventory.running_jobs() else None
                done, _ = await asyncio.wait({reader}, timeout=timeout)
                # Also when news keep coming: those of a job that is followed come in a stream.
                if timeout is not None and time.monotonic() - polled >= POLL:
                    await refresher.poll_jobs()
                    polled = time.monotonic()
                if not done:
                    continue
                refresher.note(*reader.result())
                reader = _next_of(inbox)
                await asyncio.sleep(GATHER)
                while reader.done():
                    refresher.note(*reader.result())
                    reader = _next_of(inbox)
                    await asyncio.sleep(0)
                await refresher.flush()
        finally:
            await cancel_and_wait(reader)


def _next_of(inbox: Inbox) -> asyncio.Task[Notification]:
    return asyncio.create_task(inbox.get(), name="haas-inbox-reader")


def _import_client() -> Any:
    """Import the client, and what follows, off the loop: 150 ms in which keys are to be heard."""
    from haas_console.core import client, language  # noqa: F401 - wanted next

    return client
