"""A short run of `make soak`'s random calls, always the same ones."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.soak.fuzz import fuzz


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="wants root, to be other users")
def test_random_calls_find_no_internal_error() -> None:
    with tempfile.TemporaryDirectory(prefix="haas-fuzz-", dir="/dev/shm") as folder:
        kinds, _ = fuzz(Path(folder), 3000, seed=1)
    assert kinds["result"] > 250
    assert {"invalid_params", "denied", "not_found", "conflict"} <= set(kinds)
