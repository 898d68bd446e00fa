"""Fixtures of the samples of the campaigns."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.campaigns.hurt import Staged, Zygote, stage
from tests.campaigns.shim import Shim

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A directory in memory, if possible: the daemon syncs to disk at every commit."""
    base = str(MEMORY) if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="haas-test-", dir=base) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def staged(memory: Path) -> Staged:
    """The site to which each sample applies."""
    (memory / "staged").mkdir()
    with ThreadPoolExecutor(1) as thread:  # an event loop of its own
        return thread.submit(stage, memory / "staged").result()


@pytest.fixture(scope="session")
def zygote(memory: Path) -> Iterator[Zygote]:
    """Starts daemons that can be hurt."""
    with Zygote(Shim(memory)) as zygote:
        yield zygote
