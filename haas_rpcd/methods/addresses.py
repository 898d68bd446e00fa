"""Looks up the addresses of switches, as one switch may be registered only once.

``localhost``, ``127.1``, ``127.0.0.1`` and a second DNS name lead to one machine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping

from haas_rpcd.hostnames import Lookup, look_up, look_up_apart, numeric

TIMEOUT = 3.0
"""Seconds in which all names must be resolved. One that takes longer counts as unresolved."""

AT_ONCE = 32
"""Number of names that are looked up at the same time."""


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


async def resolve(
    hosts: Iterable[str], *, lookup: Lookup = look_up, timeout: float = TIMEOUT
) -> Addresses:
    """Look up hosts. A host that cannot be resolved, or not in time, is no error."""
    found = {host: numeric(host) for host in hosts}
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(host: str) -> None:
        async with at_once:
            found[host] = await look_up_apart(host, lookup)

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout), asyncio.TaskGroup() as group:
            for name in [host for host, addresses in found.items() if not addresses]:
                group.create_task(one(name))
    return Addresses(found)
