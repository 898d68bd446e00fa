"""The start of batch mode: the time of its imports, and heavy modules that it must not import."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.table import Row

BATCH = ("haas_console.cli", "haas_console.batch.online")
"""What ``haas-console -c 'node list'`` imports."""
CHECK = (
    "haas_console.cli",
    "haas_console.batch.script",
    "haas_console.core.api",
    "haas_console.core.language",
)
"""What ``haas-console --check`` imports: all of batch mode except the connection."""
HEAVY = ("textual", "rich")

_PROGRAM = """
import time
begun = time.perf_counter()
import {modules}
seconds = time.perf_counter() - begun
import json, sys
print(json.dumps([seconds, [name for name in {heavy!r} if name in sys.modules]]))
"""


def batch_imports(runs: int = 1, modules: tuple[str, ...] = BATCH) -> tuple[float, list[str]]:
    """Return the median seconds of batch mode's imports, and the heavy modules among them."""
    program = _PROGRAM.format(modules=", ".join(modules), heavy=HEAVY)
    results = [
        json.loads(subprocess.check_output([sys.executable, "-c", program])) for _ in range(runs)
    ]
    return statistics.median(seconds for seconds, _ in results), results[0][1]


def measure() -> Iterator[Row]:
    """Measure batch mode's start."""
    seconds, _ = batch_imports(7, CHECK)
    yield Row("batch mode, imports without a connection", seconds * 1000, "ms", 150, asserted=False)
    seconds, heavy = batch_imports(7)
    yield Row("batch mode, imports with a connection", seconds * 1000, "ms", 150, asserted=False)
    yield Row("batch mode, Textual or rich loaded", len(heavy), "modules", 0)
