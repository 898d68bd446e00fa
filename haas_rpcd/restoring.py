"""The subcommand ``restore``: puts a backup in the place of the database."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from haas_rpcd import streams
from haas_rpcd.config import ConfigError, Settings
from haas_rpcd.parts import Held
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
counts as in use, all of it, until it answers. Of two masters ([ha]), both must be stopped: the
first that is started afterwards goes on with what was restored here.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``haas-rpcd restore``."""
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="a backup, or a database that was kept; with --at: the URL of copies, by default those"
        " of the last master below [ha] replica",
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        type=_time,
        help="restore the database as it was copied then, e.g. 2026-03-01T14:05:00Z",
    )
    parser.add_argument("--replace", action="store_true", help="put a database that is there aside")
    parser.add_argument(
        "--later",
        action="store_true",
        help="read the devices when the daemon starts, before it answers anybody",
    )


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def main(settings: Settings, arguments: argparse.Namespace) -> int:
    """Restore a backup. Raises ConfigError, OSError, sqlite3.Error; nothing is changed then."""
    if arguments.file is None and arguments.at is None:
        raise ConfigError("Name the backup to restore, or a time with --at.")
    if arguments.at is not None and settings.ha.replica is None:
        raise ConfigError("[ha] replica: the database is not copied: restore a backup FILE.")
    if settings.ha.replica is None:
        asyncio.run(_alone(settings, arguments, Path(arguments.file)))
        return 0
    from haas_rpcd.ha.etcd import EtcdError
    from haas_rpcd.ha.fetching import ReplicaError
    from haas_rpcd.ha.mastership import LostMastershipError

    try:
        asyncio.run(_with_copies(settings, arguments))
    except (EtcdError, ReplicaError, LostMastershipError) as error:
        raise ConfigError(f"[ha]: {error}") from None
    return 0


async def _with_copies(settings: Settings, arguments: argparse.Namespace) -> None:
    """Restore from the copies, or where the other master has to go on with what is restored."""
    import haas_rpcd.daemon  # noqa: F401 - seconds on a busy machine, which no lease must wait for
    from haas_rpcd.ha.holding import ALONE, as_master, standing_for
    from haas_rpcd.ha.replica import place_of

    database = Path(settings.store.path)
    if not settings.ha.on:
        place = arguments.file or place_of(settings.ha, ALONE)
        async with _backup(settings, arguments, place) as backup:
            await _alone(settings, arguments, backup)
        return
    async with standing_for(settings.ha) as claim:
        place = arguments.file or await claim.data()
        async with _backup(settings, arguments, place) as backup:
            if (other := await claim.claim_now()) is not None:
                raise ConfigError(f"[ha]: {other}: stop haas-rpcd on both machines first.")
            async with as_master(
                settings.ha, claim, database, lambda: _put(database, arguments, backup)
            ) as held:
                await _compare(settings, arguments, held)


async def _alone(settings: Settings, arguments: argparse.Namespace, backup: Path) -> None:
    await asyncio.to_thread(_put, Path(settings.store.path), arguments, backup)
    await _compare(settings, arguments)


@contextlib.asynccontextmanager
async def _backup(
    settings: Settings, arguments: argparse.Namespace, place: str | None
) -> AsyncIterator[Path]:
    """Provide the backup: the file that was named, or the database as it was copied at a time.

    Raises ConfigError, ReplicaError.
    """
    if arguments.at is None:
        yield Path(arguments.file)
        return
    from haas_rpcd.ha.fetching import fetch, remove, rfc3339

    if place is None:
        raise ConfigError("[ha]: no master has had any copies yet: restore a backup FILE.")
    database = Path(settings.store.path)
    fetched = database.with_name(f"{database.name}.at-{rfc3339(arguments.at).replace(':', '')}")
    await fetch(settings.ha, place, fetched, at=arguments.at)
    try:
        yield fetched
    finally:
        remove(fetched)


def _put(database: Path, arguments: argparse.Namespace, backup: Path) -> None:
    aside = put_in_place(backup, database, replace=arguments.replace, say=streams.say)
    if aside is not None:
        streams.say(f"The database that was there is kept in {aside}.")
    with contextlib.closing(open_to_read(database)) as restored:
        streams.say(f"{database} has what {backup} has: {describe(contents(restored))}.")


async def _compare(
    settings: Settings, arguments: argparse.Namespace, held: Held | None = None
) -> None:
    if arguments.later:
        streams.say("The devices will be read when haas-rpcd starts.")
        return
    from haas_rpcd.daemon import real

    found = await real(settings, held).compare_restored()
    for sentence in found:
        print(sentence)  # noqa: T201
    streams.say(
        "What these lines say counts from now on: haas-rpcd can be started."
        if found
        else "The devices have what the backup has: haas-rpcd can be started."
    )


def put_in_place(
    backup: Path, database: Path, *, replace: bool, say: Callable[[str], None] = streams.say
) -> Path | None:
    """Put a copy of a backup in the place of the database; return where that one is kept, if any.

    Users removed and tokens revoked since the backup stay so; ``say`` reports them.

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
