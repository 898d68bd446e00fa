"""Plans and jobs with more steps than anybody reads: the first ones are shown, and all are done."""

from __future__ import annotations

from typing import Any

import pytest

from haas_schemas.job import MOST_STEPS
from tests.rpc.small_site import SmallSite

PORTS = 500
SWITCHES = MOST_STEPS // PORTS + 1


def big_site() -> dict[str, Any]:
    """Switches that do not answer, with a node behind each port."""
    ports = [f"Gi1/0/{number}" for number in range(1, PORTS + 1)]
    return {
        "switches": {
            f"far{number:02}": {
                "dialect": "cisco_ios",
                "host": "127.0.0.1",
                "port": 1000 + number,
                "credential": "lab",
                "access": ports,
            }
            for number in range(SWITCHES)
        }
    }


@pytest.mark.slow
async def test_the_first_steps_are_shown_and_the_others_are_counted(empty_site: SmallSite) -> None:
    site = empty_site
    await site.call("site.import", site=big_site())

    plan = await site.call("plan.show")
    assert len(plan["steps"]) == MOST_STEPS
    assert any(step["lines"] for step in plan["steps"][:PORTS])
    whole = MOST_STEPS + plan["more"]
    assert whole >= SWITCHES * PORTS

    last = await site.call("plan.show", device=f"far{SWITCHES - 1:02}")
    assert {step["device"] for step in last["steps"]} == {f"far{SWITCHES - 1:02}"}
    assert len(last["steps"]) >= PORTS
    assert last["more"] == 0
    assert (last["digest"], last["empty"]) == (plan["digest"], False), "it is the same plan"

    job = await site.apply(digest=plan["digest"])
    assert job["state"] == "failed", "no switch is there"
    assert job["total"] == whole
    assert len(job["steps"]) == MOST_STEPS
    assert job["more"] == whole - MOST_STEPS
    failed = [step["device"] for step in job["steps"] if step["state"] == "failed"]
    assert set(failed) == {f"far{number:02}" for number in range(SWITCHES)}, (
        "one that failed is shown, however late it comes"
    )
    one = await site.call("job.show", job=job["job"], device="far03")
    assert {step["device"] for step in one["steps"]} == {"far03"}
    assert one["more"] == 0
