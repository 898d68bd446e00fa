"""Looks up the addresses of switches, as one switch may be registered only once.

``localhost``, ``127.1``, ``127.0.0.1`` and a second DNS name lead to one machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv6Address, ip_address

TIMEOUT = 3.0
"""Seconds in which all names must be resolved. One that takes longer counts as unresolved."""

AT_ONCE = 32
"""Number of names that are looked up at the same time."""

Lookup = Callable[[str], frozenset[str]]
"""Returns the IP addresses of a name, and blocks meanwhile. Raises OSError or UnicodeError."""


class Addresses:
    """The IP addresses of hosts. Hosts that could not be resolved have none."""

    def __init__(self, found: Mapping[str, frozenset[str]]) -> None:
        self._found = found
        self._hosts: dict[str, set[str]] = {}
        for host, addresses in found.items():
            for address in addresses:
                self._hosts.setdefault(address, set()).add(host)

    def same(self, host: str) -> list[str]:
        """Return the host itself, and then all others that have an address in common with it."""
        own = self._found.get(host, frozenset())
        others = {other for address in own for other in self._hosts[address]} - {host}
        return [host, *sorted(others)]


def look_up(host: str, flags: int = 0) -> frozenset[str]:
    """Return the IP addresses of a host. Blocks. Raises OSError or UnicodeError."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=flags)
    return frozenset(_plain(str(answer[4][0])) for answer in answers)


async def resolve(
    hosts: Iterable[str], *, lookup: Lookup = look_up, timeout: float = TIMEOUT
) -> Addresses:
    """Look up hosts. A host that cannot be resolved, or not in time, is no error."""
    found = {host: _numeric(host) for host in hosts}
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(host: str) -> None:
        async with at_once:
            found[host] = await _in_thread(host, lookup)

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout), asyncio.TaskGroup() as group:
            for name in [host for host, addresses in found.items() if not addresses]:
                group.create_task(one(name))
    return Addresses(found)


def _plain(address: str) -> str:
    """Return an address in its usual form; an IPv4 address for one that is mapped to IPv6."""
    with contextlib.suppress(ValueError):
        parsed = ip_address(address)
        mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
        return str(mapped or parsed)
    return address


def _numeric(host: str) -> frozenset[str]:
    """Return the address that is written as a number, without any look-up; none for a name."""
    try:
        return look_up(host, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return frozenset()


async def _in_thread(host: str, lookup: Lookup) -> frozenset[str]:
    """Look a host up in a thread of its own.

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
