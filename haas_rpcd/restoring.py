"""The subcommand ``restore``: puts a backup in the place of the database."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from haas_rpcd import streams
from haas_rpcd.config import ConfigError, Settings
from haas_rpcd.store.copies import (
    check_pages,
    contents,
    describe,
    mark_restored,
    open_to_read,
    refuse_newer,
    write_copy,
)
from haas_rpcd.store.guard import FileGuard
from haas_rpcd.store.revocations import Revoked, carry_over

DESCRIPTION = """\
Puts the backup FILE in the place of the database, while the daemon does not run. A database that
is there is kept beside it. Then every device is read. What differs from the backup is printed, and
counts from now on, so that no node or VLAN id is free that is in use. A device that can't be read
counts as in use, all of it, until it answers.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``haas-rpcd restore``."""
    parser.add_argument("file", metavar="FILE", help="a backup, or a database that was kept")
    parser.add_argument("--replace", action="store_true", help="put a database that is there aside")
    parser.add_argument(
        "--later",
        action="store_true",
        help="read the devices when the daemon starts, before it answers anybody",
    )


def main(settings: Settings, arguments: argparse.Namespace) -> int:
    """Restore a backup. Raises ConfigError, OSError, sqlite3.Error; nothing is changed then."""
    backup, database = Path(arguments.file), Path(settings.store.path)
    aside = put_in_place(backup, database, replace=arguments.replace, say=streams.say)
    if aside is not None:
        streams.say(f"The database that was there is kept in {aside}.")
    with contextlib.closing(open_to_read(database)) as restored:
        streams.say(f"{database} has what {backup} has: {describe(contents(restored))}.")
    if arguments.later:
        streams.say("The devices will be read when haas-rpcd starts.")
        return 0
    from haas_rpcd.daemon import real

    found = asyncio.run(real(settings).compare_restored())
    for sentence in found:
        print(sentence)  # noqa: T201
    streams.say(
        "What these lines say counts from now on: haas-rpcd can be started."
        if found
        else "The devices have what the backup has: haas-rpcd can be started."
    )
    return 0


def put_in_place(
    backup: Path, database: Path, *, replace: bool, say: Callable[[str], None] = streams.say
) -> Path | None:
    """Put a copy of a backup in the place of the database; return where that one is kept, if any.

    Who was removed, and what was revoked, since the backup stays so; ``say`` is told of it.

    Raises ConfigError if there is one and it is not to be replaced; OSError, sqlite3.Error.
    """
    with contextlib.closing(open_to_read(backup)) as source:
        _refuse_damaged(backup, source)
        _refuse_others(backup, source)
        refuse_newer(str(backup), source)
        guard = _guard(database)
        try:
            there = database.exists() and database.stat().st_size > 0
            if there and not replace:
                raise ConfigError(
                    f"{database} is there already: restore with --replace to put it aside."
                )
            restored = database.with_name(f"{database.name}.restored")
            write_copy(source, restored)
            mark_restored(restored)
            revoked = carry_over(restored, database if there else None)
            aside = _put_aside(database) if there else None
            restored.replace(database)
            _give_to_owner_of_folder(database)
        finally:
            guard.release()
    for sentence in _of_revoked(revoked):
        say(sentence)
    return aside


def _of_revoked(revoked: Revoked) -> Iterator[str]:
    """Yield what an admin should know of what stays revoked."""
    if not revoked.compared:
        yield (
            "What was revoked since the backup is not known, as there is no readable database from"
            " before: none of its tokens is good any more (token create makes new ones). Users and"
            " members are those of the backup: remove anew who was removed since (user list)."
        )
        return
    if revoked.users:
        yield (
            f"Deleted since the backup, and not let in again: {', '.join(revoked.users)}"
            "  (user create NAME)."
        )
    if revoked.reduced:
        yield (
            f"Lost rights since the backup, and do not get them back: {', '.join(revoked.reduced)}"
            "  (project add-member)."
        )
    if revoked.tokens:
        yield f"{revoked.tokens} tokens of the backup were revoked since, and stay so."


def _guard(database: Path) -> FileGuard:
    try:
        return FileGuard(str(database), restoring=True)
    except sqlite3.OperationalError as error:
        raise ConfigError(
            f"{database} can't be replaced ({error}): stop haas-rpcd first, and see that you may"
            " write there."
        ) from None


def _refuse_others(backup: Path, source: sqlite3.Connection) -> None:
    try:
        contents(source)
    except sqlite3.Error:
        raise ConfigError(f"{backup} is no backup of HaaS's.") from None


def _refuse_damaged(backup: Path, source: sqlite3.Connection) -> None:
    try:
        check_pages(str(backup), source, thoroughly=True)
    except sqlite3.DatabaseError as error:
        reason = str(error).partition(": put a backup")[0]
        raise ConfigError(f"{reason}: take another backup. Nothing was changed.") from None


def _put_aside(database: Path) -> Path:
    """Rename the database, with what SQLite keeps beside it."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = database.with_name(f"{database.name}.before-restore-{stamp}")
    for suffix in ("-wal", "-shm", ""):
        beside = Path(f"{database}{suffix}")
        if beside.exists():
            beside.rename(f"{aside}{suffix}")
    return aside


def _give_to_owner_of_folder(database: Path) -> None:
    """Let the daemon's user have the file when root restores it."""
    owner = database.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(database, owner.st_uid, owner.st_gid)
