"""OS users and their groups: those of a Unix socket's peer, and those that the system knows."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
import time

import msgspec

from haas_rpcd.errors import UnavailableError

SO_PEERGROUPS = 59
"""From asm-generic/socket.h; Python's socket module does not define it."""

_FRESH = 60.0
"""Seconds for which a name is kept."""

_MOST_NAMES = 10_000

_names: dict[int, tuple[str, float]] = {}
"""The names that were looked up, and until when each is kept."""

_MOST = 1024
"""Bytes that Python's getsockopt can receive: 256 groups."""


class Peer(msgspec.Struct, frozen=True):
    """The process at the other end of a Unix socket, as the kernel recorded it at connect(2)."""

    uid: int
    groups: frozenset[int]
    """Its group and its supplementary groups."""


def peer_of(sock: socket.socket) -> Peer:
    """Return who is at the other end of a Unix socket: SO_PEERCRED and SO_PEERGROUPS, unix(7)."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, gid = struct.unpack("3i", raw)
    return Peer(int(uid), frozenset({gid, *_supplementary(sock, uid, gid)}))


def _supplementary(sock: socket.socket, uid: int, gid: int) -> list[int]:
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, _MOST)
    except OSError:  # more than 256 groups, or a kernel older than 4.13: ask the system instead
        name = os_user(uid)
        return os.getgrouplist(name, gid) if name else []
    return list(struct.unpack(f"{len(raw) // 4}I", raw))


def os_user(uid: int) -> str:
    """Return the name of an OS user, or "" for a uid without one. Raises UnavailableError.

    A name is looked up once a minute: a directory server may take long, and opens files.
    """
    if (known := _names.get(uid)) is not None and time.monotonic() < known[1]:
        return known[0]
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        _check_lookups()
        return ""
    if len(_names) >= _MOST_NAMES:
        _names.clear()
    _names[uid] = name, time.monotonic() + _FRESH
    return name


def is_at_hand(uid: int) -> bool:
    """Return whether :func:`os_user` has this user's name without a look-up."""
    known = _names.get(uid)
    return known is not None and time.monotonic() < known[1]


def groups_of(name: str) -> tuple[int, frozenset[int]] | None:
    """Return the uid and the groups of an OS user; None if there is none of this name."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        _check_lookups()
        return None
    return user.pw_uid, frozenset(os.getgrouplist(name, user.pw_gid))


def group_id(name: str) -> int | None:
    """Return the id of an OS group; None if there is none of this name."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        _check_lookups()
        return None


def _check_lookups() -> None:
    """Raise UnavailableError if the system's look-ups fail: Python reports that as a KeyError too.

    They need a file descriptor, for example.
    """
    try:
        pwd.getpwuid(0)
    except KeyError:
        raise UnavailableError(
            "The users of this system cannot be looked up at the moment: try again."
        ) from None
