"""Keys typed ahead of a daemon that is slow: each acts on the result of the one before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.console import console
from tests.tui.gate import Which, answers_to, events, gate


@pytest.mark.parametrize(
    "held",
    [answers_to("node.allocate"), answers_to("node.show"), events],
    ids=["late answer", "late record", "late event"],
)
async def test_a_node_is_allocated_before_the_next_key_connects_it(
    socket: Path, held: Which
) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("network create lab")
        between.hold(held)
        await hands.burst("Acla\r")
        await hands.until(lambda: between.held, "the daemon has allocated node-01")
        between.open()
        await hands.until(lambda: hands.area("lab") == ["+ node-01:ipmi-nic bmc"])
