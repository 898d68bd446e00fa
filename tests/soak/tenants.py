"""Tenants who do not trust each other, for as long as asked.

Runs the state machine of tests/rpc/tenants.py with one seed after the other. A failure is shrunk,
printed, and ends the run; the same seed finds it again.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.rpc.parties import totals
from tests.rpc.tenants import TenantsMachine

EXAMPLES = 5
"""Sites for each seed."""

STEPS = 80
"""Rules for each site, at most."""


def play(number: int) -> None:
    """Run the machine with one seed. Raises what the failing machine raised."""
    wanted = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(TenantsMachine), settings=wanted)


GROWTH = 1.15
"""The most that the process may grow after a third of the time."""


class Size(NamedTuple):
    """What is left after a seed: its time in minutes, MB in use, and objects of the daemon's."""

    at: float
    memory: float
    objects: int


def report(begun: float, sizes: Sequence[Size]) -> bool:
    """Print what was done since ``begun``; return whether what is left stayed the same."""
    minutes = (time.monotonic() - begun) / 60
    print(f"after {minutes:.1f} minutes:")
    for what, count in sorted(totals.items()):
        print(f"  {count:9,} {what}")
    settled = [size for size in sizes if size.at >= minutes / 3][:-1]
    if not settled:
        return True
    first, last = settled[0], sizes[-1]
    print(
        f"  after a third of the time, and at the end: {first.memory:.0f} and {last.memory:.0f} MB,"
        f" {first.objects:,} and {last.objects:,} objects of the daemon's",
        flush=True,
    )
    return last.memory <= GROWTH * first.memory and last.objects <= GROWTH * first.objects


def _size(begun: float) -> Size:
    """Return what is left of all sites so far; the daemon has ended, and so have the switches.

    What was freed is given back to the system first: the threads of each new daemon fill other
    arenas of malloc, so that its free lists grow without anything being kept.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Size(
        (time.monotonic() - begun) / 60,
        pages * resource.getpagesize() / 1e6,
        sum(str(type(each).__module__).startswith("haas_rpcd.") for each in gc.get_objects()),
    )


def run(minutes: float, first: int) -> int:
    """Play for so many minutes, with seeds from ``first`` on; return 1 if memory grew, else 0.

    Raises what a failing machine raised.
    """
    logging.getLogger("haas_rpcd").propagate = False  # warnings of the switches' faults
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    begun, number = time.monotonic(), first
    sizes: list[Size] = []
    print(f"tenants for {minutes:g} minutes, seeds from {number} …", flush=True)
    while time.monotonic() - begun < minutes * 60:
        try:
            play(number)
        except BaseException:
            report(begun, sizes)
            print(f"wrong: seed {number} (SEED={number} finds it again)", flush=True)
            raise
        number += 1
        sizes.append(_size(begun))
    if report(begun, sizes):
        return 0
    print(f"wrong: what is left grew by more than {GROWTH - 1:.0%}")
    return 1
