"""The block of bars: how often it is drawn, its size, and where it leaves the cursor."""

from __future__ import annotations

import asyncio
import io

from haas_console.batch.progress import BarProgress
from haas_console.core.jobs import JobView


def _job(devices: int) -> JobView:
    steps = [
        {"step": i, "device": f"sw{i}", "state": "pending", "summary": "park Gi1/0/1"}
        for i in range(1, devices + 1)
    ]
    view = JobView(7)
    view.replace({"state": "running", "done": 0, "total": devices, "steps": steps})
    return view


async def test_bars_are_drawn_at_most_eight_times_a_second() -> None:
    stream = io.StringIO()
    bars, view = BarProgress(stream), _job(2)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while loop.time() < begun + 1:
        view.done = view.done % 2 + 1
        bars.update(view)
        await asyncio.sleep(0.001)
    bars.finish()
    assert 1 < stream.getvalue().count("job 7") <= 10


async def test_only_changed_lines_are_sent_again() -> None:
    stream = io.StringIO()
    bars, view = BarProgress(stream), _job(2)
    bars.update(view)
    await asyncio.sleep(0)  # one iteration of the loop: the first drawing is due at once
    await asyncio.sleep(0)
    drawn = len(stream.getvalue())
    assert drawn > 0
    view.steps[1]["state"] = "done"
    bars.update(view)
    bars.finish()
    assert stream.getvalue()[drawn:] == f"\x1b[2Asw1   [{'#' * 20}] 1/1\x1b[K\r\x1b[2B"


async def test_the_bars_of_a_hundred_switches_fit_on_the_terminal() -> None:
    stream = io.StringIO()
    bars = BarProgress(stream)
    bars.update(_job(100))
    bars.finish()
    assert stream.getvalue().count("\n") < 24
    assert "more devices" in stream.getvalue()


async def test_later_output_begins_below_the_bars() -> None:
    stream = io.StringIO()
    bars, view = BarProgress(stream), _job(1)
    bars.update(view)
    bars.finish()
    bars.finish()  # a second call draws nothing
    assert stream.getvalue().count("job 7") == 1
    bars.update(view)  # a new block, as after a restart of the daemon
    bars.finish()
    assert stream.getvalue().count("\n") == 4
