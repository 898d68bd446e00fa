"""A cancelled call to a switch ends at once, wherever the cancellation lands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.model import PARKED, PortConfig, SaveConfig, SetVlan
from haas_rpcd.sim.ios import IosSwitch
from tests.unit.catalyst import catalyst, port
from tests.unit.dialects.harness import Recorder, driver_of

CHANGES = [SetVlan(100, True), port(PortConfig(100)), SaveConfig()]

CALLS: dict[str, Callable[[SwitchDriver], Awaitable[object]]] = {
    "open": lambda driver: driver.open(lambda line: None),
    "send": lambda driver: driver.send(CHANGES, Recorder()),
    "observe": lambda driver: driver.observe([port(PARKED), SetVlan(100, True)]),
    "uptime": lambda driver: driver.uptime(),
    "close": lambda driver: driver.close(),
}


async def after_steps(task: asyncio.Task[object], steps: int) -> None:
    """Return after this many steps of the loop, or as soon as the task is done."""
    for _ in range(steps):
        if task.done():
            return
        await asyncio.sleep(0)


async def no_session(switch: IosSwitch) -> None:
    """Wait until the switch has no session left."""
    async with asyncio.timeout(10):
        while switch.sessions:
            await switch.sessions[0].closed


@pytest.mark.parametrize("name", CALLS)
async def test_no_cancellation_is_lost_and_no_session_stays_open(name: str) -> None:
    cancelled = steps = 0
    async with catalyst() as switch:
        while True:
            driver = driver_of(switch)
            if name != "open":
                await driver.open(lambda line: None)
            call = asyncio.ensure_future(CALLS[name](driver))
            await after_steps(call, steps)
            if not call.cancel():
                break  # it finished first: every step was tried
            with contextlib.suppress(asyncio.CancelledError):
                await call
            assert call.cancelled(), f"after {steps} steps"
            cancelled += 1
            steps += 1 + steps // 20
            await driver.close()
            await no_session(switch)
        await driver.close()
        await no_session(switch)
    assert cancelled
