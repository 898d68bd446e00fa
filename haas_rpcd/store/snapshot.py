"""Reads the database beside a running daemon, without its lock and without migrating it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from haas_rpcd.store.copies import applied_migrations, known_migrations, open_to_read
from haas_rpcd.store.database import Tx

T = TypeVar("T")

__all__ = ["Tx", "read"]


def read(path: str, function: Callable[[Tx], T]) -> T:
    """Run ``function(tx)``, which must not write, on one consistent state of the database file.

    Raises FileNotFoundError, and sqlite3.Error, also if the database was migrated by another
    release than this one.
    """
    if not Path(path).exists():
        raise FileNotFoundError(path)
    with closing(open_to_read(Path(path))) as connection:
        known, applied = set(known_migrations()), set(applied_migrations(connection))
        if known != applied:
            age = "a newer" if applied - known else "an older"
            raise sqlite3.DatabaseError(f"it is of {age} haas-rpcd than this one")
        connection.execute("BEGIN")
        return function(Tx(connection))
