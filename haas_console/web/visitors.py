"""Who has logged in from a browser: a token of the daemon for each cookie, in memory only."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_console.core.errors import DeniedError

LIFETIME = 12 * 3600.0
"""Seconds after which a visitor has to log in again."""

_MOST = 1000
"""Visitors; beyond them, who came first has to log in again."""

TERMINALS = 64
"""Consoles that run at the same time; each is a process of some 60 MB."""

TERMINALS_EACH = 8
"""Consoles of one user."""


WRONG_TOKENS = 10
"""Wrong tokens that one address may give within a minute.

The daemon limits them by address too, and for it all of them come from here.
"""

_MINUTE = 60.0


@dataclass
class Visitor:
    """A browser that has logged in. ``until`` is in seconds of the monotonic clock."""

    token: str = field(repr=False)
    user: str
    until: float


class Visitors:
    """All visitors, by their cookies, and the consoles that they have open."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._known: dict[str, Visitor] = {}
        self._open: dict[str, int] = {}
        self._wrong: dict[str, list[float]] = {}

    def may_try(self, address: str) -> bool:
        """Return False if too many wrong tokens came from an address."""
        since = time.monotonic() - _MINUTE
        recent = {key: [at for at in times if at > since] for key, times in self._wrong.items()}
        self._wrong = {key: times for key, times in recent.items() if times}
        return len(self._wrong.get(address, ())) < WRONG_TOKENS

    async def user_of(self, token: str, address: str) -> str:
        """Ask the daemon whose token this is. Raises DeniedError, NoDaemonError."""
        try:
            return await self._ask(token)
        except DeniedError:
            self._wrong.setdefault(address, []).append(time.monotonic())
            raise

    async def _ask(self, token: str) -> str:
        client = await Client.connect(self._endpoint, token=token)
        try:
            return str((await client.call("system.info"))["user"])
        finally:
            await client.close()

    async def log_in(self, token: str, address: str) -> str:
        """Let a visitor in; return the cookie. Raises DeniedError, NoDaemonError."""
        user = await self.user_of(token, address)
        self._forget_old()
        cookie = secrets.token_urlsafe(32)
        self._known[cookie] = Visitor(token, user, time.monotonic() + LIFETIME)
        return cookie

    def log_out(self, cookie: str) -> None:
        """Forget a visitor."""
        self._known.pop(cookie, None)

    def find(self, cookie: str) -> Visitor | None:
        """Return the visitor with this cookie, if it is known and has not expired."""
        visitor = self._known.get(cookie)
        return visitor if visitor is not None and visitor.until > time.monotonic() else None

    def _forget_old(self) -> None:
        now = time.monotonic()
        self._known = {key: each for key, each in self._known.items() if each.until > now}
        while len(self._known) >= _MOST:
            self._known.pop(next(iter(self._known)))

    # --- consoles ---

    def begin(self, user: str) -> bool:
        """Count a console that opens; return False if there are too many."""
        if sum(self._open.values()) >= TERMINALS or self._open.get(user, 0) >= TERMINALS_EACH:
            return False
        self._open[user] = self._open.get(user, 0) + 1
        return True

    def end(self, user: str) -> None:
        """Count a console that has closed."""
        self._open[user] -= 1
        if not self._open[user]:
            del self._open[user]
