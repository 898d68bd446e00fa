"""The fixtures of the tests that go through the daemon's API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.rpc.small_site import SmallSite, register, small_site


@pytest.fixture
async def empty_site(tmp_path: Path) -> AsyncIterator[SmallSite]:
    """The daemon and the switches, with nothing registered."""
    async with small_site(tmp_path) as site:
        yield site


@pytest.fixture
async def site(empty_site: SmallSite) -> SmallSite:
    """Everything registered and parked; projects red (of rita) and blue (of bob) hold nothing."""
    await register(empty_site)
    job = await empty_site.apply()
    assert job["state"] == "succeeded", job["error"]
    return empty_site
