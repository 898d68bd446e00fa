"""The fixtures of the tests that go through the daemon's API."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.rpc.small_site import Prepared, SmallSite, prepare, small_site

MEMORY = Path("/dev/shm")
"""A file system in memory: the store waits for the disk at every commit, and tests need not."""


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A folder of the test's own, in memory where that can be had."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="haas-test-", dir=MEMORY) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Everything registered and parked; projects red (of rita) and blue (of bob) hold nothing."""
    with ThreadPoolExecutor(1) as thread:  # an event loop of its own
        return thread.submit(prepare, tmp_path_factory.mktemp("prepared")).result()


@pytest.fixture
async def empty_site(tmp_path: Path) -> AsyncIterator[SmallSite]:
    """The daemon and the switches, with nothing registered."""
    async with small_site(tmp_path) as site:
        yield site


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """A copy of the prepared site, with a daemon and switches of its own."""
    async with small_site(tmp_path, prepared) as site:
        yield site
