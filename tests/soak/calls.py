"""Attacks a daemon with random calls. Fails if it crashes, answers `internal`, or grows."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.soak.fuzz import Wrong, fuzz

GROWTH = 1.25
"""How much larger the daemon may be at the end than after a quarter of the calls."""


def run(calls: int, seed: int) -> int:
    """Send so many calls; return 1 if something is wrong."""
    print(f"{calls:,} random calls, seed {seed} …", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="haas-soak-") as folder:
        try:
            kinds, resident = fuzz(Path(folder), calls, seed)
        except Wrong as wrong:
            print(f"wrong: {wrong}")
            return 1
    print(f"answered in {time.monotonic() - begun:.0f} s:")
    for kind, count in kinds.most_common():
        print(f"  {count:8,} {kind}")
    print("MB resident:", *(f"{each / 1e6:.0f}" for each in resident))
    quarter = resident[len(resident) // 4]
    if resident[-1] > quarter * GROWTH:
        print(f"wrong: the daemon grew from {quarter / 1e6:.0f} to {resident[-1] / 1e6:.0f} MB")
        return 1
    return 0
