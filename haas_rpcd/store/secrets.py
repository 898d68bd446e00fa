"""The daemon's own secrets."""

from __future__ import annotations

from haas_rpcd.store.database import Tx


def sealing_key(tx: Tx) -> bytes:
    """Return the key that seals page cursors: 32 random bytes, made with the database."""
    found = tx.value(str, "SELECT hex(key) FROM sealing_key")
    return bytes.fromhex(found or "")
