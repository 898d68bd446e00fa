"""How bytes get to a switch and back: what a session needs of a transport, and no more.

Dialects never know which transport there is; the composition root picks it.
"""

from __future__ import annotations

from typing import Protocol

COLUMNS = 511
"""The terminal's width we claim, so that nothing wraps what we send (IOS's own maximum is 512)."""

ROWS = 24

READ = 65536
"""Bytes taken at once; also the flow-control limit of the stream, in both directions."""

OPTIONS = frozenset({"ssh_legacy"})
"""What a switch of any dialect may be registered with, for the way to it: ``ssh_legacy``, whether
its SSH is so old that it knows no algorithms that are still good."""


class Transport(Protocol):
    """An open connection to a switch's command line."""

    async def read(self) -> bytes:
        """Wait for some bytes; empty at the end of the connection."""
        ...

    def write(self, data: bytes) -> None:
        """Send some bytes. Lines end in CR LF, of which the wire gets what it wants."""
        ...

    async def close(self) -> None:
        """Drop the connection. Never raises."""
        ...
