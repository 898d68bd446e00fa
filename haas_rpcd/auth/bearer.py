"""Lets callers in by the token in their Authorization header."""

from __future__ import annotations

import math
import time

from haas_rpcd.auth.attempts import Attempts
from haas_rpcd.auth.authenticator import INVALID, Authenticator
from haas_rpcd.auth.caller import Caller
from haas_rpcd.auth.secret import digest_in
from haas_rpcd.errors import DeniedError, LimitedError
from haas_rpcd.store import tokens
from haas_rpcd.store.database import Store

_EXACT = 60.0
"""Seconds: how exactly the last use of a token is stored. Each time is a write to the disk."""


class TooManyAttemptsError(LimitedError):
    """Too many tokens from this address were refused; ``seconds`` says how long to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"Too many tokens from this address were refused: try again in {math.ceil(seconds)} s."
        )
        self.seconds = seconds


class BearerTokens:
    """Checks tokens, for each call anew, and stores when each was last used."""

    def __init__(self, store: Store, authenticator: Authenticator) -> None:
        self._store = store
        self._authenticator = authenticator
        self._attempts = Attempts()
        self._used: dict[int, float] = {}

    async def caller(self, header: str | None, address: str) -> Caller:
        """Return who calls. Raises DeniedError, TooManyAttemptsError, UnavailableError."""
        digest = digest_in(header or "")
        if wait := self._attempts.wait(address, digest):
            raise TooManyAttemptsError(wait)
        if digest is None:
            self._attempts.failed(address, "there is none, or it has another form")
            raise DeniedError(
                "A token is needed here: send  Authorization: Bearer TOKEN  (token create LABEL)."
                if header is None
                else INVALID
            )
        try:
            caller = await self._store.read(self._authenticator.of_token, digest)
        except DeniedError:
            self._attempts.failed(address, "it is wrong, was revoked, or has expired")
            raise
        self._attempts.succeeded(digest)
        await self._note_use(caller)
        return caller

    async def _note_use(self, caller: Caller) -> None:
        token_id, now = caller.token_id, time.time()
        if token_id is None or abs(now - self._used.get(token_id, 0.0)) < _EXACT:
            return
        self._used[token_id] = now
        await self._store.note(tokens.used, token_id, now)
