"""The system's certificate authorities: read when a connection wants them, and not before."""

from __future__ import annotations

import contextlib
import ssl
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def authorities_unread() -> Iterator[None]:
    """Import aiohttp within the block: it reads all authorities twice as it is imported.

    That is 26 ms each time, for TLS connections that bring no context of their own (aiohttp 3.14,
    connector.py, ``_make_ssl_context``). Ours bring theirs, and most are no TLS at all. Whoever
    relied on aiohttp's own would find that it trusts nobody.
    """
    if "aiohttp" in sys.modules:
        yield
        return
    ssl.SSLContext.set_default_verify_paths = lambda self: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths  # what it hides is _ssl._SSLContext's


def context(ca_file: str | None) -> ssl.SSLContext:
    """Trust the authority in a PEM file, or those that the system knows. Raises OSError."""
    return ssl.create_default_context(cafile=ca_file)
