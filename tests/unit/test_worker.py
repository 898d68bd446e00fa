"""A device's worker has one session, opened when needed and closed when no longer needed.

Every request is answered, whatever fails, and whichever other request is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from haas_rpcd.drivers import Driver, Outcome, Progress, Report
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PresenceSeen, Seen


class SlowDevice:
    """A device that answers, and closes its session, only when the test lets it."""

    max_batch = 1
    registered = None

    def __init__(self) -> None:
        self.sessions = 0
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.closing = asyncio.Event()
        self.may_close = asyncio.Event()
        self.may_answer.set()
        self.may_close.set()

    def preview(self, changes: Sequence[Any], *_: object) -> list[list[str]]:
        return [[] for _ in changes]

    async def open(self, report: Report) -> None:
        self.sessions += 1

    async def usable(self) -> bool:
        return True

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        return [Outcome("sent") for _ in changes]

    async def observe(self, changes: Sequence[Any]) -> list[Seen | DeviceError]:
        self.asked.set()
        await self.may_answer.wait()
        return [PresenceSeen(True) for _ in changes]

    async def close(self) -> None:
        self.closing.set()
        await self.may_close.wait()


@pytest.fixture
def device() -> SlowDevice:
    return SlowDevice()


@pytest.fixture
async def worker(device: SlowDevice) -> AsyncIterator[Worker]:
    async def make() -> Driver:
        return device

    worker = Worker("sw1", make)
    yield worker
    device.may_close.set()
    await worker.stop()


async def presence(driver: Driver) -> object:
    return await driver.observe([None])


THERE = [PresenceSeen(True)]


async def test_an_unused_session_is_closed_every_time(device: SlowDevice, worker: Worker) -> None:
    for sessions in (1, 2, 3):
        device.closing.clear()
        await worker.read(presence)
        async with asyncio.timeout(5):
            await device.closing.wait()
        assert device.sessions == sessions


async def test_an_acquired_session_stays_open_until_it_is_released(
    device: SlowDevice, worker: Worker
) -> None:
    worker.acquire()
    await worker.read(presence)
    await worker.read(presence)
    assert device.sessions == 1
    assert not device.closing.is_set()

    worker.release()

    async with asyncio.timeout(5):
        await device.closing.wait()


async def test_a_session_that_fails_its_first_check_is_closed(device: SlowDevice) -> None:
    """Otherwise it would keep one of the switch's few sessions for ever."""

    async def make() -> Driver:
        return device

    async def check(name: str, driver: Driver) -> None:
        raise DeviceError(f"{name} did not answer.", reason="timeout")

    worker = Worker("sw1", make, on_open=check)
    with pytest.raises(DeviceError, match="sw1 did not answer"):
        await worker.read(presence)
    assert device.closing.is_set()
    await worker.stop()


async def test_a_request_that_arrives_while_the_session_is_closing_is_answered(
    device: SlowDevice, worker: Worker
) -> None:
    device.may_close.clear()
    await worker.read(presence)
    await device.closing.wait()

    late = asyncio.create_task(worker.read(presence))
    await asyncio.sleep(0)  # let it queue
    device.may_close.set()

    async with asyncio.timeout(5):
        assert await late == THERE
    assert device.sessions == 2


async def test_cancelling_a_reader_leaves_the_session_open_for_the_next(
    device: SlowDevice, worker: Worker
) -> None:
    device.may_answer.clear()
    first = asyncio.create_task(worker.read(presence))
    await device.asked.wait()
    second = asyncio.create_task(worker.read(presence))
    await asyncio.sleep(0)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    device.may_answer.set()

    async with asyncio.timeout(5):
        assert await second == THERE
    assert device.sessions == 1


async def test_a_reader_cancelled_before_its_turn_reads_nothing(
    device: SlowDevice, worker: Worker
) -> None:
    device.may_answer.clear()
    first = asyncio.create_task(worker.read(presence))
    await device.asked.wait()
    read: list[str] = []

    async def note(driver: Driver) -> None:
        read.append("second")

    second = asyncio.create_task(worker.read(note))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    device.may_answer.set()

    async with asyncio.timeout(5):
        assert await first == THERE
        assert await worker.read(presence) == THERE
    assert read == []


async def test_a_cancelled_future_inside_a_read_fails_this_read_only(
    device: SlowDevice, worker: Worker
) -> None:

    async def await_cancelled_future(driver: Driver) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    device.may_answer.clear()
    first = asyncio.create_task(worker.read(presence))
    await device.asked.wait()
    broken = asyncio.create_task(worker.read(await_cancelled_future))
    last = asyncio.create_task(worker.read(presence))
    await asyncio.sleep(0)
    device.may_answer.set()

    async with asyncio.timeout(5):
        assert await first == THERE
        with pytest.raises(RuntimeError, match="sw1"):
            await broken
        assert await last == THERE


async def test_a_session_that_fails_to_close_leaves_no_request_waiting(
    device: SlowDevice, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drivers promise not to raise in close(); one that does must not hang the worker."""

    async def fails() -> None:
        raise OSError("no such socket")

    async def refused(driver: Driver) -> None:
        raise DeviceError("sw1 does not know that.", reason="refused")

    monkeypatch.setattr(device, "close", fails)
    first = asyncio.create_task(worker.read(refused))
    second = asyncio.create_task(worker.read(presence))

    async with asyncio.timeout(5):
        with pytest.raises(DeviceError, match="does not know"):
            await first
        assert await second == THERE
        assert await worker.read(presence) == THERE


async def test_requests_still_waiting_when_the_worker_stops_fail(
    device: SlowDevice, worker: Worker
) -> None:
    device.may_answer.clear()
    first = asyncio.create_task(worker.read(presence))
    await device.asked.wait()
    second = asyncio.create_task(worker.read(presence))
    await asyncio.sleep(0)

    await worker.stop()

    async with asyncio.timeout(5):
        results = await asyncio.gather(first, second, return_exceptions=True)
    assert [str(result) for result in results] == ["haas-rpcd is stopping: try again later."] * 2


async def test_stopping_the_worker_can_itself_be_cancelled(
    device: SlowDevice, worker: Worker
) -> None:
    """The cancellation arrives while the session is closing, and is not lost."""
    await worker.read(presence)
    device.may_close.clear()
    device.closing.clear()
    worker.acquire()
    await worker.read(presence)
    stopping = asyncio.create_task(worker.stop())
    await device.closing.wait()

    stopping.cancel()

    with pytest.raises(asyncio.CancelledError):
        await stopping
