"""The fixtures of the tests that go through the daemon's API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.rpc.small_site import Prepared, SmallSite, prepare, small_site


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
