"""Maps the peer credentials of the Unix socket to a HaaS user and a role.

The kernel guarantees the peer's uid (SO_PEERCRED, unix(7)). Root and the daemon's own user are
admins; any other OS user is the HaaS user of the same name, if there is one.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct

import msgspec

from haas_rpcd.errors import DeniedError
from haas_rpcd.store import users
from haas_rpcd.store.database import Tx


class Caller(msgspec.Struct, frozen=True):
    """An authenticated user."""

    user: str
    admin: bool


DAEMON = Caller(user="haas-rpcd", admin=True)
"""The daemon itself, for jobs that it starts on its own."""


def peer_uid(sock: socket.socket) -> int:
    """Return the uid of the process at the other end of a Unix socket."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", raw)
    return int(uid)


def os_user(uid: int) -> str:
    """Return the name of an OS user, or "" for a uid without one."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def caller_of_uid(tx: Tx, uid: int) -> Caller:
    """Authenticate a local peer. Raises DeniedError.

    Call it for every call, not once per connection, so that a deleted user loses access at once.
    """
    name = os_user(uid)
    if uid in (0, os.getuid()):
        return Caller(user=name or str(uid), admin=True)
    user = users.find(tx, name) if name else None
    if user is None:
        raise DeniedError(
            f"The OS user {name or uid} is not a HaaS user: an admin lets it in with"
            f"  user create {name or 'NAME'}"
        )
    return Caller(user=user.name, admin=user.admin)
