"""Synchronizes the inventory with the daemon: connects, fetches, listens, and reconnects.

Errors do not propagate to the front end: they become a :class:`Status` with a sentence. aiohttp is
imported for the first connection only, so that a screen can be painted before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from haas_console.core.errors import ConsoleError, NoDaemonError, TooSlowError
from haas_console.core.fetch import Fetcher
from haas_console.core.inventory import Inventory
from haas_console.core.log import CallRecord, Log
from haas_console.core.refresh import Refresher
from haas_console.core.target import Target
from haas_schemas.switch import Port

if TYPE_CHECKING:
    from haas_console.core.affected import Affected
    from haas_console.core.client import Client, Inbox
    from haas_console.core.language import Language

FIRST_WAIT, LAST_WAIT = 0.25, 8.0  # seconds between attempts to connect
GATHER = 0.03  # seconds during which a burst of events is collected
PATIENCE = 5.0  # seconds that a call waits for a connection that is being replaced
POLL = 0.5  # seconds between two polls of jobs under way
PULSE = 60.0  # seconds between two reads of what changes with time, or without an event
_log = logging.getLogger(__name__)

Changes = frozenset[str]
"""What has changed, as nouns: node, network, headnode, project, switch, job, info, status, ..."""

Watcher = Callable[[Changes], None]


class Status(msgspec.Struct, frozen=True):
    """The state of the connection: ``connecting``, ``live`` or ``stale``, since when (epoch)."""

    state: str
    since: float
    reason: str = ""


class InventorySync:
    """One daemon's inventory, kept current while :meth:`run` runs."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.inventory = Inventory()
        self.log = Log()
        self.status = Status("connecting", time.time())
        self.has_failed = False
        """Whether a connection could not be made, or was lost."""
        self.client: Client | None = None
        self._back = asyncio.Event()
        """Cleared while a connection that was too slow is replaced: calls wait for the next."""
        self._back.set()
        self._refresher: Refresher | None = None
        self._language: Language | None = None
        self._endpoint = target.endpoint
        self._watchers: list[Watcher] = []

    @property
    def language(self) -> Language:
        """The daemon's commands; before the first connection, those of this release."""
        if self._language is None:
            from haas_console.core.api import packaged_api
            from haas_console.core.language import Language

            self._language = Language(packaged_api())
        return self._language

    # --- watchers ---

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` after each change; the returned function ends that."""
        self._watchers.append(watcher)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._watchers.remove(watcher)

        return stop

    def notify(self, *nouns: str) -> None:
        """Notify the watchers of changes, if there are any."""
        changes = frozenset(nouns)
        for watcher in tuple(self._watchers) if changes else ():
            watcher(changes)

    def _set_status(self, state: str, reason: str = "") -> None:
        if (state, reason) != (self.status.state, self.status.reason):
            since = time.time() if state != self.status.state else self.status.since
            self.status = Status(state, since, reason)
            self.notify("status")

    # --- calls ---

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        quiet: bool = False,
    ) -> Any:
        """Call a method and log the call; all calls of the screens go through here.

        Raises ConsoleError if the daemon refuses, or if there is none now.
        """
        if self.client is None and not self._back.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._back.wait()
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

    async def fetch_ports(self, switch: str) -> list[Port]:
        """Fetch a switch's ports, which are kept current from then on; raises ConsoleError."""
        await self._fetcher().ports(switch, quiet=True)
        self.notify("switch")
        return self.inventory.ports[switch]

    def _fetcher(self) -> Fetcher:
        return Fetcher(self.inventory, self.call, self.language.api.methods)

    async def read(self, affected: Iterable[Affected]) -> None:
        """Fetch what a command has changed; raises ConsoleError if that fails."""
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
                except TooSlowError:  # nothing is lost: everything is read again, and at once
                    self._back.clear()
                    continue
                except ConsoleError as error:
                    reason = str(error)
                except Exception as error:  # noqa: BLE001 - a fault of the console: report it and go on
                    _log.exception("the inventory could not be kept current")
                    reason = f"the console failed while it read the inventory: {error!r}"
                self.has_failed = True
                self._back.set()
                self._set_status("stale" if self.inventory.info else "connecting", reason)
                if time.monotonic() - began > LAST_WAIT:
                    wait = FIRST_WAIT  # it worked for a while: try again soon
                await asyncio.sleep(wait)
                wait = min(wait * 2, LAST_WAIT)

    async def _start_demo(self, stack: contextlib.AsyncExitStack) -> None:
        if self._endpoint is not None:
            return
        from haas_console.core.demo import demo_daemon

        what = "embedded data centre" if self.target.site is None else f"copy of {self.target.site}"
        self._set_status("connecting", f"starting the {what}")
        self._endpoint = await stack.enter_async_context(demo_daemon(self.target.site))

    async def _once(self) -> None:
        """Connect, fetch everything, and follow the events until the connection breaks."""
        module = await asyncio.to_thread(_import_client)
        from haas_console.core.language import Language

        endpoint = self._endpoint
        if endpoint is None:
            raise NoDaemonError("The demo daemon is not started.")
        client: Client = await module.Client.connect(
            endpoint, token=self.target.token, timeout=self.target.timeout
        )
        try:
            self.client = client
            self._back.set()
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
        """Fetch what the events name, burst by burst; raises LostDaemonError."""
        polled = pulsed = time.monotonic()
        while True:
            busy = bool(self.inventory.running_jobs())
            notified = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL if busy else PULSE):
                    refresher.note(*await inbox.get())
                    notified = True
            # Even if events keep coming: a job that is followed sends a stream of them.
            if busy and time.monotonic() - polled >= POLL:
                await refresher.poll_jobs()
                polled = time.monotonic()
            if time.monotonic() - pulsed >= PULSE:
                await refresher.pulse()
                pulsed = time.monotonic()
            if notified:
                await asyncio.sleep(GATHER)
                for notification in inbox.take_all():
                    refresher.note(*notification)
                await refresher.flush()


def _import_client() -> Any:
    """Import the client in a thread: it takes 150 ms, in which the loop must handle keys."""
    from haas_console.core import client, language  # noqa: F401 - wanted next

    return client
