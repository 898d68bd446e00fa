"""The console ends when it is told to, whatever is under way, and nothing is drawn after that."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from haas_console.tui.screen import ALL
from tests.tui.apply_hands import staged_site
from tests.tui.console import console
from tests.tui.gate import answers_to, gate


async def test_a_job_that_fails_after_the_end_is_announced_on_no_screen() -> None:
    async with staged_site() as site:
        site.slow(0.2)
        async with console(site.socket) as hands:
            job = (await site.call("apply.start", project="astro"))["job"]
            await hands.until(lambda: f"job {job}" in hands.bar("top"), "the job is known")
        session = hands.app.session
        assert not hands.app.screen_stack
        session.inventory.jobs[job] = replace(session.inventory.jobs[job], state="failed")
        session.sync.notify(*ALL, "event")
        await site.ended(job)


@pytest.mark.parametrize("method", ["nic.connect", "plan.show", "node.show"])
async def test_the_console_ends_while_an_answer_is_awaited(socket: Path, method: str) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("network create lab", "node allocate --node node-01")
        between.hold(answers_to(method))
        await hands.burst("cla\ra")
        await hands.until(lambda: between.held)
        await hands.burst("zD")
        hands.app.exit(0)
    assert hands.app.return_code == 0
    assert not hands.app.screen_stack


async def test_the_console_ends_while_a_question_is_open(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        await hands.press("n", "l", "a", "b")
        hands.app.exit(0)
    assert hands.app.return_code == 0
    assert ("astro", "lab") not in hands.app.session.inventory.networks
