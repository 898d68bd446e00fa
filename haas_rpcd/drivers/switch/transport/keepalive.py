"""What the kernel does with a silent connection (tcp(7), socket(7))."""

from __future__ import annotations

import contextlib
import socket
import struct

PROBES = 3
"""Unanswered probes after which a connection counts as lost."""


def keep_alive(sock: socket.socket, seconds: float) -> None:
    """Probe the connection after this many seconds of silence; with 0, never.

    The probes also keep firewalls on the path from dropping the state of an idle session.
    """
    if not seconds:
        return
    every = max(1, round(seconds))
    with contextlib.suppress(OSError):  # it was closed at once: the next read says so
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, every)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, every // PROBES))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)


def reset_on_close(sock: socket.socket | None) -> None:
    """Let the connection be reset when it is closed.

    Otherwise the kernel sends what did not arrive again and again, for minutes after the close: a
    line would reach the switch when everybody has forgotten it.
    """
    with contextlib.suppress(OSError):  # it is closed already
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
