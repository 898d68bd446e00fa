"""Fetching a database from its copies, as it is now or as it was: ``litestream restore``."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import yaml

from haas_rpcd.hasettings import HaSettings


class ReplicaError(Exception):
    """Litestream can't be run, or has not found what it is to restore."""


async def fetch(
    settings: HaSettings,
    place: str,
    target: Path,
    *,
    at: datetime.datetime | None = None,
) -> str:
    """Write the database that was copied to a place into a new file; return its transaction.

    ``at``: as it was then. A file of that name is replaced. Raises ReplicaError; then there is none
    of that name.
    """
    remove(target)
    when = ("-timestamp", rfc3339(at)) if at is not None else ()
    try:
        found = await _restore(settings, place, target, *when, "-o", str(target))
        return str(found["txid"])
    except BaseException:
        remove(target)
        raise


async def newest(settings: HaSettings, place: str, beside: Path) -> str:
    """Return the newest transaction that was copied to a place. Raises ReplicaError.

    ``beside``: where the configuration for Litestream is written.
    """
    absent = beside.with_name(f"{beside.name}.none")
    found = await _restore(settings, place, beside, "-dry-run", "-o", str(absent))
    return str(found["max_txid"])


async def _restore(settings: HaSettings, place: str, target: Path, *options: str) -> dict[str, Any]:
    """Run ``litestream restore`` and return what it reports. Raises ReplicaError."""
    config = target.with_name(f"{target.name}.restore.yml")
    replica = {**settings.replica_options, "url": place}
    config.touch(mode=0o600)  # the options may hold a secret
    config.write_text(
        yaml.safe_dump(
            {
                "logging": {"level": "error", "stderr": True},  # stdout is for the report
                "dbs": [{"path": str(target), "replica": replica}],
            }
        )
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *(settings.program, "restore", "-json", "-config", str(config)),
            *options,
            str(target),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise ReplicaError(f"{settings.program} can't be run: {error.strerror}.") from None
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        config.unlink(missing_ok=True)
    if process.returncode == 0:
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(out, type=dict[str, Any])
    said = (err or out).decode(errors="replace").strip().splitlines()
    raise ReplicaError(f"Nothing can be restored from {place}: {''.join(said[-1:])}")


def rfc3339(when: datetime.datetime) -> str:
    """Return a time as Litestream takes it. One without a time zone is in this machine's."""
    return when.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


async def take_over(settings: HaSettings, place: str, database: Path) -> None:
    """Put the last master's database in the place of ours, which is kept beside it.

    Raises ReplicaError; then our own database is as it was.
    """
    fresh = database.with_name(f"{database.name}.taken-over")
    await fetch(settings, place, fresh)
    forget_copies(database)
    kept = database.with_name(f"{database.name}.before-takeover")
    remove(kept)
    for suffix in ("-wal", "-shm", ""):  # the newest commits may be in the first one only
        if (beside := Path(f"{database}{suffix}")).exists():
            os.replace(beside, f"{kept}{suffix}")
    os.replace(fresh, database)


def forget_copies(database: Path) -> None:
    """Remove what Litestream knows of former copies: this master begins a new place."""
    shutil.rmtree(database.with_name(f".{database.name}-litestream"), ignore_errors=True)


def remove(database: Path) -> None:
    """Remove a database, with what SQLite and Litestream keep beside it."""
    for suffix in ("", "-wal", "-shm", "-txid"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
