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
from haas_rpcd.tasks import cancel_and_wait
from haas_schemas.event import InventoryEvent, JobEvent
from haas_schemas.job import FINAL_JOB_STATES

log = logging.getLogger(__name__)

BACKLOG = 2000
"""Messages that may wait for a listener; one that is further behind is disconnected."""

FAREWELL = 1.0
"""Seconds that a client which is disconnected has to read why."""

CALLS_AT_ONCE = 32
"""Calls of one connection that are worked on at the same time."""

Answer = Callable[[str | bytes, "Connection"], Awaitable[str | None]]
MaySee = Callable[[Caller, str], Awaitable[bool]]


class Connection:
    """A WebSocket and its subscriptions.

    A listener that is too slow is disconnected with a reason, never silently skipped: it connects
    again and fetches what it missed.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        events: Events,
        *,
        user: str,
        may_see: MaySee,
        abort: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._events = events
        self._user = user
        self._may_see = may_see
        self._abort = abort
        self._out: asyncio.Queue[str] = asyncio.Queue()
        self._jobs: dict[int, Callable[[], None]] = {}
        self._stop_inventory: Callable[[], None] | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._sender: asyncio.Task[None] | None = None
        self._farewell: asyncio.Task[None] | None = None

    # --- what methods ask (methods.registry.Listener) ---------------------------------------------

    def subscribe_job(self, job: int) -> None:
        """Send ``job.event`` for this job until it has ended; asking twice changes nothing."""
        if job not in self._jobs:
            self._jobs[job] = self._events.subscribe_job(job, self._on_job)

    def subscribe_inventory(self, caller: Caller) -> None:
        """Send ``inventory.event`` for what the caller may see; asking twice changes nothing."""
        if self._stop_inventory is None:
            self._stop_inventory = self._events.subscribe_inventory(
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
        if self._farewell is not None:
            return
        if self._out.qsize() >= BACKLOG:
            self._disconnect(WSCloseCode.TRY_AGAIN_LATER, b"too slow: connect and fetch again")
            return
        self._out.put_nowait(text)

    def _on_rights(self, user: str) -> None:
        """What somebody may see has become less: whoever that is connects again, and is told."""
        if user == self._user:
            self._disconnect(
                WSCloseCode.POLICY_VIOLATION, b"your rights have changed: connect again"
            )

    def _disconnect(self, code: WSCloseCode, why: bytes) -> None:
        """Send no more news, only why; a client that does not even read that is cut off."""
        if self._farewell is None:
            self._farewell = asyncio.create_task(self._say_farewell(code, why))

    async def _say_farewell(self, code: WSCloseCode, why: bytes) -> None:
        if self._sender is not None:
            self._sender.cancel()
        try:
            async with asyncio.timeout(FAREWELL):
                if self._calls:  # who takes rights from itself gets the answer to that very call
                    await asyncio.wait(self._calls, timeout=FAREWELL / 2)
                await self._socket.close(code=code, message=why)
        except (TimeoutError, ConnectionError):
            log.info("%s: a listener does not read; its connection is dropped", self._user)
        finally:
            self._abort()

    # --- the connection's life --------------------------------------------------------------------

    async def serve(self, answer: Answer) -> None:
        """Answer calls and send notifications until the other side goes."""
        self._sender = asyncio.create_task(self._send(), name="websocket sender")
        stop_rights = self._events.subscribe_permissions(self._on_rights)
        gate = asyncio.Semaphore(CALLS_AT_ONCE)
        try:
            async for message in self._socket:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    continue
                await gate.acquire()
                task = asyncio.create_task(self._call(message.data, answer, gate))
                self._calls.add(task)
                task.add_done_callback(self._calls.discard)
        finally:
            stop_rights()
            for stop in self._jobs.values():
                stop()
            if self._stop_inventory is not None:
                self._stop_inventory()
            pending = [self._sender, *self._calls]
            if self._farewell is not None:
                pending.append(self._farewell)
            await cancel_and_wait(*pending)

    async def _call(self, text: str | bytes, answer: Answer, gate: asyncio.Semaphore) -> None:
        try:
            response = await answer(text, self)
        finally:
            gate.release()
        if response is None:
            return
        if self._farewell is None:
            self._put(response)
        elif not self._socket.closed:
            await self._socket.send_str(response)  # an answer that the farewell waits for

    async def _send(self) -> None:
        while True:
            try:
                await self._socket.send_str(await self._out.get())
            except ConnectionError:
                return
