"""Maps what is known of a connection to a HaaS user and a role.

Every method runs in the transaction of the look-up, for every call: a user who was deleted or lost
a right is out at once, whatever connections it has.
"""

from __future__ import annotations

import os

from haas_rpcd.auth import peer as os_users
from haas_rpcd.auth.caller import Caller
from haas_rpcd.auth.peer import Peer
from haas_rpcd.errors import DeniedError
from haas_rpcd.store import users
from haas_rpcd.store.database import Tx


class Authenticator:
    """Root, the daemon's own user and the members of ``admin_group`` are admins.

    Any other OS user is the HaaS user of the same name, if there is one.
    """

    def __init__(self, admin_group: str | None = None) -> None:
        self._admin_group = admin_group

    def of_peer(self, tx: Tx, peer: Peer) -> Caller:
        """Authenticate a local peer. Raises DeniedError, UnavailableError."""
        name = os_users.os_user(peer.uid)
        if self._is_os_admin(peer.uid, peer.groups):
            return Caller(user=name or str(peer.uid), admin=True)
        user = users.find(tx, name) if name else None
        if user is None:
            raise DeniedError(
                f"The OS user {name or peer.uid} is not a HaaS user: an admin lets it in with"
                f"  user create {name or 'NAME'}"
            )
        return Caller(user=user.name, admin=user.admin)

    def _is_os_admin(self, uid: int, groups: frozenset[int]) -> bool:
        if uid in (0, os.getuid()):
            return True
        return self._admin_group is not None and os_users.group_id(self._admin_group) in groups
