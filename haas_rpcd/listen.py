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


def is_loopback(host: str) -> bool:
    """Return True if a host is this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
