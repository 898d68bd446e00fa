"""Guards the database file: who may open it, and whether it is what it was.

The file is claimed by its inode, so that a second daemon is refused whatever path it takes to it: a
symbolic link, a hard link, another mount. The claim is the name of an abstract socket (unix(7)),
which ends with the process. It is no lock on the file: SQLite's own locks, of fcntl(2), would end
as soon as any descriptor of the file is closed in this process.

The lock file beside the database remembers that there was one, so that a lost one is not replaced
by an empty one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import socket
import sqlite3
import time
from pathlib import Path

from haas_rpcd.store.copies import write_copy

log = logging.getLogger(__name__)

_MARK = b"There is a database beside this file. Delete both to begin with an empty one.\n"


class FileGuard:
    """Holds the locks of a database file until :meth:`release`.

    ``restoring``: a backup is about to take the place of the database, so that it may be lost.

    Raises sqlite3.Error if another daemon has the file open, if the database that was here is gone,
    or if the file can't be written. Nothing is changed then.
    """

    def __init__(self, path: str, *, restoring: bool = False) -> None:
        self.path = Path(path)
        self._mark = Path(f"{path}.lock")
        self._held: list[int] = []
        self._socket: socket.socket | None = None
        self._identity: tuple[int, int] | None = None
        self._rescued: str | None = None
        try:
            self._lock(self._open(self._mark))
            if not restoring:
                self._refuse_lost()
            if not restoring and not self.path.exists():
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            if self.path.exists():
                self._claim()
        except BaseException:
            self.release()
            raise

    def _refuse_lost(self) -> None:
        """Raise if there was a database that is not there any more."""
        lost = os.fstat(self._held[0]).st_size > 0 or Path(f"{self.path}-wal").exists()
        if lost and not self.path.exists():
            raise sqlite3.DatabaseError(
                f"{self.path} is gone, but haas-rpcd has kept its database there: put it back, or"
                f" a backup of it ({_RESTORE}). To begin with an empty database, delete"
                f" {self._mark} and {self.path}-wal."
            )
        if lost and self.path.stat().st_size == 0:
            raise sqlite3.DatabaseError(
                f"{self.path} is empty, but held a database before: put a backup in its place"
                f" ({_RESTORE}). To begin with an empty database, delete {self._mark}."
            )

    def taken(self) -> None:
        """Remember the file that is open now, and that there is a database."""
        status = self.path.stat()
        self._identity = (status.st_dev, status.st_ino)
        mark = self._held[0]
        if os.fstat(mark).st_size == 0:
            os.write(mark, _MARK)

    def lost(self, connection: sqlite3.Connection) -> str | None:
        """Return a sentence if the path names another file by now, or none.

        What is written to a deleted file is lost with the process. So what the open connection
        still holds is copied to a file beside it, once.
        """
        with contextlib.suppress(OSError):
            status = self.path.stat()
            if (status.st_dev, status.st_ino) == self._identity:
                return None
        if self._rescued is None:
            self._rescued = self._rescue(connection)
            log.error("%s was deleted or replaced. %s", self.path, self._rescued)
        return (
            f"{self.path} was deleted or replaced while haas-rpcd uses it, so nothing can be"
            f" changed. {self._rescued}"
        )

    def _rescue(self, connection: sqlite3.Connection) -> str:
        copy = f"{self.path}.rescued-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        try:
            write_copy(connection, Path(copy))
        except (OSError, sqlite3.Error) as error:
            return (
                f"Its content could not be saved to {copy} ({error}): stop haas-rpcd, and restore a"
                " backup."
            )
        return f"Its content is in {copy}: stop haas-rpcd, and run  haas-rpcd restore {copy}"

    def release(self) -> None:
        """Give up the locks, after SQLite has closed the file."""
        while self._held:
            os.close(self._held.pop())
        if self._socket is not None:
            self._socket.close()

    def _open(self, path: Path) -> int:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise sqlite3.OperationalError(error.strerror) from None
        self._held.append(descriptor)
        return descriptor

    def _claim(self) -> None:
        status = self.path.stat()
        if not os.access(self.path, os.R_OK | os.W_OK):
            raise sqlite3.OperationalError(os.strerror(errno.EACCES))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(f"\0haas-rpcd/{status.st_dev:x}/{status.st_ino:x}")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise sqlite3.OperationalError(error.strerror) from None
            raise sqlite3.OperationalError("another haas-rpcd has it open") from None

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise sqlite3.OperationalError("another haas-rpcd has it open") from None


_RESTORE = "haas-rpcd restore FILE"
