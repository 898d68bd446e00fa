"""What SQLite's errors mean to an operator."""

from __future__ import annotations

import sqlite3

_SENTENCES = {
    sqlite3.SQLITE_FULL: "the disk with {path} is full: free some space; nothing was lost",
    sqlite3.SQLITE_IOERR: "{path} can't be read or written ({error}): check the disk and its log",
    sqlite3.SQLITE_BUSY: (
        "{path} is locked by another process: end whatever has it open, such as a sqlite3 shell;"
        " fuser {path}  names it"
    ),
    sqlite3.SQLITE_READONLY: "{path} can't be written ({error}): check its owner and file system",
    sqlite3.SQLITE_CANTOPEN: "{path} can't be opened ({error}): check its folder",
    sqlite3.SQLITE_CORRUPT: (
        "{path} is damaged ({error}): stop haas-rpcd, and restore a backup with"
        "  haas-rpcd restore FILE"
    ),
    sqlite3.SQLITE_NOTADB: (
        "{path} is no database ({error}): stop haas-rpcd, and restore a backup with"
        "  haas-rpcd restore FILE"
    ),
}


def sentence(path: str, error: sqlite3.Error) -> str | None:
    """Say what a failure of the file means and what to do; None for any other error of SQLite's.

    A broken constraint, or a fault in a statement, is none of the file's.
    """
    if isinstance(error, sqlite3.IntegrityError):
        return None
    # An extended code; its low byte is the primary one: https://sqlite.org/rescode.html
    text = _SENTENCES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return None if text is None else f"The store fails: {text.format(path=path, error=error)}."
