"""``make soak``: three ways to keep a daemon busy for long. Fails if anything is wrong.

``calls``: random calls of every method. ``tenants``: hostile tenants, isolation after each line.
``load``: readers, appliers and watchers on a site of 1,000 nodes, with a restart in the middle.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.soak import calls, load, tenants

PARTS = ("calls", "tenants", "load")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--part", choices=PARTS, help="default: all")
    parser.add_argument("--calls", type=int, default=100_000, help="default: 100,000")
    parser.add_argument("--minutes", type=float, help="default: 5 for tenants, 10 for load")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    given = parser.parse_args()
    wrong = 0
    for part in [given.part] if given.part else PARTS:
        if part == "calls":
            wrong |= calls.run(given.calls, given.seed)
        elif part == "tenants":
            wrong |= tenants.run(given.minutes or 5.0, given.seed)
        else:
            wrong |= load.run(given.minutes or 10.0, given.seed)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
