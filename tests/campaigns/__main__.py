"""``make campaigns``: hurt the daemon in all ways at all points. Fails if it does not recover."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.campaigns.attempts import ALL, Attempt
from tests.campaigns.hurt import Staged, Zygote, hurt_site, stage
from tests.campaigns.shim import Shim

MEMORY = Path("/dev/shm")


async def attempt(
    tried: Attempt, number: int, folder: Path, staged: Staged, zygote: Zygote
) -> bool:
    """Try one attempt on a copy of the staged site. Raises what it finds wrong."""
    folder.mkdir()
    async with hurt_site(folder, staged, zygote) as site:
        return await tried(site, number)


@contextmanager
def prepared(folder: Path) -> Iterator[tuple[Staged, Zygote]]:
    """Provide a staged site, and a process that starts daemons."""
    (folder / "staged").mkdir()
    staged = stage(folder / "staged")
    with Zygote(Shim(folder)) as zygote:
        yield staged, zygote


def main() -> int:
    parser = argparse.ArgumentParser(prog="make campaigns", description=__doc__)
    parser.add_argument("--only", choices=ALL, help="only one kind")
    parser.add_argument("--every", type=int, default=1, help="try every so manieth point only")
    parser.add_argument("--first", type=int, default=0, help="begin with this point")
    given = parser.parse_args()
    wrong, begun = 0, time.monotonic()
    base = str(MEMORY) if MEMORY.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="haas-campaign-", dir=base) as name,
        prepared(Path(name)) as (staged, zygote),
    ):
        for kind in [given.only] if given.only else ALL:
            for what, tried in ALL[kind].items():
                points = 0
                for number in count(given.first, given.every):
                    with tempfile.TemporaryDirectory(dir=name) as folder:
                        try:
                            site = Path(folder) / "site"
                            if not asyncio.run(attempt(tried, number, site, staged, zygote)):
                                break
                        except Exception:  # noqa: BLE001 - the others are tried all the same
                            wrong += 1
                            print(f"wrong: {what} {number}\n{traceback.format_exc()}", flush=True)
                    points += 1
                print(f"{points:6} {what}", flush=True)
    print(f"{wrong} wrong, {time.monotonic() - begun:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
