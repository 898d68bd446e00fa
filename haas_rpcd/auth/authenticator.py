"""Maps what is known of a connection to a HaaS user and a role.

Every method runs in the transaction of the look-up, for every call: a user who was deleted or lost
a right is out at once, whatever connections it has.
"""

from __future__ import annotations

import os
import time

from haas_rpcd.auth import peer as os_users
from haas_rpcd.auth.caller import Bound, Caller
from haas_rpcd.auth.peer import Peer
from haas_rpcd.errors import DeniedError
from haas_rpcd.store import tokens, users
from haas_rpcd.store.database import Tx
from haas_rpcd.store.tokens import TokenRow

INVALID = "The token is not valid: it is wrong, was revoked, or has expired. Ask for another one."


class Authenticator:
    """Root, the daemon's own user and the members of ``admin_group`` are admins.

    Any other OS user is the HaaS user of the same name, if there is one.
    """

    def __init__(self, admin_group: str | None = None) -> None:
        self._admin_group = admin_group

    def is_quick(self, peer: Peer) -> bool:
        """Return whether :meth:`of_peer` asks the database only, not the system."""
        return self._admin_group is None and os_users.is_at_hand(peer.uid)

    def of_peer(self, tx: Tx, peer: Peer) -> Caller:
        """Authenticate a local peer. Raises DeniedError, UnavailableError."""
        name, via = os_users.os_user(peer.uid), f"socket, uid {peer.uid}"
        if self._is_os_admin(peer.uid, peer.groups):
            return Caller(user=name or str(peer.uid), admin=True, via=via, by_system=True)
        user = users.find(tx, name) if name else None
        if user is None:
            raise DeniedError(
                f"The OS user {name or peer.uid} is not a HaaS user: an admin lets it in with"
                f"  user create {name or 'NAME'}"
            )
        return Caller(user=user.name, admin=user.admin, via=via)

    def of_token(self, tx: Tx, digest: bytes) -> Caller:
        """Authenticate by the hash of a token. Raises DeniedError, UnavailableError.

        All that is wrong gives the same answer.
        """
        token = tokens.by_hash(tx, digest, time.time())
        if token is None:
            raise DeniedError(INVALID)
        admin = self.is_admin(tx, token.user)
        if admin is None:
            raise DeniedError(INVALID)
        bound = None
        if token.project_id is not None:
            bound = _bound(tx, token, token.project_id, admin)
        return Caller(
            user=token.user,
            admin=admin and bound is None,
            via=f"token {token.label}",
            readonly=token.readonly,
            bound=bound,
            token_id=token.id,
            expires=token.expires,
        )

    def is_admin(self, tx: Tx, user: str) -> bool | None:
        """Return True for an admin, False for another HaaS user, and None for anybody else.

        An OS user who is no HaaS user is asked for again each time: it may have left the group.
        """
        row = users.find(tx, user)
        if row is not None:
            return row.admin
        known = os_users.groups_of(user)
        return True if known is not None and self._is_os_admin(*known) else None

    def _is_os_admin(self, uid: int, groups: frozenset[int]) -> bool:
        if uid in (0, os.getuid()):
            return True
        return self._admin_group is not None and os_users.group_id(self._admin_group) in groups


def _bound(tx: Tx, token: TokenRow, project_id: int, admin: bool) -> Bound:
    """Return what a token that is for one project may do there. Raises DeniedError."""
    if admin:
        return Bound(project_id, "owner")
    for row in users.memberships(tx, token.user):
        if row.project_id == project_id:
            return Bound(project_id, row.role)
    raise DeniedError(INVALID)  # its user is not a member any more
