"""A device's worker: one session, opened when it is needed and closed when nobody needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from haas_rpcd.drivers import Driver, Outcome, Progress, Report
from haas_rpcd.engine.worker import Worker
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PresenceSeen, Seen


class SlowToClose:
    """A device that takes its time to say goodbye."""

    continue_after_refusal = True
    max_batch = 1
    registered = None

    def __init__(self) -> None:
        self.sessions = 0
        self.closing = asyncio.Event()
        self.may_close = asyncio.Event()

    def preview(self, changes: Sequence[Any], now: object = None) -> list[list[str]]:
        return [[] for _ in changes]

    async def open(self, report: Report) -> None:
        self.sessions += 1

    async def usable(self) -> bool:
        return True

    async def send(self, changes: Sequence[Any], progress: Progress) -> list[Outcome]:
        return [Outcome("sent") for _ in changes]

    async def observe(self, changes: Sequence[Any]) -> list[Seen | DeviceError]:
        return [PresenceSeen(True) for _ in changes]

    async def close(self) -> None:
        self.closing.set()
        await self.may_close.wait()


async def test_work_that_comes_while_the_session_is_being_closed_is_not_lost() -> None:
    device = SlowToClose()

    async def make() -> Driver:
        return device

    worker = Worker("sw1", make)
    await worker.look(lambda driver: driver.observe([None]))
    await device.closing.wait()

    late = asyncio.create_task(worker.look(lambda driver: driver.observe([None])))
    await asyncio.sleep(0)  # let it queue up
    device.may_close.set()

    async with asyncio.timeout(5):
        assert await late == [PresenceSeen(True)]
    assert device.sessions == 2
