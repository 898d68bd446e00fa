"""Copies of the database: made while it is in use, and checked before they count."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from sqlite_utils import Database

from haas_rpcd.store.schema import migrations


def write_copy(source: sqlite3.Connection, target: Path) -> None:
    """Copy an open database to a file, check the copy, and only then give it its name.

    The copy is one consistent state; writers do not wait for it. A file of that name is replaced.
    Raises sqlite3.Error, OSError; no file of that name is left half-written then.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with contextlib.closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whoever opens it
            check_pages(str(target), copy, thoroughly=True)
        _sync(part)
        part.replace(target)
        _sync(target.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def check_pages(path: str, connection: sqlite3.Connection, *, thoroughly: bool = False) -> None:
    """Raise sqlite3.DatabaseError if pages are damaged; ``thoroughly``: or indexes or keys."""
    check = "integrity_check" if thoroughly else "quick_check"
    try:
        (found,) = connection.execute(f"PRAGMA {check}(1)").fetchone()
        if thoroughly and connection.execute("PRAGMA foreign_key_check").fetchone():
            found = "a row refers to one that does not exist"
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        found = " ".join(found.splitlines()[-1:])  # the first lines name the database
        raise sqlite3.DatabaseError(
            f"{path} is damaged ({found}): put a backup in its place with  haas-rpcd restore FILE"
        )


def refuse_newer(path: str, connection: sqlite3.Connection) -> None:
    """Raise if a newer daemon has migrated the database: this one would misread its tables."""
    if newer := ", ".join(name for name in _applied(connection) if name not in _known()):
        raise sqlite3.DatabaseError(
            f"{path} was migrated by a newer haas-rpcd ({newer}): install that one, or put"
            " the backup from before its upgrade in place."
        )


def keep_before_upgrade(path: str, connection: sqlite3.Connection) -> Path | None:
    """Copy a database that is about to be migrated to a file beside it; return that file.

    A new database, or one that needs no migration, is not copied. Raises sqlite3.Error, OSError.
    """
    applied = _applied(connection)
    if not applied or len(applied) == len(_known()):
        return None
    kept = Path(f"{path}.before-{_known()[len(applied)]}")
    write_copy(connection, kept)
    return kept


def _applied(connection: sqlite3.Connection) -> list[str]:
    return [each.name for each in migrations.applied(Database(connection))]


def _known() -> list[str]:
    return [each.name for each in migrations.pending(Database(memory=True))]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
