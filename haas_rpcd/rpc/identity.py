"""Who sends the requests of a connection: an OS user on the Unix socket, or a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from haas_rpcd.auth import Authenticator, BearerTokens, Caller, Peer
from haas_rpcd.auth.peer import os_user
from haas_rpcd.errors import DeniedError, HaasError, LimitedError, UnavailableError
from haas_rpcd.store.database import Store
from haas_rpcd.store.turns import on_behalf_of


class Identity(Protocol):
    """What a request says of its sender."""

    @property
    def by_token(self) -> bool:
        """True if it came with a token, or needs one."""
        ...

    @property
    def stranger(self) -> tuple[str, str]:
        """What is known of somebody who is not let in: a name, if any, and the way in."""
        ...

    async def caller(self) -> Caller | HaasError:
        """Return who it is now, or why it may not come in. Ask for each call anew."""
        ...


@dataclass(frozen=True)
class LocalPeer:
    """An OS user, as the kernel knows it."""

    peer: Peer
    store: Store
    authenticator: Authenticator
    by_token: bool = False

    @property
    def stranger(self) -> tuple[str, str]:
        """See :class:`Identity`."""
        return os_user(self.peer.uid) or str(self.peer.uid), f"socket, uid {self.peer.uid}"

    async def caller(self) -> Caller | HaasError:
        """See :class:`Identity`."""
        try:
            with on_behalf_of(f"uid {self.peer.uid}"):
                quick = self.authenticator.is_quick(self.peer)
                look = self.store.glance if quick else self.store.read
                return await look(self.authenticator.of_peer, self.peer)
        except (DeniedError, UnavailableError) as error:
            return error


@dataclass(frozen=True)
class TokenBearer:
    """Whoever holds the token in an Authorization header. ``key``: where it comes from."""

    header: str | None
    key: str
    address: str
    tokens: BearerTokens
    by_token: bool = True

    @property
    def stranger(self) -> tuple[str, str]:
        """See :class:`Identity`."""
        return "", f"token, from {self.address}"

    def __repr__(self) -> str:
        return f"TokenBearer({self.address})"  # without the token

    async def caller(self) -> Caller | HaasError:
        """See :class:`Identity`."""
        try:
            with on_behalf_of(self.key):
                return await self.tokens.caller(self.header, self.address)
        except (DeniedError, LimitedError, UnavailableError) as error:
            return error
