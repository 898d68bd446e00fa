"""One that went to sleep as master and wakes as nothing does nothing more."""

from __future__ import annotations

import asyncio
import os

from haas_rpcd.ha.waking import WakingLoop


def test_who_wakes_asks_before_it_handles_what_came_meanwhile() -> None:
    done: list[str] = []

    async def sleep_and_wake() -> None:
        reading, writing = os.pipe()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WakingLoop)
        heard = asyncio.Event()

        def hear() -> None:
            done.append("handled")
            loop.remove_reader(reading)
            heard.set()

        loop.add_reader(reading, hear)
        loop.at_waking = lambda: done.append("asked")
        os.write(writing, b"sw1#")  # what a switch answered while the process was stopped
        await heard.wait()
        loop.at_waking = None
        os.close(reading)
        os.close(writing)

    with asyncio.Runner(loop_factory=WakingLoop) as runner:
        runner.run(sleep_and_wake())
    assert done[:2] == ["asked", "handled"]
