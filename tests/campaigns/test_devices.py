"""A sample of ``make campaigns ONLY=devices``: each dialect, and each fault in several of them."""

from __future__ import annotations

import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from haas_rpcd.sim.personalities import dialects
from tests.campaigns.devices import bench_of, faults_of
from tests.rpc.one_switch import register_fresh

pytestmark = pytest.mark.slow

SHARE = 4
"""Every so many of the faults strike in one dialect."""


@pytest.mark.parametrize("dialect", dialects())
async def test_a_fault_at_any_line_leaves_nothing_undone(dialect: str, memory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=memory) as name, ThreadPoolExecutor(1) as thread:
        registered = thread.submit(register_fresh, Path(name), dialect).result()
        (Path(name) / "site").mkdir()
        async with bench_of(Path(name) / "site", dialect, registered) as bench:
            lines = await bench.lines_of_apply()
            dice = random.Random(dialect)
            for fault in faults_of(dialect)[dialects().index(dialect) % SHARE :: SHARE]:
                await bench.hurt(fault, dice.randrange(lines))
