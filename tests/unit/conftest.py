"""Fixtures of the unit tests."""

from __future__ import annotations

import asyncio
import functools
import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from haas_rpcd.store import leases, shares, tokens
from haas_rpcd.store.database import Store

RELEASED = Path(__file__).parent / "released"
MEMORY = Path("/dev/shm")


@contextmanager
def _folder_in_memory(otherwise: Path) -> Iterator[Path]:
    """Yield a folder in memory if possible: the store waits for the disk at every commit."""
    if not os.access(MEMORY, os.W_OK):
        yield otherwise
        return
    with tempfile.TemporaryDirectory(prefix="haas-test-", dir=MEMORY) as name:
        yield Path(name)


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory if possible."""
    with _folder_in_memory(tmp_path) as folder:
        yield folder


@pytest.fixture(scope="session")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """The filled database of an earlier release, upgraded."""

    async def upgrade(path: Path) -> None:
        store = Store(str(path))
        await store.open()
        await store.close()

    @functools.cache
    def database(release: str) -> bytes:
        with _folder_in_memory(tmp_path_factory.mktemp("released")) as folder:
            path = folder / "haas.db"
            with closing(sqlite3.connect(path)) as db:
                db.executescript((RELEASED / f"{release}.sql").read_text())
            with ThreadPoolExecutor(1) as thread:  # an event loop of its own
                thread.submit(asyncio.run, upgrade(path)).result()
            return path.read_bytes()

    return database


@pytest.fixture
async def filled(memory_path: Path, upgraded: Callable[[str], bytes]) -> AsyncIterator[Store]:
    """A store with some of everything.

    Red holds node-1 (sw1 Gi1/0/1, on VLAN 100), node-2 (Gi1/0/2, being released) and node-8
    (sw2 ethernet 1/1/2, staged on 104). Blue holds node-6 (sw2 ethernet 1/1/1, on 101, and on 100
    tagged). Node-3 (sw1 Gi1/0/3) is free. Port 8 of each switch is a trunk.

    Red owns the networks of VLAN 100, which it shares with blue, and 104; blue owns 101. 102 was a
    network of red's, and 109 belongs to nobody; both are being removed from sw1.

    What is confirmed is saved, but both switches have later changes that are not.

    Red's lease of node-1 has ended. Red offers the network of VLAN 100 to green.
    Rita's token ci is for red alone, and read-only.

    Red's headnodes are head, half (both being changed) and going (being deleted); blue's are desk
    (running, on 101), off (stopped) and fresh (never sent). Red's job 2 is running.
    """
    path = memory_path / "haas.db"
    path.write_bytes(upgraded("drift"))
    store = Store(str(path))
    await store.open()
    await store.write(lambda tx: tx.execute("UPDATE port_applied SET saved = confirmed"))
    await store.write(lambda tx: tx.execute("DELETE FROM vlan_in_startup"))
    await store.write(
        lambda tx: tokens.create(
            tx,
            digest=b"hash",
            label="ci",
            user="rita",
            project_id=1,
            readonly=True,
            created=0.0,
            expires=None,
            parent_id=None,
        )
    )
    await store.write(shares.offer, 1, "green")
    await store.write(leases.set_until, 1, 1e9)
    run = leases.HookRunRow("node-9", "exited with 1", "no disk", 0.0, 1.0)
    await store.write(leases.record_hook, 1, run)
    yield store
    await store.close()


@pytest.fixture
def short_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a switch's session accept any prompt after 50 ms of silence."""
    monkeypatch.setattr("haas_rpcd.drivers.switch.channel.PROMPT_FALLBACK", 0.05)
