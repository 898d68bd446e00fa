"""Work that is repeated goes on after a failure; work at the end of something has a limit."""

from __future__ import annotations

import asyncio

import pytest

from haas_rpcd.errors import StoreError
from haas_rpcd.tasks import cancel_and_wait, ends_within, every, repeat


async def test_a_failed_round_is_logged_and_the_next_one_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    changed, rounds = asyncio.Event(), asyncio.Queue[int]()

    async def check() -> float:
        rounds.put_nowait(1)
        if rounds.qsize() == 1:
            raise LookupError("the disk is full")
        return 3600.0

    task = asyncio.create_task(repeat(check, changed, at_most=0.0, what="leases failed"))
    async with asyncio.timeout(10):
        while rounds.qsize() < 2:
            await asyncio.wait({task}, timeout=0.01)
        assert "leases failed" in caplog.text
        changed.set()  # it would wait for an hour
        while rounds.qsize() < 3:
            await asyncio.wait({task}, timeout=0.01)
    await cancel_and_wait(task)
    assert task.cancelled()


async def test_regular_work_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    twice = asyncio.Event()

    async def work() -> None:
        done.append("tried")
        if len(done) == 1:
            raise StoreError("The disk is full.")
        twice.set()

    task = asyncio.create_task(every(0.0, work, "the check failed"))
    await asyncio.wait_for(twice.wait(), 10)
    await cancel_and_wait(task)
    assert "the check failed: The disk is full." in caplog.text


async def test_work_at_the_end_of_a_cancelled_task_has_its_time_and_no_more() -> None:
    said: list[bool] = []

    async def hold_something() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            said.append(await ends_within(5.0, asyncio.sleep(0)))
            said.append(await ends_within(0.01, asyncio.Event().wait()))

    task = asyncio.create_task(hold_something())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert said == [True, False]


async def test_what_the_work_raises_is_raised() -> None:
    async def fail() -> None:
        raise ConnectionError("it is gone")

    with pytest.raises(ConnectionError, match="it is gone"):
        await ends_within(5.0, fail())
