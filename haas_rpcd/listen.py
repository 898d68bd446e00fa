"""Where the daemon listens on TCP: the HOST:PORT of ``[server] listen``."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def listen_address(text: str) -> tuple[str, int]:
    """Split HOST:PORT; an IPv6 address is in brackets. Raises ValueError."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port is None or parts.path or parts.username is not None:
        raise ValueError(f'"{text}" is not HOST:PORT, e.g. 0.0.0.0:8443 or [::1]:8443')
    return parts.hostname, parts.port


_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, not listened on
"""The addresses that stand for all of the machine's."""


def overlap(one: str, other: str) -> bool:
    """Return whether two of HOST:PORT can't both be listened on. Raises ValueError."""
    (host, port), (other_host, other_port) = listen_address(one), listen_address(other)
    return 0 != port == other_port and bool(host == other_host or _EVERYWHERE & {host, other_host})


def is_loopback(host: str) -> bool:
    """Return True if a host is this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
