"""Copies of the database: made while it is in use, and checked before they count."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import msgspec


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


class Contents(msgspec.Struct, frozen=True):
    """How much is in a database."""

    projects: int
    nodes: int
    switches: int
    jobs: int


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a database that is not to be changed. Raises sqlite3.Error, also if there is none."""
    if not path.is_file():
        raise sqlite3.OperationalError(f"There is no database {path}.")
    url = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(url, uri=True, timeout=10.0, isolation_level=None)


def contents(connection: sqlite3.Connection) -> Contents:
    """Count what is in a database. Raises sqlite3.Error if it is none of HaaS's."""
    counts = {
        field: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for field, table in _TABLES.items()
    }
    return Contents(**counts)


_TABLES = {"projects": "project", "nodes": "node", "switches": "switch", "jobs": "job"}


def describe(found: Contents) -> str:
    """``3 projects, 40 nodes, 1 switch, 120 jobs``."""
    counts = msgspec.structs.asdict(found)
    return ", ".join(f"{n} {_TABLES[noun] if n == 1 else noun}" for noun, n in counts.items())


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
    if newer := ", ".join(
        name for name in applied_migrations(connection) if name not in known_migrations()
    ):
        raise sqlite3.DatabaseError(
            f"{path} was migrated by a newer haas-rpcd ({newer}): install that one, or put"
            " the backup from before its upgrade in place."
        )


def keep_before_upgrade(path: str, connection: sqlite3.Connection) -> Path | None:
    """Copy a database that is about to be migrated to a file beside it; return that file.

    A new database, or one that needs no migration, is not copied. Raises sqlite3.Error, OSError.
    """
    applied = applied_migrations(connection)
    if not applied or len(applied) == len(known_migrations()):
        return None
    kept = Path(f"{path}.before-{known_migrations()[len(applied)]}")
    write_copy(connection, kept)
    return kept


def mark_restored(path: Path) -> None:
    """Mark a database as one that may not be what the devices have. Raises sqlite3.Error."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 1")  # SQLite keeps this number for applications


def applied_migrations(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the migrations that a database has had."""
    from sqlite_utils import Database  # 60 ms, which only some programs need

    from haas_rpcd.store.schema import migrations

    return [each.name for each in migrations.applied(Database(connection))]


def known_migrations() -> list[str]:
    """Return the names of the migrations of this release."""
    from sqlite_utils import Database

    from haas_rpcd.store.schema import migrations

    return [each.name for each in migrations.pending(Database(memory=True))]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
