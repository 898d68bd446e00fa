"""Who has arrived with a request, and what its connection is counted by."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from aiohttp import web

from haas_rpcd.auth import BearerTokens, Caller, Peer, peer_of
from haas_rpcd.errors import DeniedError, HaasError
from haas_rpcd.methods.audited import record_stranger
from haas_rpcd.methods.call import Context
from haas_rpcd.rpc.gate import Gate
from haas_rpcd.rpc.identity import Identity, LocalPeer, TokenBearer
from haas_rpcd.rpc.tls import address_of
from haas_rpcd.store.turns import on_behalf_of


@dataclass(frozen=True)
class Arrival:
    """A request, who sends it, and the ``key`` of the connection: an OS user or an address.

    ``caller`` is an error for somebody who is not let in.
    """

    transport: asyncio.Transport
    key: str
    identity: Identity
    caller: Caller | HaasError

    @property
    def unauthorized(self) -> HaasError | None:
        """Why nothing of the request is read; None if it is. An OS user gets errors as answers."""
        if isinstance(self.caller, HaasError) and self.identity.by_token:
            return self.caller
        return None


class Arrivals:
    """Receives requests: tells who sends them, and records strangers in the audit trail."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tokens = BearerTokens(context.store, context.authenticator)
        self._locals: WeakKeyDictionary[asyncio.BaseTransport, LocalPeer] = WeakKeyDictionary()

    async def receive(self, request: web.Request) -> Arrival | None:
        """Return who has arrived with a request; None if the client has disconnected already."""
        transport = request.transport
        if transport is None:
            return None
        gate = transport.get_protocol()
        assert isinstance(gate, Gate)  # noqa: S101 - each connection comes through one
        gate.arrived()
        identity = self._identity(request, transport, gate.key)
        return Arrival(transport, gate.key, identity, await self.caller(identity, gate.key))

    async def caller(self, identity: Identity, key: str) -> Caller | HaasError:
        """Return who it is now, and record somebody who is not let in, unless too often."""
        caller = await identity.caller()
        if isinstance(caller, DeniedError):
            left_out = self._context.refusals.admit(key)
            if left_out is not None:
                user, via = identity.stranger
                with on_behalf_of(key):
                    await self._context.store.note(record_stranger, user, via, caller, left_out)
        return caller

    def local(self, transport: asyncio.BaseTransport) -> LocalPeer:
        """Return who is at the other end; the kernel is asked once for each connection."""
        if (known := self._locals.get(transport)) is None:
            known = self._locals[transport] = LocalPeer(
                peer(transport), self._context.store, self._context.authenticator
            )
        return known

    def _identity(self, request: web.Request, transport: asyncio.Transport, key: str) -> Identity:
        """Return who sends a request. On the Unix socket a token is good as well."""
        header = request.headers.get("Authorization")
        if header is None and _is_local(transport):
            return self.local(transport)
        address = key if _is_local(transport) else address_of(transport)
        return TokenBearer(header, key, address, self._tokens)


def peer(transport: asyncio.BaseTransport) -> Peer:
    """Return the OS user at the other end of a Unix socket."""
    return peer_of(transport.get_extra_info("socket"))


def _is_local(transport: asyncio.BaseTransport) -> bool:
    return bool(transport.get_extra_info("socket").family == socket.AF_UNIX)
