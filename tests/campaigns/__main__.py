"""``make campaigns``: hurt the daemon in all ways at all points. Fails if it does not recover."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from haas_rpcd.sim.personalities import dialects
from tests.campaigns import masters
from tests.campaigns.attempts import ALL, Attempt
from tests.campaigns.devices import bench_of, faults_of
from tests.campaigns.hurt import Staged, Zygote, hurt_site, stage
from tests.campaigns.shim import Shim
from tests.rpc.one_switch import Registered, register_fresh

MEMORY = Path("/dev/shm")
DEVICES = "devices"
MASTERS = "masters"


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


def hurt_daemon(kind: str, first: int, every: int, folder: Path) -> int:
    """Try all attempts of a kind at the points that are wanted; return how many went wrong."""
    wrong = 0
    with prepared(folder) as (staged, zygote):
        for what, tried in ALL[kind].items():
            points = 0
            for number in count(first, every):
                with tempfile.TemporaryDirectory(dir=folder) as name:
                    site = Path(name) / "site"
                    try:
                        if not asyncio.run(attempt(tried, number, site, staged, zygote)):
                            break
                    except Exception:  # noqa: BLE001 - the others are tried all the same
                        wrong += 1
                        print(f"wrong: {what} {number}\n{traceback.format_exc()}", flush=True)
                points += 1
            print(f"{points:6} {what}", flush=True)
    return wrong


def hurt_switches(first: int, every: int, folder: Path) -> int:
    """Let each fault strike in each dialect; return how many times that went wrong."""
    wrong = 0
    totals: Counter[str] = Counter()

    async def strike(dialect: str, fault: str, registered: Registered, site: Path) -> None:
        async with bench_of(site, dialect, registered) as bench:
            lines = await bench.lines_of_apply()
            for line in range(first, lines, every):
                await bench.hurt(fault, line)
                totals[fault] += 1

    for dialect in dialects():
        with tempfile.TemporaryDirectory(dir=folder) as name:
            registered = register_fresh(Path(name), dialect)
        for fault in faults_of(dialect):
            with tempfile.TemporaryDirectory(dir=folder) as name:
                try:
                    asyncio.run(strike(dialect, fault, registered, Path(name)))
                except Exception:  # noqa: BLE001 - the others are tried all the same
                    wrong += 1
                    print(f"wrong: {dialect} {fault}\n{traceback.format_exc()}", flush=True)
        print(f"{totals.total():6} faults so far, with {dialect}", flush=True)
    for fault, number in totals.items():
        print(f"{number:6} a switch {fault}", flush=True)
    return wrong


def hurt_masters(first: int, every: int, folder: Path) -> int:
    """Harm one of two masters at each line of a job; return how many times that went wrong."""
    wrong = 0
    with masters.Etcd(folder) as etcd:
        for harm in masters.HARMS:
            points = 0
            for number in count(first, every):
                with tempfile.TemporaryDirectory(dir=folder) as name:
                    try:
                        if not masters.attempt(Path(name), etcd, harm, number):
                            break
                    except Exception:  # noqa: BLE001 - the others are tried all the same
                        wrong += 1
                        print(f"wrong: {harm} at {number}\n{traceback.format_exc()}", flush=True)
                points += 1
            print(f"{points:6} the master is {harm} at a line", flush=True)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="make campaigns", description=__doc__)
    parser.add_argument("--only", choices=[*ALL, DEVICES, MASTERS], help="only one kind")
    parser.add_argument("--every", type=int, default=1, help="try one of so many points")
    parser.add_argument("--first", type=int, default=0, help="begin with this point")
    given = parser.parse_args()
    logging.getLogger("haas_rpcd").setLevel(logging.CRITICAL)  # it is full of the faults
    wrong, begun = 0, time.monotonic()
    base = str(MEMORY) if MEMORY.is_dir() else None
    for kind in [given.only] if given.only else [*ALL, DEVICES, MASTERS]:
        with tempfile.TemporaryDirectory(prefix="haas-campaign-", dir=base) as name:
            if kind == MASTERS:
                wrong += hurt_masters(given.first, given.every, Path(name))
            elif kind == DEVICES:
                wrong += hurt_switches(given.first, given.every, Path(name))
            else:
                wrong += hurt_daemon(kind, given.first, given.every, Path(name))
    print(f"{wrong} wrong, {time.monotonic() - begun:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
