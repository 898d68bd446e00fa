"""What it costs to start: batch mode's imports, and what they must not bring in."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.table import Row

BATCH = ("haas_console.cli", "haas_console.batch.online")
"""What ``haas-console -c 'node list'`` imports."""
HEAVY = ("textual", "rich")

_PROGRAM = f"""
import time
begun = time.perf_counter()
import {", ".join(BATCH)}
seconds = time.perf_counter() - begun
import json, sys
print(json.dumps([seconds, [name for name in {HEAVY!r} if name in sys.modules]]))
"""


def batch_imports(runs: int = 1) -> tuple[float, list[str]]:
    """Seconds that batch mode's imports take (median), and the heavy modules among them."""
    results = [
        json.loads(subprocess.check_output([sys.executable, "-c", _PROGRAM])) for _ in range(runs)
    ]
    return statistics.median(seconds for seconds, _ in results), results[0][1]


def measure() -> Iterator[Row]:
    """Measure batch mode's start."""
    seconds, heavy = batch_imports(7)
    yield Row("batch mode, imports", seconds * 1000, "ms", 150, asserted=False)
    yield Row("batch mode, Textual or rich loaded", len(heavy), "modules", 0)
