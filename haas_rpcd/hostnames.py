"""Looks up the IP addresses of host names."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

Lookup = Callable[[str], frozenset[str]]
"""Returns the IP addresses of a name, and blocks meanwhile. Raises OSError or UnicodeError."""


def look_up(host: str, flags: int = 0) -> frozenset[str]:
    """Return the IP addresses of a host. Blocks. Raises OSError or UnicodeError."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=flags)
    return frozenset(_plain(str(answer[4][0])) for answer in answers)


def numeric(host: str) -> frozenset[str]:
    """Return the address that is written as a number, without any look-up; none for a name."""
    try:
        return look_up(host, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return frozenset()


async def look_up_apart(host: str, lookup: Lookup) -> frozenset[str]:
    """Look a host up in a thread of its own; return no address if it has none.

    Nobody waits for the thread: a resolver without an answer would hold up the shared threads of
    the event loop, and the end of the daemon.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[frozenset[str]] = loop.create_future()

    def settle(found: frozenset[str]) -> None:
        if not result.done():
            result.set_result(found)

    def run() -> None:
        try:
            found = lookup(host)
        except (OSError, UnicodeError):
            found = frozenset()
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=run, name=f"resolve {host}", daemon=True).start()
    return await result


def _plain(address: str) -> str:
    """Return an address in its usual form; an IPv4 address for one that is mapped to IPv6."""
    with contextlib.suppress(ValueError):
        parsed = ip_address(address)
        mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
        return str(mapped or parsed)
    return address
