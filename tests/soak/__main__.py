"""``make soak``: attack a daemon for long. Fails if it crashes, answers `internal`, or grows."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.fuzz import Wrong, fuzz

GROWTH = 1.25
"""How much larger the daemon may be at the end than after a quarter of the calls."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000, help="default: 100,000")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    given = parser.parse_args()
    print(f"{given.calls:,} random calls, seed {given.seed} …", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="haas-soak-") as folder:
        try:
            kinds, resident = fuzz(Path(folder), given.calls, given.seed)
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


if __name__ == "__main__":
    sys.exit(main())
