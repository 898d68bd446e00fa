"""One WebSocket: calls side by side, and notifications out to a listener that keeps up."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from haas_rpcd.auth import Caller
from haas_rpcd.events import Events
from haas_rpcd.records import FINAL_JOB_STATES, InventoryEvent, JobEvent

log = logging.getLogger(__name__)

BACKLOG = 2000
"""Messages that may wait for a listener; one that is further behind is disconnected."""

CALLS_AT_ONCE = 32
"""Calls of one connection that are worked on at the same time."""

Answer = Callable[[str, "Connection"], Awaitable[str | None]]
MaySee = Callable[[Caller, str], Awaitable[bool]]


class Connection:
    """A WebSocket and its subscriptions.

    A listener that is too slow is disconnected with a reason, never silently skipped: it connects
    again and fetches what it missed.
    """

    def __init__(self, socket: web.WebSocketResponse, events: Events, may_see: MaySee) -> None:
        self._socket = socket
        self._events = events
        self._may_see = may_see
        self._out: asyncio.Queue[str | None] = asyncio.Queue()
        self._jobs: dict[int, Callable[[], None]] = {}
        self._stop_inventory: Callable[[], None] | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._too_slow = False

    # --- what methods ask (methods.registry.Listener) ---------------------------------------------

    def subscribe_job(self, job: int) -> None:
        """Send ``job.event`` for this job until it has ended; asking twice changes nothing."""
        if job not in self._jobs:
            self._jobs[job] = self._events.watch_job(job, self._on_job)

    def subscribe_inventory(self, caller: Caller) -> None:
        """Send ``inventory.event`` for what the caller may see; asking twice changes nothing."""
        if self._stop_inventory is None:
            self._stop_inventory = self._events.watch_inventory(
                lambda event, admins_only: self._on_inventory(caller, event, admins_only)
            )

    def _on_job(self, event: JobEvent) -> None:
        self._notify("job.event", event)
        if event.step is None and event.state in FINAL_JOB_STATES:
            self._jobs.pop(event.job, lambda: None)()

    def _on_inventory(self, caller: Caller, event: InventoryEvent, admins_only: bool) -> None:
        if caller.admin or (not admins_only and event.project is None):
            self._notify("inventory.event", event)
        elif event.project is not None:
            task = asyncio.ensure_future(self._notify_member(caller, event.project, event))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _notify_member(self, caller: Caller, project: str, event: InventoryEvent) -> None:
        if await self._may_see(caller, project):
            self._notify("inventory.event", event)

    def _notify(self, name: str, event: msgspec.Struct) -> None:
        self._put(
            json.dumps({"jsonrpc": "2.0", "method": name, "params": msgspec.to_builtins(event)})
        )

    def _put(self, text: str) -> None:
        if self._too_slow:
            return
        if self._out.qsize() >= BACKLOG:
            self._too_slow = True
            self._out.put_nowait(None)
            return
        self._out.put_nowait(text)

    # --- the connection's life --------------------------------------------------------------------

    async def serve(self, answer: Answer) -> None:
        """Answer calls and send notifications until the other side goes."""
        sender = asyncio.create_task(self._send(), name="websocket sender")
        gate = asyncio.Semaphore(CALLS_AT_ONCE)
        try:
            async for message in self._socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                await gate.acquire()
                task = asyncio.create_task(self._call(message.data, answer, gate))
                self._calls.add(task)
                task.add_done_callback(self._calls.discard)
        finally:
            for stop in self._jobs.values():
                stop()
            if self._stop_inventory is not None:
                self._stop_inventory()
            pending = [sender, *self._calls]
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _call(self, text: str, answer: Answer, gate: asyncio.Semaphore) -> None:
        try:
            response = await answer(text, self)
        finally:
            gate.release()
        if response is not None:
            await self._out.put(response)

    async def _send(self) -> None:
        while True:
            text = await self._out.get()
            if self._too_slow:
                await self._socket.close(
                    code=WSCloseCode.TRY_AGAIN_LATER, message=b"too slow: connect and fetch again"
                )
                return
            if text is not None:
                try:
                    await self._socket.send_str(text)
                except ConnectionError:
                    return
