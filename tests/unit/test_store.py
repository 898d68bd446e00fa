"""The store's transactions, what follows a commit, and rows as structs."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from haas_rpcd.model import PortConfig
from haas_rpcd.store import users
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.rows import Json, Row


@pytest.fixture
async def store(memory_path: Path) -> AsyncIterator[Store]:
    opened = Store(str(memory_path / "haas.db"))
    await opened.open()
    yield opened
    await opened.close()


def names(tx: Tx) -> list[str]:
    return [row.name for row in users.page(tx, 100, "")]


# --- transactions ---------------------------------------------------------------------------------


async def test_a_transaction_that_raises_is_undone_and_its_actions_do_not_run(store: Store) -> None:
    ran: list[str] = []

    def change(tx: Tx) -> None:
        users.create(tx, "rita", False)
        tx.after_commit.append(lambda: ran.append("notified"))
        raise LookupError("no")

    with pytest.raises(LookupError):
        await store.write(change)
    assert await store.read(names) == []
    assert ran == []


async def test_actions_after_a_commit_run_even_if_the_caller_is_cancelled(store: Store) -> None:
    """A client requests an apply and disconnects: the job is in the journal, so it must start."""
    begun, resume, ran = threading.Event(), threading.Event(), asyncio.Event()

    def change(tx: Tx) -> None:
        users.create(tx, "rita", False)
        tx.after_commit.append(ran.set)
        begun.set()
        assert resume.wait(10)

    caller = asyncio.create_task(store.write(change))
    await asyncio.to_thread(begun.wait, 10)
    caller.cancel()
    resume.set()

    async with asyncio.timeout(10):
        await ran.wait()
    assert await store.read(names) == ["rita"]


async def test_an_action_that_fails_after_the_commit_stops_neither_the_others_nor_the_caller(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def fail() -> None:
        raise LookupError("a broken action")

    def change(tx: Tx) -> str:
        users.create(tx, "rita", False)
        tx.after_commit += [lambda: ran.append("first"), fail, lambda: ran.append("last")]
        return "kept"

    assert await store.write(change) == "kept"
    assert ran == ["first", "last"]
    assert "a broken action" in caplog.text


async def test_transactions_of_many_tasks_do_not_mix(store: Store) -> None:
    """Every second one fails. Each leaves all of its rows, or none."""

    def pair(tx: Tx, number: int) -> None:
        users.create(tx, f"a{number:02}", False)
        if number % 2:
            raise LookupError(number)
        users.create(tx, f"b{number:02}", False)

    results = await asyncio.gather(
        *(store.write(pair, number) for number in range(20)), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), LookupError] * 10
    even = [f"{number:02}" for number in range(0, 20, 2)]
    assert await store.read(names) == [f"a{n}" for n in even] + [f"b{n}" for n in even]


async def test_foreign_keys_are_enforced_and_commits_reach_the_disk(store: Store) -> None:
    def pragmas(tx: Tx) -> list[int]:
        return [tx.number(f"PRAGMA {name}") for name in ("foreign_keys", "synchronous")]

    assert await store.read(pragmas) == [1, 2]  # 2 is FULL
    assert await store.read(lambda tx: tx.value(str, "PRAGMA journal_mode")) == "wal"
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        await store.write(lambda tx: tx.insert("member", project_id=1, user_id=1))


async def test_a_database_that_is_opened_again_keeps_its_rows(memory_path: Path) -> None:
    for expected in ([], ["rita"]):
        opened = Store(str(memory_path / "kept.db"))
        await opened.open()
        assert await opened.read(names) == expected
        if not expected:
            await opened.write(users.create, "rita", False)
        await opened.close()


async def test_only_one_daemon_can_open_a_database(store: Store) -> None:
    second = Store(store.path)
    with pytest.raises(sqlite3.OperationalError, match="another haas-rpcd has it open"):
        await second.open()
    await second.close()


async def test_a_store_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await Store(":memory:").read(names)


# --- rows -----------------------------------------------------------------------------------------


class Machine(Row, frozen=True):
    """One field of each sort."""

    name: str
    free: bool
    rack: int | None
    config: Json[PortConfig | None]


COLUMNS = "SELECT 'node-1' AS name, 1 AS free, NULL AS rack, NULL AS config"


async def test_a_row_has_booleans_and_decoded_json(store: Store) -> None:
    text = COLUMNS.replace("NULL AS config", """'{"untagged":100,"tagged":[]}' AS config""")
    [row] = await store.read(lambda tx: tx.query(Machine, text))
    assert row == Machine(name="node-1", free=True, rack=None, config=PortConfig(untagged=100))
    assert row.free is True
    assert await store.read(lambda tx: tx.one(Machine, f"{COLUMNS} WHERE FALSE")) is None


@pytest.mark.parametrize(
    "query",
    [
        COLUMNS.replace(", NULL AS rack", ""),
        COLUMNS.replace("AS free", "AS fre"),
        "SELECT 1 AS free, 'node-1' AS name, NULL AS rack, NULL AS config",
        f"{COLUMNS} WHERE FALSE".replace("AS rack", "AS shelf"),
    ],
    ids=["missing", "misspelt", "another order", "without rows"],
)
async def test_columns_that_are_not_the_fields_are_refused(store: Store, query: str) -> None:
    with pytest.raises(TypeError, match="Machine has the fields name, free, rack, config"):
        await store.read(lambda tx: tx.query(Machine, query))


@pytest.mark.parametrize(
    ("column", "other"), [("'node-1'", "7"), ("'node-1'", "NULL"), ("1 AS", "NULL AS")]
)
async def test_a_value_of_another_type_is_refused(store: Store, column: str, other: str) -> None:
    query = COLUMNS.replace(column, other, 1)
    with pytest.raises(msgspec.ValidationError):
        await store.read(lambda tx: tx.query(Machine, query))


async def test_single_values_have_the_type_that_is_asked_for(store: Store) -> None:
    def values(tx: Tx) -> list[object]:
        return [
            tx.value(str, "SELECT 'a'"),
            tx.value(str, "SELECT NULL"),
            tx.value(int, "SELECT 1 WHERE FALSE"),
            tx.values(int, "SELECT 1 UNION SELECT 2 ORDER BY 1"),
            tx.number("SELECT 3"),
            tx.exists("SELECT 1"),
            tx.exists("SELECT 1 WHERE FALSE"),
        ]

    assert await store.read(values) == ["a", None, None, [1, 2], 3, True, False]
    with pytest.raises(msgspec.ValidationError):
        await store.read(lambda tx: tx.value(int, "SELECT 'a'"))
