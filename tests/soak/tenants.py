"""Tenants who do not trust each other, for as long as asked.

Runs the state machine of tests/rpc/tenants.py with one seed after the other. A failure is shrunk,
printed, and ends the run; the same seed finds it again.
"""

from __future__ import annotations

import logging
import time

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


def report(begun: float) -> None:
    print(f"after {(time.monotonic() - begun) / 60:.1f} minutes:")
    for what, count in sorted(totals.items()):
        print(f"  {count:9,} {what}", flush=True)


def run(minutes: float, first: int) -> int:
    """Play for so many minutes, with seeds from ``first`` on; return 0.

    Raises what a failing machine raised.
    """
    logging.getLogger("haas_rpcd").propagate = False  # warnings of the switches' faults
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    begun, number = time.monotonic(), first
    print(f"tenants for {minutes:g} minutes, seeds from {number} …", flush=True)
    while time.monotonic() - begun < minutes * 60:
        try:
            play(number)
        except BaseException:
            report(begun)
            print(f"wrong: seed {number} (SEED={number} finds it again)", flush=True)
            raise
        number += 1
    report(begun)
    return 0
