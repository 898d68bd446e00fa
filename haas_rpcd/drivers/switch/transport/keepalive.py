"""Notice that the far end of a silent connection is gone, by the kernel's own probes (tcp(7))."""

from __future__ import annotations

import socket

PROBES = 3
"""Probes that may stay unanswered before a connection counts as lost."""


def keep_alive(sock: socket.socket, seconds: float) -> None:
    """Probe a connection that was silent for so many seconds; with 0, never.

    It also keeps the entries of firewalls on the way from ageing out under a warm session.
    """
    if not seconds:
        return
    every = max(1, round(seconds))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, every)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, every // PROBES))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
