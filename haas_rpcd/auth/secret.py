"""The secret that is a bearer token: how it is made, recognized and hashed."""

from __future__ import annotations

import hashlib
import re
import secrets

PREFIX = "haas_"
"""Tells people, and programs that look for leaked secrets, what it is."""

_BYTES = 32

_HEADER = re.compile(rf"bearer +({PREFIX}[A-Za-z0-9_-]{{43}}) *", re.IGNORECASE)


def new_secret() -> str:
    """Make a token of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def digest_of(secret: str) -> bytes:
    """Return the hash by which a token is stored and found.

    A plain hash is enough, as nobody can guess 256 random bits. Looking it up needs no constant
    time: what a caller can choose is not the hash.
    """
    return hashlib.sha256(secret.encode()).digest()


def digest_in(header: str) -> bytes | None:
    """Return the hash of the token in an Authorization header (RFC 6750); None if none fits."""
    found = _HEADER.fullmatch(header)
    return digest_of(found[1]) if found else None
