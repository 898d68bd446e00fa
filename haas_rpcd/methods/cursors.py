"""Seals the ``next`` of lists that are ordered by a number that would count what others do.

A cursor is the number, enciphered with a keyed hash of itself, which also shows whether it is one
of ours. The key is in the database, so cursors outlive a restart.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from haas_rpcd.errors import InvalidParamsError
from haas_rpcd.store import secrets
from haas_rpcd.store.database import Tx

_TAG = 12
"""Bytes that identify a cursor as ours, and from which its number is deciphered."""


def seal(tx: Tx, number: int) -> str:
    """Return the cursor of a number."""
    key, plain = secrets.sealing_key(tx), number.to_bytes(8, "big")
    tag = hashlib.blake2b(plain, key=key, digest_size=_TAG).digest()
    return base64.urlsafe_b64encode(tag + _mask(key, tag, plain)).decode().rstrip("=")


def unseal(tx: Tx, cursor: str | None, default: int = 0) -> int:
    """Return the number of a cursor, or the default for None. Raises InvalidParamsError."""
    if cursor is None:
        return default
    key = secrets.sealing_key(tx)
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    tag, plain = raw[:_TAG], _mask(key, raw[:_TAG], raw[_TAG:])
    right = hashlib.blake2b(plain, key=key, digest_size=_TAG).digest()
    if len(raw) != _TAG + 8 or not hmac.compare_digest(tag, right):
        raise InvalidParamsError(
            "after: must be the `next` of the page before this one.", field="after"
        )
    return int.from_bytes(plain, "big")


def _mask(key: bytes, tag: bytes, text: bytes) -> bytes:
    stream = hashlib.blake2b(tag, key=key, person=b"cursor", digest_size=64).digest()
    return bytes(one ^ other for one, other in zip(text, stream, strict=False))
