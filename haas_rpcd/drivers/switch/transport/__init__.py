"""The transport of bytes to a switch and back, as a session needs it.

Dialects do not know the transport. The factory chooses it by the switch's registration.
"""

from __future__ import annotations

from typing import Protocol

from haas_rpcd import patience
from haas_rpcd.errors import DeviceError
from haas_rpcd.hostnames import Lookup, look_up, look_up_apart, numeric

COLUMNS = 510
"""The terminal width that we announce, so that lines are not wrapped (IOS allows up to 512).

Not 511: it is sent with a byte 255, which telnet escapes, and busybox telnetd misreads that."""

ROWS = 24

READ = 16384
"""Maximum bytes per read: so much is taken apart before others get a turn."""

OPTIONS = frozenset({"ssh_legacy"})
"""Transport options of any switch. ``ssh_legacy``: true if its SSH is so old that it only knows
broken algorithms."""


class Transport(Protocol):
    """An open connection to a switch's command line."""

    async def read(self) -> bytes:
        """Wait for bytes; return b"" once the connection is closed."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes. Pass lines ending in CR LF; each transport converts to its own ending."""
        ...

    async def close(self) -> None:
        """Close the connection. Raises nothing but the caller's own cancellation."""
        ...

    async def abort(self) -> None:
        """Reset the connection: what was written and did not arrive is not sent again."""
        ...


async def resolve(device: str, host: str, timeout: float, lookup: Lookup = look_up) -> None:
    """Look a switch's name up, before the time of its connection begins.

    Raises DeviceError ``unreachable`` if no name server answers within ``timeout`` seconds. A name
    that does not exist is for the connection to find out.
    """
    if numeric(host):
        return
    try:
        async with patience.timeout(timeout):
            await look_up_apart(host, lookup)
    except TimeoutError:
        raise DeviceError(
            f"{device} can't be reached: no name server answered for {host} within {timeout:g} s."
            " Check the master's name servers, or register the switch with its IP address.",
            reason="unreachable",
        ) from None


def no_answer(device: str, host: str, port: int, timeout: float) -> DeviceError:
    """Return the error for a TCP connection that was not established in time."""
    return DeviceError(
        f"{device} does not answer on {host} port {port} within {timeout:g} s: check its power, its"
        " cabling and the address it is registered with.",
        reason="unreachable",
    )


def unreachable(device: str, host: str, port: int, why: str, service: str) -> DeviceError:
    """Return the error for a connection that failed."""
    return DeviceError(
        f"{device} can't be reached on {host} port {port} ({why}): check its address and that its"
        f" {service} is on.",
        reason="unreachable",
    )
