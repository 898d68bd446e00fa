"""Detect that the other end of a silent connection is gone, by the kernel's probes (tcp(7))."""

from __future__ import annotations

import socket

PROBES = 3
"""Unanswered probes after which a connection counts as lost."""


def keep_alive(sock: socket.socket, seconds: float) -> None:
    """Probe the connection after this many seconds of silence; with 0, never.

    The probes also keep firewalls on the path from dropping the state of an idle session.
    """
    if not seconds:
        return
    every = max(1, round(seconds))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, every)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, every // PROBES))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
