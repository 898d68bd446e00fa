"""The lock beside the Unix socket: one daemon serves it at a time."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from typing import IO


class SocketError(Exception):
    """The socket cannot be served: another daemon serves it, or its folder does not exist."""


def take_lock(socket: Path) -> IO[str]:
    """Hold a lock file beside the socket: asyncio replaces even a socket that is in use.

    The folder may be one that others can write in, such as /tmp: a link is not followed, and
    what is there already is neither emptied nor somebody else's. Raises SocketError.
    """
    path = f"{socket}.lock"
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        lock = os.fdopen(number, "w")
    except OSError as error:
        raise SocketError(
            f"{socket} can't be served ({error.strerror}): check that its folder exists"
            " and that haas-rpcd may write there."
        ) from None
    found = os.fstat(lock.fileno())
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        lock.close()
        raise SocketError(
            f"{path} belongs to somebody else: put the socket in a folder of the daemon's own."
        )
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise SocketError(
            f"Another haas-rpcd serves {socket}: stop that one, or name another socket"
            " with --socket PATH."
        ) from None
    return lock
