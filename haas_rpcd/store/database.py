"""The connection to SQLite, the thread that uses it, and transactions.

Transactions are synchronous functions that run on one thread. If they could ``await``, other tasks'
writes would join an open transaction of the shared connection, and be rolled back with it.

Every write begins with BEGIN IMMEDIATE. A deferred transaction that reads before it writes fails at
once when another connection is writing, whatever ``busy_timeout`` says.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

import msgspec
from sqlite_utils import Database

from haas_rpcd.store.rows import R, reader
from haas_rpcd.store.schema import migrations

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V", int, float, str)
Parameters = Sequence[Any] | dict[str, Any]


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


class Store:
    """The database file. :meth:`write` and :meth:`read` run a function in one transaction."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._connection: sqlite3.Connection | None = None
        self._lock: IO[str] | None = None

    async def open(self) -> None:
        """Open the database and migrate it.

        Raises sqlite3.Error, also if another daemon has it open, as both would run the jobs in its
        journal, and if a newer daemon migrated it.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open)

    async def close(self) -> None:
        """Close the database once the transactions under way have ended."""
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
            self._connection = None
        if self._lock is not None:
            self._lock.close()
        self._thread.shutdown(wait=True)

    async def write(
        self, function: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``function(tx, …)`` in a transaction; commit if it returns, undo if it raises."""
        return await self._run(lambda tx: function(tx, *args, **kwargs), "BEGIN IMMEDIATE")

    async def read(
        self, function: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``function(tx, …)``, which must not write, on one consistent state."""
        return await self._run(lambda tx: function(tx, *args, **kwargs), "BEGIN")

    async def _run(self, function: Callable[[Tx], T], begin: str) -> T:
        # Shielded: a committed transaction's actions must run even if the caller is cancelled.
        task = asyncio.create_task(self._run_to_end(function, begin))
        task.add_done_callback(_forget)
        return await asyncio.shield(task)

    async def _run_to_end(self, function: Callable[[Tx], T], begin: str) -> T:
        result, after = await asyncio.get_running_loop().run_in_executor(
            self._thread, self._transact, function, begin
        )
        for action in after:
            try:
                action()
            except Exception:  # the transaction is committed: its caller must not see it fail
                log.exception("an action after a commit failed")
        return result

    def _transact(
        self, function: Callable[[Tx], T], begin: str
    ) -> tuple[T, list[Callable[[], None]]]:
        if self._connection is None:
            raise RuntimeError("the store is not open")
        connection = self._connection
        tx = Tx(connection)
        connection.execute(begin)
        try:
            result = function(tx)
        except BaseException:
            connection.rollback()
            raise
        connection.commit()
        return result, tx.after_commit

    def _open(self) -> None:
        if self.path != ":memory:":
            self._lock = self._take_lock()
        connection = sqlite3.connect(self.path, timeout=10.0, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL, not NORMAL: a power cut must not lose what has been sent to a switch.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        try:
            self._refuse_newer(Database(connection))
            migrations.apply(Database(connection))
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _refuse_newer(self, database: Database) -> None:
        """Raise if a newer daemon has migrated the database: this one would misread its tables."""
        known = {each.name for each in migrations.pending(Database(memory=True))}
        applied = (each.name for each in migrations.applied(database))
        if newer := ", ".join(name for name in applied if name not in known):
            raise sqlite3.DatabaseError(
                f"{self.path} was migrated by a newer haas-rpcd ({newer}): install that one, or put"
                " the backup from before its upgrade in place."
            )

    def _take_lock(self) -> IO[str]:
        try:
            lock = open(f"{self.path}.lock", "w")  # noqa: SIM115 - held as long as it is open
        except OSError as error:
            raise sqlite3.OperationalError(error.strerror) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise sqlite3.OperationalError("another haas-rpcd has it open") from None
        return lock


def _forget(task: asyncio.Task[Any]) -> None:
    """Retrieve a task's exception, so that asyncio does not log it if the caller is gone."""
    if not task.cancelled():
        task.exception()
