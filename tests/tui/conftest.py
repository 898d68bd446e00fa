"""What tests of the console share: a real daemon with its embedded data centre."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_rpcd.demo import demo

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, so that ``make fast`` leaves them out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("terminal")


@pytest.fixture
async def socket() -> AsyncIterator[Path]:
    """The socket of a daemon that serves the embedded data centre: twelve nodes, all free."""
    # Not tmp_path: a Unix socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="haas-tui-") as folder:
        path = Path(folder) / "s"
        async with demo(str(path)):
            yield path
