"""The block of bars: how often it is drawn, how large it gets, and where the cursor is left."""

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


async def test_however_fast_the_news_it_is_drawn_eight_times_a_second() -> None:
    stream = io.StringIO()
    bars, view = BarProgress(stream), _job(2)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while loop.time() < begun + 1:
        view.done = view.done % 2 + 1
        bars.update(view)
        await asyncio.sleep(0)
    bars.finish()
    assert 1 < stream.getvalue().count("job 7") <= 10


async def test_only_lines_that_changed_are_sent_again() -> None:
    stream = io.StringIO()
    bars, view = BarProgress(stream), _job(2)
    bars.update(view)
    await asyncio.sleep(0)  # a round of the loop: the first drawing is due at once
    await asyncio.sleep(0)
    drawn = len(stream.getvalue())
    assert drawn > 0
    view.steps[1]["state"] = "done"
    bars.update(view)
    bars.finish()
    assert stream.getvalue()[drawn:] == f"\x1b[2Asw1   [{'#' * 20}] 1/1\x1b[K\r\x1b[2B"


async def test_a_site_of_a_hundred_switches_fits_the_terminal() -> None:
    stream = io.StringIO()
    bars = BarProgress(stream)
    bars.update(_job(100))
    bars.finish()
    assert stream.getvalue().count("\n") < 24
    assert "more devices" in stream.getvalue()


async def test_what_is_said_after_the_bars_stands_below_them() -> None:
    stream = io.StringIO()
    bars, view = BarProgress(stream), _job(1)
    bars.update(view)
    bars.finish()
    bars.finish()  # a second farewell draws nothing
    assert stream.getvalue().count("job 7") == 1
    bars.update(view)  # after a restart of the daemon, say: a block of its own
    bars.finish()
    assert stream.getvalue().count("\n") == 4
