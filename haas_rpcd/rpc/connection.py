"""One WebSocket: answers calls concurrently and sends notifications to a client that keeps up."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from haas_rpcd.auth import Caller
from haas_rpcd.errors import HaasError
from haas_rpcd.events import Events
from haas_rpcd.methods.tenant_texts import for_tenant, line_for_tenant
from haas_rpcd.tasks import cancel_and_wait
from haas_schemas.event import InventoryEvent, JobEvent
from haas_schemas.job import FINAL_JOB_STATES

log = logging.getLogger(__name__)

MAX_BACKLOG = 2000
"""Messages that may be queued for a client; one that falls further behind is disconnected."""

MAX_BACKLOG_BYTES = 2 * 2**20
"""Bytes of events that may be queued besides; and of answers, before further calls wait."""

MANY = 16
"""Messages that are sent at once, however many others send; to wait for turns costs more."""

CLOSE_GRACE = 1.0
"""Seconds a client is given to receive the close reason."""

MAX_CALLS = 32
"""Calls of one connection that run at the same time."""

Answer = Callable[[str | bytes, "Connection"], Awaitable[bytes | None]]
MaySee = Callable[[Caller, str], Awaitable[bool]]


class Connection:
    """A WebSocket and its subscriptions.

    Never skips an event silently: a client that is too slow is disconnected with a reason, so it
    knows that it has to fetch everything again. ``release`` is called with the size of each answer
    that is not kept any more.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        events: Events,
        *,
        user: str,
        token: int | None,
        may_see: MaySee,
        abort: Callable[[], None],
        release: Callable[[int], None],
    ) -> None:
        self._socket = socket
        self._events = events
        self._user = user
        self._token = token
        self._may_see = may_see
        self._abort = abort
        self._release = release
        self.seq = 0
        """The number of the last notification."""
        self._outgoing: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        """Messages, and whether each is an answer."""
        self._backlog = 0
        """Bytes that are queued or being sent."""
        self._drained = asyncio.Event()
        self._drained.set()
        self._jobs: dict[int, Callable[[], None]] = {}
        self._unsubscribe_inventory: Callable[[], None] | None = None
        self._unchecked: deque[InventoryEvent] = deque()
        """Events of projects, in order; whether the user may see these is to be asked."""
        self._tasks: set[asyncio.Task[None]] = set()
        """Calls that are running, and the one that asks which events the user may see."""
        self._sender: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    # --- subscriptions (methods.call.Subscriber) --------------------------------------------------

    def subscribe_job(self, job: int, *, admin: bool) -> None:
        """Send ``job.event`` for this job until it has ended. Subscribing twice has no effect."""
        if job not in self._jobs:
            self._jobs[job] = self._events.subscribe_job(
                job, self._on_job if admin else lambda event: self._on_job(_without_words(event))
            )

    def subscribe_inventory(self, caller: Caller) -> None:
        """Send ``inventory.event`` for what the caller may see. Subscribing twice has no effect."""
        if self._unsubscribe_inventory is None:
            self._unsubscribe_inventory = self._events.subscribe_inventory(
                lambda event, admins_only: self._on_inventory(caller, event, admins_only)
            )

    def _on_job(self, event: JobEvent) -> None:
        self._notify("job.event", event)
        if event.step is None and event.state in FINAL_JOB_STATES:
            self._jobs.pop(event.job, lambda: None)()

    def _on_inventory(self, caller: Caller, event: InventoryEvent, admins_only: bool) -> None:
        if admins_only and event.project is None and not caller.admin:
            return
        if caller.admin or (event.project is None and not self._unchecked):
            self._notify("inventory.event", event)
            return
        self._unchecked.append(event)
        if len(self._unchecked) == 1:
            self._start(self._notify_member(caller))

    async def _notify_member(self, caller: Caller) -> None:
        """Send the events that the user may see: a project is asked about once for all at hand."""
        while self._unchecked:
            events = tuple(self._unchecked)
            projects = {event.project for event in events if event.project is not None}
            try:
                seen = {name for name in projects if await self._may_see(caller, name)}
            except HaasError as error:
                log.error("%s: events are not sent: %s", self._user, error.message)
                self._disconnect(
                    WSCloseCode.TRY_AGAIN_LATER, b"your rights are not known: connect again"
                )
                return
            for event in events:
                await self._events.turns.pace()
                if event.project is None or event.project in seen:
                    self._notify("inventory.event", event)
                self._unchecked.popleft()

    def _notify(self, name: str, event: JobEvent | InventoryEvent) -> None:
        self.seq += 1
        text = _encoded(name, event).replace(_UNNUMBERED, b'"seq":%d' % self.seq, 1)
        full = self._outgoing.qsize() >= MAX_BACKLOG or self._backlog > MAX_BACKLOG_BYTES
        if full and self._closing is None:
            self._disconnect(WSCloseCode.TRY_AGAIN_LATER, b"too slow: connect and fetch again")
        if self._closing is None:
            self._put(text)

    def _put(self, text: bytes, *, answer: bool = False) -> None:
        self._outgoing.put_nowait((text, answer))
        self._count(len(text))

    def _count(self, size: int) -> None:
        """Note bytes that were queued, or with a negative size sent."""
        self._backlog += size
        if self._backlog > MAX_BACKLOG_BYTES:
            self._drained.clear()
        else:
            self._drained.set()

    def _on_permissions_reduced(self, user: str, tokens: frozenset[int] | None) -> None:
        """Disconnect this user, who may still have events queued that it must not see any more."""
        if user == self._user and (tokens is None or self._token in tokens):
            self._disconnect(
                WSCloseCode.POLICY_VIOLATION, b"your rights have changed: connect again"
            )

    def end(self, why: bytes) -> None:
        """Disconnect the client because it may not stay."""
        self._disconnect(WSCloseCode.POLICY_VIOLATION, why)

    def _disconnect(self, code: WSCloseCode, why: bytes) -> None:
        """Send nothing more but the close reason, and cut off a client that does not read it."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code, why), name="websocket close")

    async def _close(self, code: WSCloseCode, why: bytes) -> None:
        if self._sender is not None:
            self._sender.cancel()
        try:
            async with asyncio.timeout(CLOSE_GRACE):
                if self._tasks:  # an admin who reduces its own permissions gets that call's answer
                    await asyncio.wait(self._tasks, timeout=CLOSE_GRACE / 2)
                await self._socket.close(code=code, message=why)
        except (TimeoutError, ConnectionError):
            log.info("%s: the client does not read; its connection is dropped", self._user)
        finally:
            self._abort()

    # --- the connection's life --------------------------------------------------------------------

    async def serve(self, answer: Answer) -> None:
        """Answer calls and send notifications until the client disconnects."""
        self._sender = asyncio.create_task(self._send(), name="websocket sender")
        unsubscribe_permissions = self._events.subscribe_permissions(self._on_permissions_reduced)
        slots = asyncio.Semaphore(MAX_CALLS)
        try:
            async for message in self._socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await slots.acquire()
                    await self._drained.wait()  # a client that does not read may not ask
                    self._start(self._call(message.data, answer, slots))
        finally:
            unsubscribe_permissions()
            for unsubscribe in self._jobs.values():
                unsubscribe()
            if self._unsubscribe_inventory is not None:
                self._unsubscribe_inventory()
            closing = [self._closing] if self._closing is not None else []
            await cancel_and_wait(self._sender, *self._tasks, *closing)
            while not self._outgoing.empty():
                text, is_answer = self._outgoing.get_nowait()
                if is_answer:
                    self._release(len(text))

    def _start(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(coroutine, name="websocket call")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, text: str | bytes, answer: Answer, slots: asyncio.Semaphore) -> None:
        try:
            response = await answer(text, self)
        finally:
            slots.release()
        if response is None:
            return
        if self._closing is None:
            self._put(response, answer=True)
            return
        try:
            if not self._socket.closed:
                with contextlib.suppress(ConnectionError):  # the client is gone
                    await self._send_text(response)  # _close waits for this call
        finally:
            self._release(len(response))

    async def _send(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client is gone
            while True:
                text, is_answer = await self._outgoing.get()
                try:
                    if self._outgoing.qsize() >= MANY:
                        await self._events.turns.pace()
                    await self._send_text(text)
                finally:
                    self._count(-len(text))
                    if is_answer:
                        self._release(len(text))

    async def _send_text(self, text: bytes) -> None:
        await self._socket.send_frame(text, WSMsgType.TEXT)


_UNNUMBERED = b'"seq":0'


@functools.lru_cache(maxsize=16)
def _encoded(name: str, event: JobEvent | InventoryEvent) -> bytes:
    """Encode a notification, once for all connections; its number stands before all texts."""
    return msgspec.json.encode({"jsonrpc": "2.0", "method": name, "params": event})


def _without_words(event: JobEvent) -> JobEvent:
    """Return an event for a tenant, without what devices say."""
    step = event.step
    if step is not None:
        step = msgspec.structs.replace(
            step, message=for_tenant(step.message), line=line_for_tenant(step.line)
        )
    return msgspec.structs.replace(event, error=for_tenant(event.error), step=step)
