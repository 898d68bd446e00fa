"""Isolation under attack: a short run of the state machine in tenants.py, always the same one."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.rpc.parties import totals
from tests.rpc.tenants import TenantsMachine


@pytest.mark.slow
@pytest.mark.timeout(900)  # a failure is shrunk
def test_tenants_who_do_not_trust_each_other() -> None:
    totals.clear()
    run_state_machine_as_test(
        TenantsMachine,
        settings=settings(
            max_examples=10,
            stateful_step_count=50,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert totals["lines"] > 1000
    assert totals["foreign things compared with nonexistent ones"] > 0
