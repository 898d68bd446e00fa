"""TCP with TLS: the certificate, which is read again when its files change, and the handshakes."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections import Counter
from collections.abc import Callable
from typing import cast

from haas_rpcd.config import ConfigError, Server
from haas_rpcd.mistakes import of_certificate
from haas_rpcd.tasks import cancel_and_wait

log = logging.getLogger(__name__)

HANDSHAKE = 10.0
"""Seconds for a TLS handshake."""

HANDSHAKES = 128
"""Handshakes under way, which are strangers' connections; of one address an eighth of it."""


class Certificate:
    """The TLS settings. Raises ConfigError if the files cannot be used at the start."""

    def __init__(self, settings: Server) -> None:
        self._settings = settings
        self._seen = self._stamps()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """Return the settings for a new connection, read again if a file has changed.

        While the new files cannot be used, as when only one of them is written yet, the old ones
        are.
        """
        stamps = self._stamps()
        if stamps != self._seen:
            self._seen = stamps
            try:
                self._context = self._load()
                log.info("the TLS certificate was read again")
            except ConfigError as error:
                log.warning("the TLS certificate stays the one from before: %s", error)
        return self._context

    def _stamps(self) -> list[tuple[int, int] | None]:
        server = self._settings
        clients = (server.tls_client_ca, server.tls_client_crl)
        return [_stamp(path) for path in (server.tls_cert, server.tls_key, *clients)]

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        server = self._settings
        try:
            context.load_cert_chain(server.tls_cert or "", server.tls_key, password=_no_passphrase)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"[server] tls_cert and tls_key: {server.tls_cert} and {server.tls_key} can't be"
                f" used ({of_certificate(error)}): they must be PEM files that belong together, the"
                " key without a passphrase."
            ) from None
        if server.tls_client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            _trust(context, "tls_client_ca", server.tls_client_ca)
        if server.tls_client_crl is not None:
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
            _trust(context, "tls_client_crl", server.tls_client_crl)
        return context


def _trust(context: ssl.SSLContext, key: str, path: str) -> None:
    """Load authorities, or what they have revoked. Raises ConfigError."""
    try:
        context.load_verify_locations(path)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"[server] {key}: {path} can't be used ({of_certificate(error)}): it must be a PEM"
            " file."
        ) from None


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase")  # otherwise OpenSSL asks on the terminal


def _stamp(path: str | None) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


class Handshakes:
    """Makes the handshake of each TCP connection, and hands it to what is behind.

    Whoever has not finished one is a stranger, so there may be few of them at a time.
    """

    def __init__(self, certificate: Certificate, behind: Callable[[], asyncio.Protocol]) -> None:
        self._certificate = certificate
        self._behind = behind
        self._by_address: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def entrance(self) -> asyncio.Protocol:
        """Return the protocol of a new TCP connection."""
        return _Entrance(self)

    def begin(self, transport: asyncio.Transport) -> None:
        """Start a handshake, or cut the connection off if too many are under way."""
        address = address_of(transport)
        if len(self._tasks) >= HANDSHAKES or self._by_address[address] >= HANDSHAKES // 8:
            transport.abort()
            return
        self._by_address[address] += 1
        task = asyncio.create_task(self._shake(transport), name="TLS handshake")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._end(done, address))

    def _end(self, task: asyncio.Task[None], address: str) -> None:
        self._tasks.discard(task)
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    async def _shake(self, raw: asyncio.Transport) -> None:
        protocol = self._behind()
        try:
            secured = await asyncio.get_running_loop().start_tls(
                raw,
                protocol,
                self._certificate.context(),
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE,
            )
        except (OSError, ssl.SSLError):  # not TLS, too slow, no client certificate: its own fault
            raw.abort()
            return
        except BaseException:
            raw.abort()
            raise
        if secured is None:  # it is gone already
            return
        protocol.connection_made(secured)

    async def close(self) -> None:
        """End the handshakes under way."""
        await cancel_and_wait(*self._tasks)


class _Entrance(asyncio.Protocol):
    """A TCP connection before its handshake."""

    def __init__(self, handshakes: Handshakes) -> None:
        self._handshakes = handshakes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Read nothing, but leave that to the handshake."""
        raw = cast(asyncio.Transport, transport)
        raw.pause_reading()
        self._handshakes.begin(raw)


def address_of(transport: asyncio.BaseTransport) -> str:
    """Return the IP address at the other end of a TCP connection."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""
