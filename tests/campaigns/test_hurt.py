"""A sample of ``make campaigns``: each way to hurt the daemon, at a few points of an apply."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.campaigns.attempts import CLOCK, KILLS, POWER, STORE, Attempt
from tests.campaigns.hurt import Staged, Zygote, hurt_site
from tests.campaigns.shim import can_compile

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_compile(), reason="wants a compiler, for tests/campaigns/shim.c"),
]

LINES = (18, 47)
WRITES = (40, 190)


async def hurt(attempt: Attempt, point: int, memory: Path, staged: Staged, zygote: Zygote) -> None:
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        async with hurt_site(Path(folder), staged, zygote) as site:
            assert await attempt(site, point), f"the apply ended before point {point}"


def cases(attempts: dict[str, Attempt], points: tuple[int, ...]) -> pytest.MarkDecorator:
    named = [
        pytest.param(attempt, point, id=f"{what}-{point}".replace(" ", "-"))
        for what, attempt in attempts.items()
        for point in points
    ]
    return pytest.mark.parametrize(("attempt", "point"), named)


@cases({what: each for what, each in KILLS.items() if "again" in what}, (90,))
async def test_a_daemon_that_dies_again_while_it_recovers_goes_on(
    attempt: Attempt, point: int, memory: Path, staged: Staged, zygote: Zygote
) -> None:
    await hurt(attempt, point, memory, staged, zygote)


@cases({what: each for what, each in KILLS.items() if "write" in what} | POWER, WRITES)
async def test_a_daemon_that_dies_as_it_writes_goes_on_when_it_is_started(
    attempt: Attempt, point: int, memory: Path, staged: Staged, zygote: Zygote
) -> None:
    await hurt(attempt, point, memory, staged, zygote)


@cases({what: each for what, each in KILLS.items() if "line" in what}, LINES)
async def test_a_daemon_that_dies_at_a_line_goes_on_when_it_is_started(
    attempt: Attempt, point: int, memory: Path, staged: Staged, zygote: Zygote
) -> None:
    await hurt(attempt, point, memory, staged, zygote)


@cases(STORE, (8,))
async def test_a_store_that_fails_ends_the_job_and_callers_hear_why(
    attempt: Attempt, point: int, memory: Path, staged: Staged, zygote: Zygote
) -> None:
    await hurt(attempt, point, memory, staged, zygote)


@cases(CLOCK, (30, 35))
async def test_nothing_comes_of_a_clock_that_is_set(
    attempt: Attempt, point: int, memory: Path, staged: Staged, zygote: Zygote
) -> None:
    await hurt(attempt, point, memory, staged, zygote)
