"""Reads the database beside a running daemon, without its lock and without migrating it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from sqlite_utils import Database

from haas_rpcd.store.database import Tx
from haas_rpcd.store.schema import migrations

T = TypeVar("T")

__all__ = ["Tx", "read"]


def read(path: str, function: Callable[[Tx], T]) -> T:
    """Run ``function(tx)``, which must not write, on one consistent state of the database file.

    Raises FileNotFoundError, and sqlite3.Error, also if the database was migrated by another
    release than this one.
    """
    if not Path(path).exists():
        raise FileNotFoundError(path)
    url = f"file:{quote(str(Path(path).absolute()))}?mode=ro"
    with closing(sqlite3.connect(url, uri=True, timeout=10.0, isolation_level=None)) as connection:
        known = {each.name for each in migrations.pending(Database(memory=True))}
        applied = {each.name for each in migrations.applied(Database(connection))}
        if known != applied:
            age = "a newer" if applied - known else "an older"
            raise sqlite3.DatabaseError(f"it is of {age} haas-rpcd than this one")
        connection.execute("BEGIN")
        return function(Tx(connection))
