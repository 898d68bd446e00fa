"""Those who have much to do on the event loop leave it to others after each piece."""

from __future__ import annotations

import asyncio
import itertools
import time

from haas_rpcd.looptime import PIECE, LoopTurns
from haas_rpcd.tasks import cancel_and_wait

TURN = "turn"
WORKERS = 20
ITEMS = 5


def work() -> None:
    """Use up a piece."""
    until = time.perf_counter() + PIECE
    while time.perf_counter() < until:
        pass


async def test_in_a_turn_of_the_loop_one_piece_is_done_however_many_work() -> None:
    turns, done = LoopTurns(), list[str]()

    async def worker(name: str) -> None:
        async for _ in turns.in_pieces(range(ITEMS)):
            work()
            done.append(name)

    async def turn() -> None:
        while True:
            done.append(TURN)
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await asyncio.gather(*(worker(f"worker {number}") for number in range(WORKERS)))
    await cancel_and_wait(turning)
    assert all(TURN in pair for pair in itertools.pairwise(done))
    assert len([name for name in done if name != TURN]) == WORKERS * ITEMS


async def test_one_who_gives_up_waiting_holds_up_nobody() -> None:
    turns = LoopTurns()
    waiting = [asyncio.create_task(turns.take()) for _ in range(3)]
    await cancel_and_wait(waiting[0], waiting[1])
    await waiting[2]
    await turns.take()


async def test_no_items_take_no_turn() -> None:
    assert [item async for item in LoopTurns().in_pieces(())] == []
