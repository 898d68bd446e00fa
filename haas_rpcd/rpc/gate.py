"""Admits connections: who it is comes before the first byte that is read of it.

Everybody may connect to the socket, so the number of connections is limited, per user and in total.
A connection that sends no whole request within a time is closed.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from haas_rpcd.errors import HaasError, LimitedError
from haas_rpcd.rpc.limits import ADMIN_ROOM, FIRST_REQUEST, STRANGER, STRANGER_ROOM, Limits
from haas_rpcd.tasks import cancel_and_wait

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Visitor:
    """Whose connection it is. ``key``: what its connections are counted by."""

    key: str
    limits: Limits
    admin: bool = False
    """True if it may take the room that is kept for admins."""


class Admission:
    """Counts connections, of all listeners together. ``total``: how many there may be."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._by_key: Counter[str] = Counter()
        self._strangers: set[Gate] = set()
        self._gates: set[Gate] = set()

    def enter(self, gate: Gate, visitor: Visitor) -> None:
        """Count a connection. Raises LimitedError."""
        mine = self._by_key[visitor.key]
        if mine >= visitor.limits.connections:
            raise LimitedError(
                f"You have {mine} connections open, which is the limit: close one, then try again."
            )
        room = self.total if visitor.admin else self.total - ADMIN_ROOM
        if len(self._gates) >= room:
            raise LimitedError("The daemon has no connection free: try again later.")
        self._by_key[visitor.key] += 1
        self._gates.add(gate)

    def is_stranger(self, gate: Gate, visitor: Visitor) -> None:
        """Apply the limits of those whom nobody knows to a connection. Raises LimitedError."""
        many = self._by_key[visitor.key] > STRANGER.connections
        if many or len(self._strangers) >= STRANGER_ROOM:
            raise LimitedError("Too many connections of unknown users are open: try again later.")
        self._strangers.add(gate)

    def leave(self, gate: Gate, visitor: Visitor) -> None:
        """Forget a connection."""
        if gate in self._gates:
            self._gates.discard(gate)
            self._strangers.discard(gate)
            self._by_key[visitor.key] -= 1
            if not self._by_key[visitor.key]:
                del self._by_key[visitor.key]

    async def close(self) -> None:
        """Close the connections that were not admitted yet."""
        await cancel_and_wait(*[gate.task for gate in self._gates if gate.task is not None])


class Gate(asyncio.Protocol):
    """One connection, from accept(2) on. What is behind the gate sees it once it is admitted.

    ``visitor`` tells whose connection it is by the transport alone; ``known`` whether somebody
    knows them.
    """

    def __init__(
        self,
        admission: Admission,
        behind: Callable[[], asyncio.Protocol],
        visitor: Callable[[asyncio.Transport], Visitor],
        known: Callable[[asyncio.Transport], Awaitable[bool]],
    ) -> None:
        self._admission = admission
        self._make_behind = behind
        self._who = visitor
        self._known = known
        self._behind: asyncio.Protocol | None = None
        self._early = bytearray()
        self._visitor: Visitor | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def key(self) -> str:
        """What the connections of this visitor are counted by."""
        return self._visitor.key if self._visitor is not None else ""

    def arrived(self) -> None:
        """Note that the first request is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- asyncio.Protocol -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Identify the peer; admit it or refuse it."""
        connection = cast(asyncio.Transport, transport)
        connection.pause_reading()
        try:
            visitor = self._who(connection)
            self._admission.enter(self, visitor)
        except HaasError as error:
            _refuse(connection, error)
            return
        except OSError:  # it is gone already
            connection.abort()
            return
        self._visitor = visitor
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(FIRST_REQUEST, connection.abort)
        if visitor.admin:
            self._open(connection)
        else:
            self.task = asyncio.create_task(self._admit(connection, visitor), name="admission")

    async def _admit(self, transport: asyncio.Transport, visitor: Visitor) -> None:
        try:
            if not await self._known(transport):
                self._admission.is_stranger(self, visitor)
        except HaasError as error:
            _refuse(transport, error)
            return
        except Exception:
            log.exception("a connection could not be admitted")
            transport.abort()
            return
        finally:
            self.task = None
        if not transport.is_closing():
            self._open(transport)

    def _open(self, transport: asyncio.Transport) -> None:
        self._behind = self._make_behind()
        self._behind.connection_made(transport)
        if self._early:
            self._behind.data_received(bytes(self._early))
            self._early.clear()
        transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self.arrived()
        if self.task is not None:
            self.task.cancel()
        if self._visitor is not None:
            self._admission.leave(self, self._visitor)
        if self._behind is not None:
            self._behind.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Pass on what was received."""
        if self._behind is not None:
            self._behind.data_received(data)
        else:  # arrived together with the end of a TLS handshake
            self._early += data

    def eof_received(self) -> bool | None:
        """Pass on that the client sends no more."""
        return self._behind.eof_received() if self._behind is not None else None

    def pause_writing(self) -> None:
        """Pass on that the client does not keep up."""
        if self._behind is not None:
            self._behind.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the client keeps up again."""
        if self._behind is not None:
            self._behind.resume_writing()


def _refuse(transport: asyncio.Transport, error: HaasError) -> None:
    """Answer without reading, and close."""
    members = {"code": error.code, "message": error.message, "data": error.data}
    body = json.dumps({"jsonrpc": "2.0", "error": members, "id": None}).encode()
    transport.write(
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    transport.close()
