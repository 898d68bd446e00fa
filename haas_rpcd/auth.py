"""Who is calling: peer credentials of the Unix socket to a HaaS user and a role.

The kernel vouches for the peer's uid (SO_PEERCRED, unix(7)); root and the daemon's own user are
admins, every other OS user is the HaaS user of the same name, and nobody else gets in.
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
    """Somebody who was let in."""

    user: str
    admin: bool


DAEMON = Caller(user="haas-rpcd", admin=True)
"""The daemon itself, for what it does on its own account (picking up jobs after a restart)."""


def peer_uid(sock: socket.socket) -> int:
    """Give the uid of the process at the other end of a Unix socket."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", raw)
    return int(uid)


def os_user(uid: int) -> str:
    """Name an OS user; empty for a uid without a name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def caller_of_uid(tx: Tx, uid: int) -> Caller:
    """Let a local peer in, or raise DeniedError.

    Looked up for every call, not once a connection: a user that is deleted is out at once.
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
