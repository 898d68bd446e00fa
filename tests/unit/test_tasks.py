"""Ending tasks: the caller's own cancellation is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from haas_rpcd.tasks import cancel_and_wait


async def wait_forever() -> None:
    await asyncio.Event().wait()


async def fail_when_cancelled() -> None:
    try:
        await wait_forever()
    except asyncio.CancelledError:
        raise LookupError("failed while stopping") from None


@pytest.mark.parametrize("inner", [wait_forever, fail_when_cancelled])
@pytest.mark.parametrize("ticks", range(1, 8))
async def test_a_cancellation_in_any_tick_after_the_inner_one_reaches_the_caller(
    ticks: int, inner: Callable[[], Awaitable[None]]
) -> None:
    """Tick 1 is the one in which the inner task receives its cancellation."""
    task = asyncio.ensure_future(inner())
    await asyncio.sleep(0)  # it runs
    stopping = asyncio.create_task(cancel_and_wait(task))
    for _ in range(ticks):
        await asyncio.sleep(0)
    cancelled = stopping.cancel()
    await asyncio.wait({stopping})
    assert stopping.cancelled() == cancelled
    assert task.done()


async def test_it_returns_when_all_tasks_have_ended(caplog: pytest.LogCaptureFixture) -> None:
    failing = asyncio.create_task(fail_when_cancelled(), name="the failing one")
    tasks = [asyncio.create_task(wait_forever()), failing]
    await asyncio.sleep(0)
    await cancel_and_wait(*tasks)
    assert all(task.done() for task in tasks)
    assert "the failing one failed while it was stopped" in caplog.text
    await cancel_and_wait()  # of nothing
