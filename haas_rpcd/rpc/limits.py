"""How much one caller may have of the daemon at a time."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from haas_rpcd.auth import Caller
from haas_rpcd.errors import HaasError, LimitedError

MAX_DEPTH = 32
"""Arrays and objects within each other in one message."""

FIRST_REQUEST = 20.0
"""Seconds from connecting to the end of the first request's headers."""

IDLE = 75.0
"""Seconds after an answer until a connection without another request is closed."""

WRITE = 120.0
"""Seconds for a client to take one answer."""

RESERVED_FILES = 256
"""Descriptors kept for the database, the log, and the sessions with devices."""

WANTED_FILES = 65536
"""The limit of descriptors that the daemon asks for at its start, if it may."""

ADMIN_ROOM = 64
"""Connections that only admins may take."""

STRANGER_ROOM = 64
"""Connections that all unknown OS users together may take."""


@dataclass(frozen=True)
class Limits:
    """What one caller may have. ``body``: seconds for one request's body."""

    connections: int
    message: int
    """Bytes in one request."""
    answer: int
    """Bytes in one answer, or in the answers to a batch. A site file of 10,000 nodes has 3 MB."""
    held: int
    """Bytes of its requests and answers that the daemon holds at a time."""
    calls: int
    """Messages that are being answered."""
    body: float


STRANGER = Limits(connections=8, message=2**16, answer=2**18, held=2**20, calls=8, body=5.0)
USER = Limits(connections=64, message=2**20, answer=2**23, held=2**26, calls=256, body=60.0)
ADMIN = Limits(connections=512, message=2**24, answer=2**24, held=2**28, calls=2048, body=120.0)


def limits_of(caller: Caller | HaasError) -> Limits:
    """Return the limits of a caller, or of one that was not let in."""
    if isinstance(caller, HaasError):
        return STRANGER
    return ADMIN if caller.admin else USER


def raise_file_limit() -> int:
    """Raise the limit of open files as far as this process may; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return WANTED_FILES if soft == resource.RLIM_INFINITY else soft


class Account:
    """What one caller has at the moment."""

    def __init__(self) -> None:
        self.connections = 0
        self.held = 0
        self.calls = 0

    @property
    def idle(self) -> bool:
        """True if nothing of it is left."""
        return not (self.connections or self.held or self.calls)

    @contextmanager
    def call(self, limits: Limits) -> Iterator[None]:
        """Count one message while it is being answered. Raises LimitedError."""
        if self.calls >= limits.calls:
            raise LimitedError(
                f"You have {self.calls} requests under way, which is the limit: wait for some of"
                " their answers."
            )
        self.calls += 1
        try:
            yield
        finally:
            self.calls -= 1

    def hold(self, size: int, limits: Limits) -> None:
        """Count bytes that the daemon keeps for the caller. Raises LimitedError."""
        if self.held + size > limits.held:
            raise LimitedError(
                f"Your requests and their answers would take more than {limits.held // 2**20} MB:"
                " wait for some of the answers, and read them."
            )
        self.held += size

    def release(self, size: int) -> None:
        """Count bytes that are gone."""
        self.held -= size


class Accounts:
    """The accounts of all callers who have something at the moment."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[Account]:
        """Return a caller's account; it is forgotten once nothing of it is left."""
        account = self._accounts.setdefault(name, Account())
        try:
            yield account
        finally:
            if account.idle and self._accounts.get(name) is account:
                del self._accounts[name]
