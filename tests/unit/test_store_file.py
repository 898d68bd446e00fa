"""The database file: what is refused at the start, and what callers hear when it fails."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from haas_rpcd.errors import StoreError
from haas_rpcd.store import users
from haas_rpcd.store.database import Store, Tx
from tests.unit.conftest import RELEASED

OPEN = """
import asyncio, sqlite3, sys
from haas_rpcd.store.database import Store
try:
    asyncio.run(Store(sys.argv[1]).open())
except sqlite3.Error as error:
    sys.exit(str(error))
"""


@pytest.fixture
def path(memory_path: Path) -> Path:
    return memory_path / "haas.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """A store with the user rita."""
    opened = Store(str(path))
    await opened.open()
    await opened.write(users.create, "rita", False)
    yield opened
    await opened.close()


def names(tx: Tx) -> list[str]:
    return [row.name for row in users.page(tx, 100, "")]


async def once(path: Path) -> list[str]:
    """Open a store, and return the users in it."""
    store = Store(str(path))
    try:
        await store.open()
        return await store.read(names)
    finally:
        await store.close()


async def filled(path: Path) -> None:
    store = Store(str(path))
    await store.open()
    await store.write(users.create, "rita", False)
    await store.close()


# --- readers and the writer -----------------------------------------------------------------------


async def test_reads_do_not_wait_for_a_long_write_and_see_the_last_commit(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        users.create(tx, "sam", False)
        begun.set()
        assert go_on.wait(10)

    writing = asyncio.create_task(store.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    async with asyncio.timeout(10):
        assert await store.read(names) == ["rita"]
    go_on.set()
    await writing
    assert await store.read(names) == ["rita", "sam"]


async def test_a_long_read_keeps_one_state_and_holds_up_neither_writes_nor_other_reads(
    store: Store,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> list[list[str]]:
        before = names(tx)
        begun.set()
        assert go_on.wait(10)
        return [before, names(tx)]

    reading = asyncio.create_task(store.read(slow))
    await asyncio.to_thread(begun.wait, 10)
    async with asyncio.timeout(10):
        await store.write(users.create, "sam", False)
        assert await store.read(names) == ["rita", "sam"]
    go_on.set()
    assert await reading == [["rita"], ["rita"]]


async def test_a_read_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match="readonly database"):
        await store.read(users.create, "sam", False)
    assert await store.read(names) == ["rita"]


# --- one daemon, one file -------------------------------------------------------------------------


@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic link", "hard link"])
async def test_a_second_daemon_is_refused_whatever_path_it_takes(
    store: Store, path: Path, link: object
) -> None:
    other = path.with_name("other.db")
    assert callable(link)
    link(path, other)
    second = subprocess.run(
        [sys.executable, "-c", OPEN, str(other)], capture_output=True, text=True, check=False
    )
    assert second.stderr.strip() == "another haas-rpcd has it open"
    await store.write(users.create, "sam", False)
    assert await store.read(names) == ["rita", "sam"]


async def test_a_database_that_is_gone_is_not_replaced_by_an_empty_one(path: Path) -> None:
    await filled(path)
    path.unlink()
    with pytest.raises(sqlite3.Error, match=r"haas\.db is gone, but .*: put it back, or a backup"):
        await once(path)
    assert not path.exists()

    path.with_name("haas.db.lock").unlink()  # as the sentence says
    assert await once(path) == []


async def test_a_database_that_was_emptied_is_refused(path: Path) -> None:
    await filled(path)
    path.write_bytes(b"")
    with pytest.raises(sqlite3.Error, match=r"haas\.db is empty, but held a database before"):
        await once(path)
    assert path.read_bytes() == b""


@pytest.mark.parametrize("damage", ["a page", "the head"])
async def test_a_damaged_database_is_refused_and_left_as_it_is(path: Path, damage: str) -> None:
    await filled(path)
    content = bytearray(path.read_bytes())
    start = 4096 * 3 if damage == "a page" else 0
    content[start : start + 2048] = b"\xa5" * 2048
    path.write_bytes(content)
    with pytest.raises(sqlite3.DatabaseError, match=r"damaged \(.*haas-rpcd restore FILE"):
        await once(path)
    assert path.read_bytes() == content


async def test_the_database_from_before_an_upgrade_is_kept(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(path)) as old:
        old.executescript((RELEASED / "initial.sql").read_text())
        before = "\n".join(old.iterdump())
    with caplog.at_level("INFO"):
        assert await once(path)
    kept = path.with_name("haas.db.before-drift")
    assert str(kept) in caplog.text
    with closing(sqlite3.connect(kept)) as copy:
        assert "\n".join(copy.iterdump()) == before
    assert kept.stat().st_mode & 0o777 == 0o600

    kept.unlink()
    assert await once(path)
    assert not kept.exists()  # nothing was upgraded


# --- while it is in use ---------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_a_database_that_goes_away_in_use_is_noticed_and_its_content_kept(
    store: Store, path: Path, how: str
) -> None:
    if how == "deleted":
        path.unlink()
    else:
        other = path.with_name("other.db")
        sqlite3.connect(other).close()
        other.replace(path)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"was deleted or replaced .* haas-rpcd restore ") as e:
            await store.write(users.create, "sam", False)
    assert e.value.data["kind"] == "unavailable"
    [rescued] = path.parent.glob("haas.db.rescued-*")
    assert str(rescued) in e.value.message
    assert await once(rescued) == ["rita"]


async def test_a_full_disk_is_named_and_the_store_answers_again_when_there_is_space(
    store: Store,
) -> None:
    def limit(tx: Tx, pages: int) -> None:
        tx.number(f"PRAGMA max_page_count = {pages}")

    def fill(tx: Tx) -> None:
        for number in range(1000):
            users.create(tx, f"u{number:04}-{'x' * 50}", False)

    await store.write(limit, 1)  # SQLite keeps what there is, and adds nothing
    with pytest.raises(StoreError, match=r"the disk with .*haas\.db is full: free some space"):
        await store.write(fill)
    assert await store.read(names) == ["rita"]
    await store.write(limit, 100_000)
    await store.write(users.create, "sam", False)
    assert await store.read(names) == ["rita", "sam"]


async def test_a_lock_of_another_process_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haas_rpcd.store.database.BUSY_TIMEOUT", 0.01)
    store = Store(str(path))
    await store.open()
    with closing(sqlite3.connect(path, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"haas\.db is locked by another process: end what"):
            await store.write(users.create, "rita", False)
        assert await store.read(names) == []
        shell.execute("ROLLBACK")
    await store.write(users.create, "rita", False)
    await store.close()
