"""Limits and logs failed attempts to come in with a token, per address."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address

log = logging.getLogger(__name__)

LIMIT = 10
"""Failed attempts from one address within :data:`WINDOW`; then it is refused unheard."""

WINDOW = 60.0
"""Seconds."""

_ADDRESSES = 10_000
"""How many addresses are remembered."""

_KNOWN = 1_000
"""How many good tokens are remembered."""


class Attempts:
    """Counts failed attempts.

    An address over the limit still gets in with a token that was good before: a stranger behind the
    same router must not lock out anybody.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """For each network, when its window began, and how many attempts failed since."""
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def wait(self, address: str, digest: bytes | None) -> float:
        """Return how many seconds an address has to wait before it is heard; 0 if it need not."""
        began, count = self._window(_network(address))
        if count < LIMIT or digest in self._good:
            return 0.0
        return max(0.0, began + WINDOW - self._clock())

    def failed(self, address: str, why: str) -> None:
        """Count a failed attempt, and log it."""
        network = _network(address)
        began, count = self._window(network)
        _put(self._failed, network, (began, count + 1), _ADDRESSES)
        log.warning("a token from %s was refused: %s", address, why)
        if count + 1 == LIMIT:
            left = began + WINDOW - self._clock()
            log.warning("%s is not heard for %.0f s: %d tokens were refused", network, left, LIMIT)

    def succeeded(self, digest: bytes) -> None:
        """Remember a token that is good."""
        _put(self._good, digest, None, _KNOWN)

    def _window(self, network: str) -> tuple[float, int]:
        began, count = self._failed.get(network, (0.0, 0))
        now = self._clock()
        return (began, count) if count and now < began + WINDOW else (now, 0)


def _put(table: OrderedDict, key: object, value: object, most: int) -> None:  # type: ignore[type-arg]
    table[key] = value
    table.move_to_end(key)
    while len(table) > most:
        table.popitem(last=False)


def _network(address: str) -> str:
    """Return what one party can be assumed to hold: an IPv4 address, or a /64 of IPv6."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return f"{parsed.exploded[:19]}::/64"
    return str(parsed)
