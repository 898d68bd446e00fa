"""What the tests of the screen share: a real daemon with its embedded data centre."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_rpcd.demo import demo


@pytest.fixture
async def socket() -> AsyncIterator[Path]:
    """The socket of a daemon that serves the embedded data centre: twelve nodes, all free."""
    # Not tmp_path: a Unix socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="haas-tui-") as folder:
        path = Path(folder) / "s"
        async with demo(str(path)):
            yield path
