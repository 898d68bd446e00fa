"""Events come in order, and many in one go leave the event loop to others."""

from __future__ import annotations

import asyncio
import itertools
import time

from haas_rpcd.events import Events
from haas_rpcd.looptime import PIECE
from haas_rpcd.tasks import cancel_and_wait
from haas_schemas.event import InventoryEvent

EVENTS = [f"node-{number}" for number in range(20)]
TURN = "turn"


class Heard:
    """A subscriber whose work with each event uses up a turn of the loop."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._arrived = asyncio.Event()

    def __call__(self, event: InventoryEvent, _admins_only: bool) -> None:
        until = time.perf_counter() + PIECE
        while time.perf_counter() < until:
            pass
        self.names.append(event.name)
        self._arrived.set()

    async def until(self, name: str) -> None:
        async with asyncio.timeout(60):
            while name not in self.names:
                self._arrived.clear()
                await self._arrived.wait()


async def test_what_others_do_comes_between_many_events_of_one_go() -> None:
    events, heard = Events(), Heard()

    async def turn() -> None:
        while True:
            heard.names.append(TURN)
            await asyncio.sleep(0)

    events.subscribe_inventory(heard)
    turning = asyncio.create_task(turn())
    await asyncio.sleep(0)
    for name in EVENTS:
        events.publish_inventory("node", "allocated", name)
    await heard.until(EVENTS[-1])
    await cancel_and_wait(turning)
    assert all(TURN in pair for pair in itertools.pairwise(heard.names))
    assert [name for name in heard.names if name != TURN] == EVENTS


async def test_an_event_is_not_published_before_earlier_ones_that_wait() -> None:
    events, heard = Events(), Heard()
    events.subscribe_inventory(heard)
    for name in EVENTS[:3]:
        events.publish_inventory("node", "allocated", name)
    await asyncio.sleep(0)
    events.publish_inventory("node", "freed", "last")
    await heard.until("last")
    assert heard.names == [*EVENTS[:3], "last"]


async def test_who_unsubscribes_receives_nothing_that_still_waits() -> None:
    events, leaving, staying = Events(), Heard(), Heard()
    unsubscribe = events.subscribe_inventory(leaving)
    events.subscribe_inventory(staying)
    for name in EVENTS[:3]:
        events.publish_inventory("node", "allocated", name)
    unsubscribe()
    await staying.until(EVENTS[2])
    assert leaving.names == EVENTS[:1]


async def test_who_subscribes_receives_nothing_that_was_published_before() -> None:
    """What it fetches after it has subscribed holds that already."""
    events, first, second = Events(), Heard(), Heard()
    events.subscribe_inventory(first)
    for name in EVENTS[:3]:
        events.publish_inventory("node", "allocated", name)
    events.subscribe_inventory(second)
    events.publish_inventory("node", "allocated", EVENTS[3])
    await second.until(EVENTS[3])
    assert first.names == EVENTS[:4]
    assert second.names == [EVENTS[3]]
