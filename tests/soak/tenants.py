"""Tenants who do not trust each other, for as long as asked.

Runs the state machine of tests/rpc/tenants.py with one seed after the other. A failure is shrunk,
printed, and ends the run; the same seed finds it again.
"""

from __future__ import annotations

import gc
import logging
import resource
import time
from collections.abc import Sequence
from pathlib import Path

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


def report(begun: float, sizes: Sequence[tuple[float, float]]) -> bool:
    """Print what was done; return whether memory stayed flat.

    ``sizes``: after each seed the minutes since ``begun``, and MB.
    """
    minutes = (time.monotonic() - begun) / 60
    print(f"after {minutes:.1f} minutes:")
    for what, count in sorted(totals.items()):
        print(f"  {count:9,} {what}")
    settled = [size for at, size in sizes if at >= minutes / 3][:-1]
    if not settled:
        return True
    first, last = settled[0], sizes[-1][1]
    print(
        f"  memory: {first:.0f} MB after a third of the time, {last:.0f} MB at the end", flush=True
    )
    return last <= GROWTH * first


def _size() -> float:
    """Return the process' resident memory in MB; the daemon and the switches are part of it."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def run(minutes: float, first: int) -> int:
    """Play for so many minutes, with seeds from ``first`` on; return 1 if memory grew, else 0.

    Raises what a failing machine raised.
    """
    logging.getLogger("haas_rpcd").propagate = False  # warnings of the switches' faults
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    begun, number = time.monotonic(), first
    sizes: list[tuple[float, float]] = []
    print(f"tenants for {minutes:g} minutes, seeds from {number} …", flush=True)
    while time.monotonic() - begun < minutes * 60:
        try:
            play(number)
        except BaseException:
            report(begun, sizes)
            print(f"wrong: seed {number} (SEED={number} finds it again)", flush=True)
            raise
        number += 1
        sizes.append(((time.monotonic() - begun) / 60, _size()))
    if report(begun, sizes):
        return 0
    print(f"wrong: the process grew by more than {GROWTH - 1:.0%}")
    return 1
