"""``make bench``: measure, print a table, and fail if a count or a size is over its budget.

``ONLY=backup``: instead of all else, backup and restore of a site with all of its 417 switches;
``ONLY=masters``: what a second master costs; ``ONLY=reads``: calls beside a bare hello;
``ONLY=loop``: what holds the daemon's event loop, and for how long.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench import (
    api,
    backup,
    console,
    fairness,
    first_apply,
    hello,
    loop,
    masters,
    noise,
    startup,
    switching,
)
from tests.bench.big_site import NODES, big_site
from tests.bench.table import Row, show


def rows(folder: Path, nodes: int, only: str | None) -> Iterator[Row]:
    """Measure everything, with progress on stderr."""
    if only == "masters":
        print("two masters …", file=sys.stderr)
        yield from masters.measure(folder / "masters")
        return
    if only == "loop":
        print("the event loop …", file=sys.stderr)
        yield from loop.measure(folder, nodes)
        return
    if only == "backup":
        print(f"backup and restore of {nodes:,} nodes …", file=sys.stderr)
        yield from backup.measure(folder / "backup", nodes)
        return
    if only == "reads":
        with big_site(folder / "big", nodes) as (daemon, _):
            yield from hello.measure(daemon, folder)
        return
    if only != "console":
        print("the switches …", file=sys.stderr)
        yield from switching.measure(folder)
        print("a noisy device …", file=sys.stderr)
        yield from noise.measure(folder / "noise")
        print("beside others …", file=sys.stderr)
        yield from fairness.measure(folder / "fair")
    if only == "switches":
        return
    print("batch mode …", file=sys.stderr)
    yield from startup.measure()
    print("the demo …", file=sys.stderr)
    yield from first_apply.measure(folder)
    print(f"a site of {nodes:,} nodes …", file=sys.stderr)
    with big_site(folder / "big", nodes) as (daemon, switch):
        print("the daemon …", file=sys.stderr)
        yield from api.measure(daemon, switch, nodes, folder)
        print("the console …", file=sys.stderr)
        yield from console.measure(daemon, switch, nodes, folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--nodes", type=int, default=NODES, help=f"default: {NODES:,}")
    parts = ["switches", "console", "backup", "masters", "reads", "loop"]
    parser.add_argument("--only", choices=parts)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="haas-bench-") as folder:
        measured = list(rows(Path(folder), given.nodes, given.only))
    print(show(measured))
    return int(any(row.over and row.asserted for row in measured))


if __name__ == "__main__":
    sys.exit(main())
