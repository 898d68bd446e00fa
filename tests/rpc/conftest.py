"""Fixtures of the tests that use the daemon through its API."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.rpc.one_switch import OneSwitch, Registered, one_switch, register_fresh
from tests.rpc.small_site import Prepared, SmallSite, prepare, small_site
from tests.rpc.web import Web, serving

MEMORY = Path("/dev/shm")
"""A file system in memory: the store syncs to disk at every commit, which tests do not need."""


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A directory of the test's own, in memory if possible."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="haas-test-", dir=MEMORY) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Everything is registered and parked. Projects red (rita) and blue (bob) hold nothing."""
    with ThreadPoolExecutor(1) as thread:  # an event loop of its own
        return thread.submit(prepare, tmp_path_factory.mktemp("prepared")).result()


@pytest.fixture
async def empty_site(tmp_path: Path) -> AsyncIterator[SmallSite]:
    """The daemon and the switches; nothing is registered."""
    async with small_site(tmp_path) as site:
        yield site


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """A copy of the prepared site, with its own daemon and switches."""
    async with small_site(tmp_path, prepared) as site:
        yield site


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Registered]:
    made: dict[str, Registered] = {}

    def find(dialect: str) -> Registered:
        if dialect not in made:
            with ThreadPoolExecutor(1) as thread:  # an event loop of its own
                folder = tmp_path_factory.mktemp(f"every-{dialect}")
                made[dialect] = thread.submit(register_fresh, folder, dialect).result()
        return made[dialect]

    return find


@pytest.fixture
async def parked(
    dialect: str, tmp_path: Path, registered: Callable[[str], Registered]
) -> AsyncIterator[OneSwitch]:
    """A site whose switch is registered and parked. Projects red and blue hold nothing."""
    async with one_switch(tmp_path, dialect, registered(dialect)) as site:
        yield site


@pytest.fixture
async def in_use(parked: OneSwitch) -> OneSwitch:
    """Red's node-1 is on VLAN 100, node-2 on 100 and tagged on 101; blue's node-4 on 102."""
    site = parked
    await site.hold_nodes("red", "node-1", "node-2")
    await site.hold_nodes("blue", "node-4")
    assert await site.network("red", "net") == 100
    assert await site.network("red", "more") == 101
    assert await site.network("blue", "net") == 102
    await site.connect("node-1", "net")
    await site.connect("node-2", "net")
    await site.connect("node-2", "more", tagged=True)
    await site.connect("node-4", "net")
    await site.succeeds("red")
    await site.succeeds("blue")
    return site


@pytest.fixture
async def staged(site: SmallSite) -> SmallSite:
    """Red wants node-1 (on sw1) and node-3 (on sw2) on its network, VLAN 100."""
    await site.hold_nodes("red", "node-1", "node-3")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.connect("node-3", "net")
    return site


@pytest.fixture
async def web(tmp_path: Path, prepared: Prepared) -> AsyncIterator[Web]:
    """The small site, and the console served to browsers."""
    pytest.importorskip("textual_serve")
    async with serving(tmp_path, prepared) as web:
        yield web
