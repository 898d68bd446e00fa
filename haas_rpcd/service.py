"""The daemon as a service: it runs until a signal ends it, and tells systemd how it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket


async def until_stopped() -> None:
    """Wait for SIGTERM or SIGINT. Meanwhile systemd counts the daemon as ready."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    _notify_systemd("READY=1")
    await stopped.wait()
    _notify_systemd("STOPPING=1")


def _notify_systemd(state: str) -> None:
    """Send a state to systemd if it asked for that: sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with (
        contextlib.suppress(OSError),  # the socket is gone: systemd no longer listens
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
    ):
        notify.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        notify.sendall(state.encode())
