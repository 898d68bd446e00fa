"""Backups of the database: the subcommand ``backup``, and those that the daemon makes by itself."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import sqlite3
import time
from pathlib import Path

import msgspec

from haas_rpcd import streams
from haas_rpcd.config import BackupSettings, ConfigError, Settings
from haas_rpcd.store.copies import contents, describe, open_to_read, write_copy

log = logging.getLogger(__name__)

DESCRIPTION = """\
Copies the database to FILE. The daemon may run meanwhile: the copy is one consistent state. It is
checked before it gets its name. Keep /etc/haas and [switches] known_hosts with it.
"""


# --- the subcommand -------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``haas-rpcd backup``."""
    parser.add_argument(
        "file", metavar="FILE", help="where the copy goes; an older one is replaced"
    )


def main(settings: Settings, arguments: argparse.Namespace) -> int:
    """Copy the database. Raises ConfigError, OSError, sqlite3.Error."""
    source, target = Path(settings.store.path), Path(arguments.file)
    if not target.absolute().parent.is_dir():
        raise ConfigError(f"There is no folder {target.absolute().parent}: create it.")
    refuse_other_files(source, target)
    with contextlib.closing(open_to_read(source)) as database:
        write_copy(database, target)
    with contextlib.closing(open_to_read(target)) as copy:
        found = contents(copy)
    streams.say(f"{source} is in {target}: {describe(found)}, {_size(target)}; checked.")
    return 0


def refuse_other_files(source: Path, target: Path) -> None:
    """Raise ConfigError if a backup to ``target`` would replace something else than a backup."""
    if not target.exists():
        return
    if target.exists() and source.exists() and target.samefile(source):
        raise ConfigError(f"{target} is the database itself: name another file.")
    try:
        with contextlib.closing(open_to_read(target)) as old:
            contents(old)
    except (OSError, sqlite3.Error):
        raise ConfigError(
            f"{target} exists and is no backup of HaaS's: name another file, or delete it first."
        ) from None


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


# --- by schedule ----------------------------------------------------------------------------------


class LastBackup(msgspec.Struct, frozen=True):
    """The newest backup in ``[backup] folder``. ``time``: in seconds since the epoch."""

    file: str
    time: float


class Schedule:
    """Makes a backup each ``interval`` seconds, and deletes the oldest beyond ``keep``."""

    def __init__(self, settings: BackupSettings, folder: Path, database: Path) -> None:
        self._folder = folder
        self._interval = settings.interval
        self._keep = settings.keep
        self._database = database
        self.error: str | None = None
        """Why the last one failed, if it did."""

    async def run(self) -> None:
        """Make backups for ever. A failed one is logged, and tried again after the interval."""
        await asyncio.sleep(await asyncio.to_thread(self._due))
        while True:
            try:
                made = await asyncio.to_thread(self.make)
            except (OSError, sqlite3.Error) as error:
                self.error = str(error)
                log.error("no backup could be made in %s: %s", self._folder, error)
            else:
                self.error = None
                log.info("the database is backed up in %s", made)
            await asyncio.sleep(self._interval)

    def make(self) -> Path:
        """Make a backup now, and delete the oldest. Raises OSError, sqlite3.Error."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target = self._folder / f"haas-{stamp}.db"
        with contextlib.closing(open_to_read(self._database)) as database:
            write_copy(database, target)
        for old in self._made()[: -self._keep]:
            old.unlink(missing_ok=True)
        return target

    def last(self) -> LastBackup | None:
        """Return the newest backup, if there is one."""
        made = self._made()
        return LastBackup(str(made[-1]), made[-1].stat().st_mtime) if made else None

    def _made(self) -> list[Path]:
        """Return the backups there are, oldest first: their names sort by time."""
        return sorted(self._folder.glob("haas-[0-9]*T[0-9]*Z.db"))

    def _due(self) -> float:
        """Return the seconds until the next one, so that restarts neither add nor skip any."""
        last = self.last()
        return (
            0.0
            if last is None
            else min(self._interval, max(0, last.time + self._interval - time.time()))
        )


def refuse_folder(settings: BackupSettings) -> None:
    """Raise ConfigError if backups can't be written to the folder."""
    if settings.folder is None:
        return
    folder = Path(settings.folder)
    if not folder.is_dir():
        raise ConfigError(f"[backup] folder: there is no folder {folder}: create it.")
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise ConfigError(
            f"[backup] folder: {folder} is read-only for haas-rpcd: use a folder below"
            f" /var/lib/haas, or write  [Service]  and  ReadWritePaths={folder}  to"
            " /etc/systemd/system/haas-rpcd.service.d/folders.conf"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(
            f"[backup] folder: haas-rpcd may not write to {folder}: give it the folder."
        )
