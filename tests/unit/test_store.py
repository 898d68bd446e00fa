"""The store's transactions: one at a time, wholly or not at all, and what follows them."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_rpcd.store import users
from haas_rpcd.store.database import Store, Tx


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store(str(tmp_path / "haas.db"))
    await opened.open()
    yield opened
    await opened.close()


def names(tx: Tx) -> list[str]:
    return [row.name for row in users.page(tx, 100, "")]


async def test_a_transaction_that_raises_is_undone_and_nothing_follows(store: Store) -> None:
    followed: list[str] = []

    def change(tx: Tx) -> None:
        users.create(tx, "rita", False)
        tx.after_commit.append(lambda: followed.append("told"))
        raise LookupError("no")

    with pytest.raises(LookupError):
        await store.write(change)
    assert await store.read(names) == []
    assert followed == []


async def test_what_follows_a_transaction_follows_though_nobody_waits_for_it(store: Store) -> None:
    """A client asks for an apply and hangs up: the job is in the journal, so it must start."""
    begun, go_on, followed = threading.Event(), threading.Event(), asyncio.Event()

    def change(tx: Tx) -> None:
        users.create(tx, "rita", False)
        tx.after_commit.append(followed.set)
        begun.set()
        assert go_on.wait(10)

    asking = asyncio.create_task(store.write(change))
    await asyncio.to_thread(begun.wait, 10)
    asking.cancel()
    go_on.set()

    async with asyncio.timeout(10):
        await followed.wait()
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
    """Half of them fail; each leaves all of its rows, or none."""

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


async def test_foreign_keys_hold_and_commits_reach_the_disk(store: Store) -> None:
    def pragmas(tx: Tx) -> list[int]:
        return [tx.number(f"PRAGMA {name}") for name in ("foreign_keys", "synchronous")]

    assert await store.read(pragmas) == [1, 2]  # 2 is FULL
    assert await store.read(lambda tx: tx.value(str, "PRAGMA journal_mode")) == "wal"
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        await store.write(lambda tx: tx.insert("member", project_id=1, user_id=1))


async def test_the_schema_is_made_once_and_what_is_kept_stays(tmp_path: Path) -> None:
    for expected in ([], ["rita"]):
        opened = Store(str(tmp_path / "kept.db"))
        await opened.open()
        assert await opened.read(names) == expected
        if not expected:
            await opened.write(users.create, "rita", False)
        await opened.close()


async def test_a_database_is_one_daemon_s(store: Store) -> None:
    second = Store(store.path)
    with pytest.raises(sqlite3.OperationalError, match="another haas-rpcd has it open"):
        await second.open()
    await second.close()


async def test_a_store_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await Store(":memory:").read(names)
