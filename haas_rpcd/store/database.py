"""The connections to SQLite, the threads that use them, and transactions.

Transactions are synchronous functions that run on a thread of the store's. If they could ``await``,
other tasks' writes would join an open transaction of the shared connection, and be rolled back with
it.

One thread writes. Reads have threads and connections of their own, which see the last commit (WAL),
so that neither waits for the other: https://sqlite.org/wal.html. A database in memory belongs to
one connection, so its reads run on the writer's thread.

Every write begins with BEGIN IMMEDIATE. A deferred transaction that reads before it writes fails at
once when another connection is writing, whatever ``busy_timeout`` says.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import msgspec
from sqlite_utils import Database

from haas_rpcd.errors import StoreError
from haas_rpcd.store import failures
from haas_rpcd.store.copies import check_pages, keep_before_upgrade, refuse_newer
from haas_rpcd.store.guard import FileGuard
from haas_rpcd.store.rows import R, reader
from haas_rpcd.store.schema import migrations
from haas_rpcd.store.turns import FairThreads

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V", int, float, str)
Parameters = Sequence[Any] | dict[str, Any]

MEMORY = ":memory:"
READERS = 4
Durable: TypeAlias = Callable[[int], Awaitable[None]]
"""Returns once the commits up to a generation of the database can't be lost with this machine."""

BUSY_TIMEOUT = 10.0
"""Seconds that a transaction waits for another process that has locked the database."""


IN_MINE = "(SELECT value FROM json_each(:mine))"
"""The ids given as the parameter ``mine``, see :func:`ids`."""


def ids(numbers: Sequence[int] | None) -> str | None:
    """Return ids as the parameter of :data:`IN_MINE`; None stays None (NULL)."""
    return None if numbers is None else json.dumps(list(numbers))


class Tx:
    """An open transaction. It ends when the function that got it returns or raises.

    ``after_commit`` collects actions for after the commit (publishing events, starting jobs). They
    run on the event loop's thread. One that raises is logged, and the others still run.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.after_commit: list[Callable[[], None]] = []

    def query(self, row: type[R], sql: str, parameters: Parameters = ()) -> list[R]:
        """Return all rows as structs.

        Raises TypeError if the query's columns are not the struct's fields.
        """
        return reader(row).read(self._connection.execute(sql, parameters))

    def one(self, row: type[R], sql: str, parameters: Parameters = ()) -> R | None:
        """Return the first row as a struct, or None. Raises TypeError as :meth:`query`."""
        return next(iter(self.query(row, sql, parameters)), None)

    def value(self, kind: type[V], sql: str, parameters: Parameters = ()) -> V | None:
        """Return the first column of the first row; None if there is no row, or for NULL.

        Raises msgspec.ValidationError if it is not of this ``kind``.
        """
        row = self._connection.execute(sql, parameters).fetchone()
        return None if row is None or row[0] is None else msgspec.convert(row[0], kind)

    def values(self, kind: type[V], sql: str, parameters: Parameters = ()) -> list[V]:
        """Return the first column of all rows. Raises msgspec.ValidationError as :meth:`value`."""
        column = [row[0] for row in self._connection.execute(sql, parameters).fetchall()]
        return msgspec.convert(column, list[kind])  # type: ignore[valid-type]

    def number(self, sql: str, parameters: Parameters = ()) -> int:
        """Return the one number that a query returns."""
        (number,) = self.values(int, sql, parameters)
        return number

    def exists(self, sql: str, parameters: Parameters = ()) -> bool:
        """Return whether a query returns any row."""
        return self._connection.execute(sql, parameters).fetchone() is not None

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement that changes rows; return how many it changed."""
        return self._connection.execute(sql, parameters).rowcount

    def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        """Run one statement for each of many rows."""
        self._connection.executemany(sql, rows)

    def insert(self, table: str, **columns: Any) -> int:
        """Insert one row; return its rowid. Raises sqlite3.IntegrityError."""
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        cursor = self._connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",
            tuple(columns.values()),
        )
        return cursor.lastrowid or 0


Committed: TypeAlias = tuple[T, list[Callable[[], None]]]
"""What a transaction's function returned, and the actions for after the commit."""

Transact: TypeAlias = Callable[[Callable[[Tx], T]], Committed[T]]


class Store:
    """The database file. :meth:`write` and :meth:`read` run a function in one transaction."""

    def __init__(self, path: str, durable: Durable | None = None) -> None:
        self.path = path
        self._durable = durable
        """Awaited after a commit, before its caller is answered."""
        self._writer = FairThreads(1, "store-write")
        self._readers = self._writer if path == MEMORY else FairThreads(READERS, "store-read")
        self._connection: sqlite3.Connection | None = None
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        """The connections of reads. There is one for each thread, so a read never waits for one."""
        self._glances: sqlite3.Connection | None = None
        """The event loop's own connection; it never waits."""
        self._guard: FileGuard | None = None
        self.generation = 0
        """Grows with every transaction that has changed something."""
        self._promised = 0
        """The generation up to which commits are durable."""

    async def open(self) -> None:
        """Check the file, open it, and migrate it; a copy of the file from before is kept.

        Raises sqlite3.Error, also for what :class:`FileGuard` refuses, and if a newer daemon
        migrated the database.
        """
        await self._writer.run(self._open)

    async def close(self) -> None:
        """Close the database once the transactions under way have ended."""
        self._readers.shutdown(wait=False)
        await asyncio.to_thread(self._readers.shutdown, wait=True)
        await asyncio.to_thread(self._writer.shutdown, wait=True)
        while not self._idle.empty():
            self._idle.get().close()
        if self._glances is not None:
            self._glances.close()
            self._glances = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._guard is not None:
            self._guard.release()

    async def write(
        self, function: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``function(tx, …)`` in a transaction; commit if it returns, undo if it raises.

        Raises StoreError if the file can't be written.
        """
        return await self._run(self._write, lambda tx: function(tx, *args, **kwargs))

    async def read(
        self, function: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``function(tx, …)``, which must not write, on one consistent state.

        Raises StoreError if the file can't be read.
        """
        return await self._run(self._read, lambda tx: function(tx, *args, **kwargs))

    async def glance(
        self, function: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Read a few rows by their keys, on the event loop's thread: a thread takes longer to wake.

        As :meth:`read` otherwise, which it falls back to.
        """
        if self._glances is not None:
            with contextlib.suppress(StoreError):  # it is locked, say: a thread may wait for it
                result, _ = self._transact(
                    self._glances, lambda tx: function(tx, *args, **kwargs), "BEGIN"
                )
                return result
        return await self.read(function, *args, **kwargs)

    def version(self) -> int | None:
        """Return a number that changes with every commit, also of another process.

        None if it can't be told now, or the database is in memory. Call it on the event loop's
        thread, as it never waits. See https://sqlite.org/pragma.html#pragma_data_version.
        """
        if self._glances is None:
            return None
        with contextlib.suppress(sqlite3.Error):
            return int(self._glances.execute("PRAGMA data_version").fetchone()[0])
        return None

    async def note(
        self, function: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write what nobody relies on: as :meth:`write`, but it need not be durable already."""
        return await self._run(self._write, lambda tx: function(tx, *args, **kwargs), promise=False)

    async def check(self) -> None:
        """Read and write nothing. Raises StoreError if the file can't be read or written."""
        await self.read(_nothing)
        await self.note(_nothing)

    async def replace(self, source: Path) -> None:
        """Take over all that another database has, in one transaction; migrate it first.

        Raises sqlite3.Error, also if a newer daemon migrated it.
        """
        await self._writer.run(self._replace, source)

    def _replace(self, source: Path) -> None:
        if self._connection is None:
            raise RuntimeError("the store is not open")
        with contextlib.closing(_connect(str(source))) as given:
            refuse_newer(str(source), given)
            migrations.apply(Database(given))
            given.backup(self._connection)
        self.generation += 1

    async def _run(
        self, transact: Transact[T], function: Callable[[Tx], T], *, promise: bool = True
    ) -> T:
        # Shielded: a committed transaction's actions must run even if the caller is cancelled.
        task = asyncio.create_task(self._run_to_end(transact, function, promise))
        task.add_done_callback(_forget)
        return await asyncio.shield(task)

    async def _run_to_end(
        self, transact: Transact[T], function: Callable[[Tx], T], promise: bool
    ) -> T:
        if self._connection is None:
            raise RuntimeError("the store is not open")
        thread = self._writer if transact == self._write else self._readers
        result, after = await thread.run(transact, function)
        promises = promise and transact == self._write
        if promises and self._durable is not None and self.generation > self._promised:
            generation = self.generation
            await self._durable(generation)
            self._promised = max(self._promised, generation)
        for action in after:
            try:
                action()
            except Exception:  # the transaction is committed: its caller must not see it fail
                log.exception("an action after a commit failed")
        return result

    def _write(self, function: Callable[[Tx], T]) -> Committed[T]:
        if self._connection is None:
            raise RuntimeError("the store is not open")
        if self._guard is not None and (lost := self._guard.lost(self._connection)):
            raise StoreError(lost)
        before = self._connection.total_changes
        try:
            return self._transact(self._connection, function, "BEGIN IMMEDIATE")
        finally:
            self.generation += self._connection.total_changes != before

    def _read(self, function: Callable[[Tx], T]) -> Committed[T]:
        if self.path == MEMORY:
            if self._connection is None:
                raise RuntimeError("the store is not open")
            return self._transact(self._connection, function, "BEGIN")
        connection = self._idle.get()
        try:
            return self._transact(connection, function, "BEGIN")
        finally:
            self._idle.put(connection)

    def _transact(
        self, connection: sqlite3.Connection, function: Callable[[Tx], T], begin: str
    ) -> Committed[T]:
        tx = Tx(connection)
        try:
            connection.execute(begin)
            result = function(tx)
            connection.commit()
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have undone it already
                connection.rollback()
            if isinstance(error, sqlite3.Error) and (
                sentence := failures.sentence(self.path, error)
            ):
                raise StoreError(sentence) from error
            raise
        return result, tx.after_commit

    def _open(self) -> None:
        if self.path == MEMORY:
            self._connection = _connect(self.path)
            migrations.apply(Database(self._connection))
            return
        self._guard = FileGuard(self.path)
        connection: sqlite3.Connection | None = None
        try:
            with contextlib.closing(sqlite3.connect(self.path)) as first:
                check_pages(self.path, first)
            connection = _connect(self.path)
            refuse_newer(self.path, connection)
            if kept := keep_before_upgrade(self.path, connection):
                log.info("the database as it was before its upgrade is kept in %s", kept)
            migrations.apply(Database(connection))
            self._guard.taken()
            for _ in range(READERS):
                self._idle.put(_connect_to_read(self.path))
            glances = _connect_to_read(self.path)
            glances.execute("PRAGMA busy_timeout = 0")
            self._glances = glances
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        self._connection = connection


def _connect_to_read(path: str) -> sqlite3.Connection:
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL, not NORMAL: a power cut must not lose what has been sent to a switch.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _forget(task: asyncio.Task[Any]) -> None:
    """Retrieve a task's exception, so that asyncio does not log it if the caller is gone."""
    if not task.cancelled():
        task.exception()


def _nothing(tx: Tx) -> None:
    """Do nothing: the transaction itself shows that the store works."""
